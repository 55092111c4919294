"""Each activation against its NumPy twin, outputs and gradients, and against closed forms."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.core.errors import ConfigError, DataError
from pellucid.nn.activations.crelu import CReLU, crelu
from pellucid.nn.activations.hard import HardSigmoid, HardSwish, hard_sigmoid, hard_swish
from pellucid.nn.activations.maxout import Maxout, Maxout2d, maxout
from pellucid.nn.activations.swish import Swish, swish
from pellucid.scratch.activations.crelu import crelu_backward, crelu_forward
from pellucid.scratch.activations.hard_sigmoid import hard_sigmoid_backward, hard_sigmoid_forward
from pellucid.scratch.activations.hard_swish import hard_swish_backward, hard_swish_forward
from pellucid.scratch.activations.maxout import maxout_backward, maxout_forward
from pellucid.scratch.activations.swish import swish_backward, swish_forward


def gradient(out: Tensor, dout: np.ndarray, *of: Tensor) -> list[np.ndarray]:
    return [g.numpy() for g in torch.autograd.grad(out, of, torch.from_numpy(dout))]


@pytest.mark.parametrize("shape", [(3, 5), (1, 4), (2, 3, 2, 2)])
@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_maxout_equals_its_numpy_twin(shape: tuple[int, ...], pieces: int):
    rng, m = np.random.default_rng(0), 4
    x = rng.standard_normal(shape)
    d = int(np.prod(shape[1:]))
    w, b = rng.standard_normal((pieces, d, m)), rng.standard_normal((pieces, m))
    wanted, cache = maxout_forward(x, w, b)
    dout = rng.standard_normal(wanted.shape)
    dx, dw, db = maxout_backward(dout, cache)

    layer = Maxout(d, m, pieces).double()
    with torch.no_grad():  # row m · k + j is piece j of output m
        layer.linear.weight.copy_(torch.from_numpy(w).permute(2, 0, 1).reshape(m * pieces, d))
        layer.linear.bias.copy_(torch.from_numpy(b).T.reshape(-1))
    leaf = torch.from_numpy(x).requires_grad_()
    out = layer(leaf.flatten(1))
    got = gradient(out, dout, leaf, layer.linear.weight, layer.linear.bias)
    np.testing.assert_allclose(out.detach().numpy(), wanted, atol=1e-12)
    np.testing.assert_allclose(got[0], dx, atol=1e-12)
    np.testing.assert_allclose(got[1].reshape(m, pieces, d).transpose(1, 2, 0), dw, atol=1e-12)
    np.testing.assert_allclose(got[2].reshape(m, pieces).T, db, atol=1e-12)


def test_maxout_of_x_and_minus_x_is_its_absolute_value():
    x = torch.randn(4, 3)
    z = torch.stack([x, -x], dim=2).flatten(1)  # pieces are neighbours
    assert torch.equal(maxout(z, 2), x.abs())


def test_maxout_with_one_empty_piece_is_the_relu():
    layer = Maxout(5, 3)
    with torch.no_grad():
        layer.linear.weight[1::2] = 0
        layer.linear.bias.zero_()
    x = torch.randn(6, 5)
    torch.testing.assert_close(layer(x), F.relu(x @ layer.linear.weight[::2].T))


def test_the_first_of_equal_pieces_gets_the_gradient():
    z = torch.zeros(1, 3, requires_grad=True)
    maxout(z, 3).sum().backward()
    assert z.grad.tolist() == [[1, 0, 0]]


def test_maxout_of_a_picture_is_maxout_at_every_pixel():
    layer = Maxout2d(3, 4, 1, pieces=3)
    x = torch.randn(2, 3, 5, 7)
    flat = Maxout(3, 4, 3)
    flat.linear.weight.data, flat.linear.bias.data = layer.conv.weight.data.flatten(1), layer.conv.bias.data
    wanted = flat(x.permute(0, 2, 3, 1).reshape(-1, 3)).reshape(2, 5, 7, 4).permute(0, 3, 1, 2)
    torch.testing.assert_close(layer(x), wanted)
    assert Maxout2d(1, 2, 3, stride=2, padding=1)(torch.randn(1, 1, 7, 9)).shape == (1, 2, 4, 5)


def test_maxout_refuses_pieces_that_do_not_fit():
    with pytest.raises(DataError, match=r"2 pieces do not divide the 5 channels of x \(1, 5\)"):
        maxout(torch.zeros(1, 5), 2)
    with pytest.raises(ConfigError, match="pieces must be 1 or more, got 0"):
        Maxout(2, 2, 0)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 3, 4, 5)])
def test_crelu_equals_its_numpy_twin(shape: tuple[int, ...]):
    rng = np.random.default_rng(1)
    x = rng.standard_normal(shape)
    x.flat[0] = 0.0
    wanted, cache = crelu_forward(x)
    dout = rng.standard_normal(wanted.shape)
    leaf = torch.from_numpy(x).requires_grad_()
    out = CReLU()(leaf)
    np.testing.assert_array_equal(out.detach().numpy(), wanted)
    np.testing.assert_array_equal(gradient(out, dout, leaf)[0], crelu_backward(dout, cache))


def test_crelu_doubles_the_channels_and_loses_nothing():
    x = torch.randn(2, 3, 4, 4)
    kept, turned = crelu(x).chunk(2, dim=1)
    assert torch.equal(kept + turned, x.abs()) and torch.equal(kept - turned, x)
    with pytest.raises(DataError, match=r"crelu: x must have channels, \(N, C, ...\), got \(3,\)"):
        crelu(torch.zeros(3))


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 3.0, -1.0])
@pytest.mark.parametrize("learnable", [False, True])
def test_swish_equals_its_numpy_twin(beta: float, learnable: bool):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((3, 4, 5)) * 3
    wanted, cache = swish_forward(x, np.array([beta]))
    dout = rng.standard_normal(x.shape)
    dx, dbeta = swish_backward(dout, cache)
    layer = Swish(beta, learnable).double()
    leaf = torch.from_numpy(x).requires_grad_()
    out = layer(leaf)
    np.testing.assert_allclose(out.detach().numpy(), wanted, atol=1e-12)
    if learnable:
        got = gradient(out, dout, leaf, layer.beta)
        np.testing.assert_allclose(got[1], dbeta, atol=1e-11)
    else:
        assert not list(layer.parameters())
        got = gradient(out, dout, leaf)
    np.testing.assert_allclose(got[0], dx, atol=1e-12)


def test_swish_between_a_line_and_the_relu():
    x = torch.linspace(-4, 4, 101)
    assert torch.equal(swish(x, 0.0), x / 2)
    torch.testing.assert_close(swish(x, 1e4), F.relu(x))
    assert repr(Swish(2, learnable=True)) == "Swish(beta=2, learnable=True)"


def test_hard_forms_equal_their_numpy_twins_and_torch():
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.standard_normal(200) * 4, [-1e9, -10.0, 0.0, 10.0, 1e9]])
    dout = rng.standard_normal(x.shape)
    for layer, forward, backward in (
        (HardSigmoid(), hard_sigmoid_forward, hard_sigmoid_backward),
        (HardSwish(), hard_swish_forward, hard_swish_backward),
    ):
        wanted, cache = forward(x)
        leaf = torch.from_numpy(x).requires_grad_()
        out = layer(leaf)
        np.testing.assert_allclose(out.detach().numpy(), wanted, rtol=1e-12)
        np.testing.assert_allclose(gradient(out, dout, leaf)[0], backward(dout, cache), atol=1e-12)


def test_hard_forms_at_their_corners():
    x = torch.tensor([-3.0, -1.5, 0.0, 3.0])
    assert hard_sigmoid(x).tolist() == [0, 0.25, 0.5, 1]
    assert hard_swish(x).tolist() == [0, -0.375, 0, 3]
