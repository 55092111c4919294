"""Switchable norm against its NumPy twin, and against the norms it mixes."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pellucid.core.errors import ConfigError, DataError
from pellucid.nn.normalisation.switchable import SwitchableNorm
from pellucid.scratch.normalisation.switchable import switchnorm_backward, switchnorm_forward

ALONE = {"instance": 0, "layer": 1, "batch": 2}


def drawn(channels: int, seed: int = 0) -> SwitchableNorm:
    torch.manual_seed(seed)
    layer = SwitchableNorm(channels).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    return layer


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 3, 2, 3), (4, 1, 7), (3, 2, 1, 1)])
def test_it_equals_its_numpy_twin(shape: tuple[int, ...]):
    layer, rng = drawn(shape[1]), np.random.default_rng(0)
    arrays = [getattr(layer, name).detach().numpy() for name in ("weight", "bias", "mean_weight", "var_weight")]
    settings = {"mode": "train", "convention": "torch", "eps": layer.eps}
    for _ in range(3):
        x, dout = rng.standard_normal(shape) * 2 + 1, rng.standard_normal(shape)
        wanted, cache = switchnorm_forward(x, *arrays, settings)
        leaf = torch.from_numpy(x).requires_grad_()
        out = layer(leaf)
        np.testing.assert_allclose(out.detach().numpy(), wanted, atol=1e-10)
        got = torch.autograd.grad(out, [leaf, *layer.parameters()], torch.from_numpy(dout))
        for ours, theirs in zip(got, switchnorm_backward(dout, cache), strict=True):
            np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-8)
    np.testing.assert_allclose(layer.running_mean.numpy(), settings["running_mean"], atol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), settings["running_var"], atol=1e-12)
    assert layer.num_batches_tracked == 3

    settings["mode"] = "test"
    wanted, cache = switchnorm_forward(x, *arrays, settings)
    leaf = torch.from_numpy(x).requires_grad_()
    out = layer.eval()(leaf)
    np.testing.assert_allclose(out.detach().numpy(), wanted, atol=1e-10)
    (dx,) = torch.autograd.grad(out, leaf, torch.from_numpy(dout))
    np.testing.assert_allclose(dx.numpy(), switchnorm_backward(dout, cache)[0], atol=1e-8)


@pytest.mark.parametrize("kind", ALONE)
def test_one_kind_alone_is_that_norm(kind: str):
    layer, x = SwitchableNorm(4), torch.randn(3, 4, 5, 6)
    with torch.no_grad():
        for weights in (layer.mean_weight, layer.var_weight):
            weights.fill_(-1e9)
            weights[ALONE[kind]] = 0
    wanted = {
        "instance": F.instance_norm(x),
        "layer": F.layer_norm(x, x.shape[1:]),
        "batch": F.batch_norm(x, None, None, training=True),
    }
    torch.testing.assert_close(layer(x), wanted[kind], atol=2e-5, rtol=1e-5)
    assert layer.shares()[kind] == (1.0, 1.0)


def test_evaluation_does_not_depend_on_the_batch():
    layer = drawn(3)
    layer(torch.randn(4, 3, 5, 5).double())
    layer.eval()
    x = torch.randn(4, 3, 5, 5).double()
    torch.testing.assert_close(layer(x), torch.cat([layer(one[None]) for one in x]))
    assert layer.num_batches_tracked == 1


def test_equal_shares_at_the_start():
    shares = SwitchableNorm(2).shares()
    assert list(shares) == ["instance", "layer", "batch"]
    assert all(share == pytest.approx((1 / 3, 1 / 3)) for share in shares.values())


def test_what_does_not_fit_is_refused():
    layer = SwitchableNorm(3)
    with pytest.raises(DataError, match=r"x must be \(N, 3, ...\), got \(2, 4, 5, 5\)"):
        layer(torch.zeros(2, 4, 5, 5))
    with pytest.raises(DataError, match=r"x must be \(N, 3, ...\), got \(2, 3\)"):
        layer(torch.zeros(2, 3))
    with pytest.raises(DataError, match="one number a channel has no variance"):
        layer(torch.zeros(1, 3, 1, 1))
    with pytest.raises(ConfigError, match="momentum must be in"):
        SwitchableNorm(3, momentum=2.0)
