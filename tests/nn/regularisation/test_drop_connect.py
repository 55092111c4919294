"""DropConnect against its NumPy twin under the same mask, and against the layers it is without dropping."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pellucid.core.errors import ConfigError
from pellucid.nn.regularisation.drop_connect import DropConnectConv2d, DropConnectLinear, drop_weights
from pellucid.scratch.regularisation.dropconnect import dropconnect_backward, dropconnect_forward


def mask_of(shape: tuple[int, ...], p: float, seed: int) -> torch.Tensor:
    """What torch will draw after this seed."""
    torch.manual_seed(seed)
    return drop_weights(torch.ones(shape, dtype=torch.float64), p) != 0


class Given:
    """A generator that hands out one mask: draws below p where it is kept."""

    def __init__(self, keep: np.ndarray) -> None:
        self.keep = keep

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        assert shape == self.keep.shape
        return np.where(self.keep, 0.0, 1.0)


@pytest.mark.parametrize("p", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("mode", ["train", "test"])
def test_it_equals_its_numpy_twin_under_the_same_mask(p: float, mode: str):
    torch.manual_seed(0)
    layer = DropConnectLinear(6, 4, p).double().train(mode == "train")
    x = torch.randn(5, 6, dtype=torch.float64, requires_grad=True)
    dout = torch.randn(5, 4, dtype=torch.float64)
    keep = mask_of((4, 6), p, seed=1).T.numpy()  # NumPy's weights are (D, M)
    settings = {"mode": mode, "p": 1 - p, "rng": Given(keep)}
    weight, bias = layer.weight.detach().T.numpy().copy(), layer.bias.detach().numpy()
    wanted, cache = dropconnect_forward(x.detach().numpy(), weight, bias, settings)
    dx, dw, db = dropconnect_backward(dout.numpy(), cache)

    torch.manual_seed(1)
    out = layer(x)
    np.testing.assert_allclose(out.detach().numpy(), wanted, atol=1e-12)
    got = torch.autograd.grad(out, [x, layer.weight, layer.bias], dout)
    for ours, theirs in zip(got, (dx, dw.T, db), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-12)


def test_weights_are_masked_and_biases_stay():
    layer = DropConnectLinear(1000, 1, 0.25)
    with torch.no_grad():
        layer.weight.fill_(0.75)
        layer.bias.fill_(0.5)
    torch.manual_seed(0)
    each = layer(torch.eye(1000)) - 0.5  # one weight each
    assert set(each.flatten().round(decimals=5).tolist()) == {0.0, 1.0}
    assert each.mean().item() == pytest.approx(0.75, abs=0.05)
    torch.manual_seed(0)
    assert torch.equal(layer(torch.zeros(3, 1000)), torch.full((3, 1), 0.5))


def test_the_mean_over_masks_is_evaluation():
    torch.manual_seed(0)
    layer = DropConnectLinear(3, 2, 0.5)
    x = torch.randn(1, 3)
    mean = torch.stack([layer(x) for _ in range(4000)]).mean(0)
    torch.testing.assert_close(mean, layer.eval()(x), atol=0.05, rtol=0)


def test_a_convolution_drops_the_same_weights_at_all_places():
    torch.manual_seed(0)
    layer = DropConnectConv2d(2, 3, 3, stride=2, padding=1, p=0.4)
    x = torch.randn(2, 2, 7, 9)
    torch.manual_seed(5)
    out = layer(x)
    torch.manual_seed(5)
    wanted = F.conv2d(x, drop_weights(layer.weight, 0.4), layer.bias, 2, 1)
    assert torch.equal(out, wanted)
    layer.eval()
    assert torch.equal(layer(x), F.conv2d(x, layer.weight, layer.bias, 2, 1))


def test_a_one_by_one_convolution_is_the_linear_layer():
    conv, linear = DropConnectConv2d(4, 3, 1, p=0.5), DropConnectLinear(4, 3, 0.5)
    linear.load_state_dict({name: value.reshape(3, -1)[:, :4] if value.dim() > 1 else value
                            for name, value in conv.state_dict().items()})  # fmt: skip
    x = torch.randn(2, 4)
    torch.manual_seed(3)
    a = conv(x[..., None, None])[..., 0, 0]
    torch.manual_seed(3)
    torch.testing.assert_close(a, linear(x))


def test_state_is_that_of_the_plain_layers():
    assert DropConnectLinear(4, 3).state_dict().keys() == nn.Linear(4, 3).state_dict().keys()
    assert "p=0.5" in repr(DropConnectConv2d(2, 2, 1)) and "p=0.5" in repr(DropConnectLinear(2, 2))
    for p in (1.0, -0.1):
        with pytest.raises(ConfigError, match=r"p must be in \[0, 1\)"):
            DropConnectLinear(2, 2, p)
        with pytest.raises(ConfigError, match=r"p must be in \[0, 1\)"):
            DropConnectConv2d(2, 2, 1, p=p)
