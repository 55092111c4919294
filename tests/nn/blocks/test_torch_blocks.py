"""Blocks against their NumPy twins or against what they consist of."""

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.core.errors import ConfigError
from pellucid.nn.blocks.asymmetric import AsymmetricConv2d
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.blocks.dilated_branches import DilatedBranches
from pellucid.nn.blocks.separable import SeparableConv2d
from pellucid.nn.blocks.squeeze_excitation import SqueezeExcitation
from pellucid.nn.blocks.stochastic_depth import StochasticDepth
from pellucid.scratch.convolution.dilated import conv_backward_dilated, conv_forward_dilated
from pellucid.scratch.convolution.im2col import conv_forward_im2col
from pellucid.scratch.convolution.separable import separable_backward, separable_costs, separable_forward
from pellucid.scratch.regularisation.stochastic_depth import stochastic_depth_backward, stochastic_depth_forward


def arrays(*tensors: torch.Tensor) -> list[np.ndarray]:
    return [tensor.detach().numpy() for tensor in tensors]


def compare(got: tuple[torch.Tensor, ...], wanted: tuple[np.ndarray, ...]) -> None:
    for ours, theirs in zip(got, wanted, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.reshape(ours.shape), atol=1e-10)


# ------------------------------------------------------------------------------------------------- conv_norm


def test_conv_norm_stands_in_the_order_of_the_paper_without_a_bias():
    block = conv_norm(3, 8, 5, stride=2)
    assert [type(part) for part in block] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    assert block[0].bias is None
    x = torch.randn(4, 3, 11, 8)
    torch.testing.assert_close(block(x), torch.relu(block[1](block[0](x))))
    assert block(x).shape == (4, 8, 6, 4)


def test_conv_norm_keeps_the_size_and_takes_settings():
    block = conv_norm(4, 4, 3, groups=4, activation=None, eps=1e-3, momentum=0.01)
    assert len(block) == 2 and (block[1].eps, block[1].momentum) == (1e-3, 0.01)
    assert block[0].weight.shape == (4, 1, 3, 3)
    assert block(torch.randn(1, 4, 7, 5)).shape == (1, 4, 7, 5)
    assert isinstance(conv_norm(1, 1, activation=nn.Hardswish)[2], nn.Hardswish)


# ------------------------------------------------------------------------------------- squeeze and excitation


def test_squeeze_excitation_is_its_formula():
    block, x = SqueezeExcitation(6, 2), torch.randn(3, 6, 5, 4)
    w1, b1, w2, b2 = (p.flatten(1) if p.dim() > 1 else p for p in block.parameters())
    mean = x.mean((2, 3))  # (N, C)
    factors = torch.sigmoid(torch.relu(mean @ w1.T + b1) @ w2.T + b2)  # (N, C)
    torch.testing.assert_close(block(x), x * factors[..., None, None])
    assert block.factors(x).shape == (3, 6, 1, 1)


def test_squeeze_excitation_does_not_look_where_things_are():
    block, x = SqueezeExcitation(4, 1), torch.randn(2, 4, 3, 3)
    torch.testing.assert_close(block.factors(x), block.factors(x.flip(2).roll(1, 3)))
    assert list(block.state_dict()) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]


def test_squeeze_excitation_with_other_gates():
    block = SqueezeExcitation(4, 2, gate=nn.Hardsigmoid)
    with torch.no_grad():
        block.fc2.weight.zero_()
        block.fc2.bias.fill_(3.0)  # where the hard sigmoid has reached 1
    x = torch.randn(1, 4, 2, 2)
    assert torch.equal(block(x), x)


# ------------------------------------------------------------------------------------------ stochastic depth


def test_stochastic_depth_equals_its_numpy_twin_up_to_the_place_of_the_scale():
    """NumPy's form is the paper's: b in training and 1 - p in use. Ours divides both by 1 - p."""
    x, branch, dout = (np.random.default_rng(k).standard_normal((2, 3, 4, 4)) for k in range(3))
    p, seen = 0.4, set()
    layer = StochasticDepth(p, each="batch")
    for seed in range(8):
        torch.manual_seed(seed)
        kept = bool(torch.rand(1) >= p)
        wanted, cache = stochastic_depth_forward(x, branch, {"mode": "train", "p": float(kept)})
        dx, dbranch = stochastic_depth_backward(dout, cache)
        torch.manual_seed(seed)
        leaves = [torch.from_numpy(a).requires_grad_() for a in (x, branch)]
        out = leaves[0] + layer(leaves[1])
        np.testing.assert_allclose(out.detach().numpy() - x, (wanted - x) / (1 - p), atol=1e-12)
        compare(torch.autograd.grad(out, leaves, torch.from_numpy(dout)), (dx, dbranch / (1 - p)))
        seen.add(kept)
    assert seen == {True, False}
    wanted, _ = stochastic_depth_forward(x, branch, {"mode": "test", "p": 1 - p})
    used = torch.from_numpy(branch)
    np.testing.assert_allclose(layer.eval()(used).numpy(), (wanted - x) / (1 - p), atol=1e-12)


def test_stochastic_depth_drops_whole_pictures():
    torch.manual_seed(0)
    out = StochasticDepth(0.25)(torch.ones(400, 2, 3, 3))
    first = out[:, 0, 0, 0]
    assert torch.equal(out, first[:, None, None, None].expand_as(out))
    torch.testing.assert_close(first.unique(), torch.tensor([0, 4 / 3]))
    assert (first > 0).float().mean().item() == pytest.approx(0.75, abs=0.06)


def test_stochastic_depth_of_zero_is_the_branch():
    x = torch.randn(2, 3)
    assert StochasticDepth(0.0)(x) is x
    with pytest.raises(ConfigError, match=r"p must be in \[0, 1\), got 1"):
        StochasticDepth(1)
    with pytest.raises(ConfigError, match="each must be picture or batch, got 'row'"):
        StochasticDepth(0.5, "row")


# ------------------------------------------------------------------------------------------------- separable


@pytest.mark.parametrize(("stride", "dilation", "size"), [(1, 1, (5, 5)), (2, 1, (7, 6)), (1, 2, (5, 8))])
def test_separable_equals_its_numpy_twin(stride: int, dilation: int, size: tuple[int, int]):
    torch.manual_seed(0)
    block = SeparableConv2d(3, 4, 3, stride, dilation).double()
    x = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    (wd, bd, wp, bp), settings = block.parameters(), {"stride": stride, "pad": dilation, "dilation": dilation}
    wanted, cache = separable_forward(*arrays(x, wd[:, 0], bd, wp[:, :, 0, 0], bp), settings)
    out = block(x)
    np.testing.assert_allclose(out.detach().numpy(), wanted, atol=1e-12)
    assert out.shape[2:] == tuple(-(-side // stride) for side in size)
    dout = torch.randn_like(out)
    compare(torch.autograd.grad(out, [x, wd, bd, wp, bp], dout), separable_backward(dout.numpy(), cache))


def test_separable_costs_what_the_table_says():
    block = SeparableConv2d(16, 32, 3, bias=False)
    costs = separable_costs(16, 32, (3, 3), (1, 1))
    assert sum(p.numel() for p in block.parameters()) == costs["separable"].parameters == 16 * 9 + 16 * 32


def test_separable_takes_parts_between():
    block = SeparableConv2d(3, 6, between=lambda channels: [nn.BatchNorm2d(channels), nn.ReLU()])
    assert [type(part).__name__ for part in block] == ["Conv2d", "BatchNorm2d", "ReLU", "Conv2d"]
    assert block[1].num_features == 3 and block(torch.randn(2, 3, 4, 4)).shape == (2, 6, 4, 4)


# ------------------------------------------------------------------------------------------------ asymmetric


@pytest.mark.parametrize("taps", [3, 5, 7])
def test_an_asymmetric_pair_of_one_channel_is_a_rank_one_kernel(taps: int):
    block = AsymmetricConv2d(1, 1, taps, bias=False)
    row, column = block[0].weight[0, 0, 0], block[1].weight[0, 0, :, 0]
    whole = torch.outer(column, row)[None, None]
    x = torch.randn(2, 1, 9, 8)
    wanted, _ = conv_forward_im2col(*arrays(x, whole), np.zeros(1, np.float32), {"stride": 1, "pad": taps // 2})
    np.testing.assert_allclose(block(x).detach().numpy(), wanted, atol=1e-5)


def test_an_asymmetric_pair_has_two_thirds_of_the_weights_of_a_square():
    block = AsymmetricConv2d(8, 8, 3, bias=False)
    assert sum(p.numel() for p in block.parameters()) == 6 * 8 * 8  # not 9 · 8 · 8
    assert AsymmetricConv2d(3, 5, 3, c_between=4, stride=2)(torch.randn(1, 3, 7, 6)).shape == (1, 5, 4, 3)
    middle = AsymmetricConv2d(3, 5, 3, between=lambda channels: [nn.BatchNorm2d(channels)])[1]
    assert isinstance(middle, nn.BatchNorm2d) and middle.num_features == 5


# ------------------------------------------------------------------------------------------ dilated branches


def test_dilated_branches_equal_their_numpy_twin():
    torch.manual_seed(0)
    rates = (1, 2, 5)
    block = DilatedBranches(2, 3, rates).double()
    x = torch.randn(2, 2, 7, 9, dtype=torch.float64, requires_grad=True)
    out = block(x)
    assert out.shape == (2, 9, 7, 9)  # the size stays, the channels add
    dout = torch.randn_like(out)
    got = torch.autograd.grad(out, [x, *block.parameters()], dout)
    dx = np.zeros(x.shape)
    for k, (rate, branch) in enumerate(zip(rates, block.branches, strict=True)):
        settings = {"stride": 1, "pad": rate, "dilation": rate}
        wanted, cache = conv_forward_dilated(*arrays(x, *branch.parameters()), settings)
        np.testing.assert_allclose(out[:, 3 * k : 3 * k + 3].detach().numpy(), wanted, atol=1e-12)
        more, dw, db = conv_backward_dilated(dout[:, 3 * k : 3 * k + 3].numpy(), cache)
        dx += more
        compare(got[1 + 2 * k : 3 + 2 * k], (dw, db))
    compare(got[:1], (dx,))


def test_a_branch_wider_than_the_map_is_its_centre_tap():
    block = DilatedBranches(2, 3, (9,), bias=False)
    x = torch.randn(1, 2, 5, 5)
    centre = torch.einsum("fc,nchw->nfhw", block.branches[0][0].weight[:, :, 1, 1], x)
    torch.testing.assert_close(block(x), centre)


def test_branches_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match=r"rates must be at least one number of 1 or more, got \(\)"):
        DilatedBranches(1, 1, ())
    with pytest.raises(ConfigError, match="kernel must be odd, or the size would change, got 2"):
        DilatedBranches(1, 1, (1,), kernel=2)
    block = DilatedBranches(1, 4, (1, 3), after=lambda channels: [nn.BatchNorm2d(channels), nn.ReLU()])
    assert (block(torch.randn(2, 1, 4, 4)) >= 0).all()
