"""Fractional max pooling: PyTorch's layer and the NumPy one under the same draws, partitions, sizes, gradients."""

from math import floor, sqrt

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pellucid.core.errors import ConfigError, DataError
from pellucid.nn.regularisation.fractional_max_pool import (
    FractionalMaxPool2d,
    disjoint_regions,
    pseudo_random_steps,
    random_steps,
)
from pellucid.scratch.pooling.fractional import fractional_max_pool_backward, fractional_max_pool_forward


@pytest.mark.parametrize("sides", [(31, 22), (25, 25), (7, 6), (3, 3)])
@pytest.mark.parametrize("ratio", [sqrt(2), 1.25, 1.9])
def test_pytorchs_layer_with_the_same_draws(sides: tuple[int, int], ratio: float) -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 5, *sides, dtype=torch.float64, requires_grad=True)
    u = torch.rand(4, 5, 2, dtype=torch.float64)
    ours = FractionalMaxPool2d(ratio)(x, u)
    size = (floor(sides[0] / ratio), floor(sides[1] / ratio))
    theirs = F.fractional_max_pool2d(x, 2, output_size=size, _random_samples=u)
    assert torch.equal(ours, theirs)
    dout = torch.randn_like(ours)
    assert torch.allclose(torch.autograd.grad(ours, x, dout)[0], torch.autograd.grad(theirs, x, dout)[0])


@pytest.mark.parametrize("mode", ["overlapping", "disjoint"])
@pytest.mark.parametrize("ratio", [1.0, sqrt(2), 2.0, 2.6])
def test_the_numpy_layer_with_the_same_draws(mode: str, ratio: float) -> None:
    rng = np.random.default_rng(0)
    x, u = rng.standard_normal((2, 3, 17, 12)), rng.random((2, 3, 2))
    kernel = FractionalMaxPool2d(ratio).kernel
    wanted, cache = fractional_max_pool_forward(x, u, ratio, mode, kernel)
    tensor = torch.from_numpy(x).requires_grad_()
    layer = FractionalMaxPool2d(ratio, overlapping=mode == "overlapping")
    out = layer(tensor, torch.from_numpy(u))
    assert np.array_equal(out.detach().numpy(), wanted)
    dout = rng.standard_normal(wanted.shape)
    assert np.allclose(
        torch.autograd.grad(out, tensor, torch.from_numpy(dout))[0].numpy(), fractional_max_pool_backward(dout, cache)
    )


@pytest.mark.parametrize("pseudo_random", [True, False])
@pytest.mark.parametrize(("n", "out"), [(25, 17), (10, 7), (3, 2), (7, 1), (6, 6), (1000, 707)])
def test_disjoint_regions_are_a_partition(pseudo_random: bool, n: int, out: int) -> None:
    torch.manual_seed(0)
    steps = pseudo_random_steps(torch.rand(50), n, out) if pseudo_random else random_steps(torch.rand(50, out), n)
    starts, sizes = disjoint_regions(steps, n)
    for first, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        assert [i for a, s in zip(first, size, strict=True) for i in range(a, a + s)] == list(range(n))
    assert set(sizes.unique().tolist()) <= {n // out, -(-n // out)}


def test_random_steps_come_in_every_order_and_pseudo_random_ones_in_few() -> None:
    torch.manual_seed(0)
    random = random_steps(torch.rand(5000, 6), 8).unique(dim=0)
    assert len(random) == 15  # 6 choose 2 places for the twos
    assert len(pseudo_random_steps(torch.rand(5000), 8, 6).unique(dim=0)) < 8


@pytest.mark.parametrize("overlapping", [True, False])
@pytest.mark.parametrize("pseudo_random", [True, False])
@pytest.mark.parametrize("shape", [(1, 1, 3, 5), (2, 3, 36, 25)])
def test_sizes_and_that_the_largest_survives(overlapping: bool, pseudo_random: bool, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer = FractionalMaxPool2d(sqrt(2), overlapping, pseudo_random)
    x = torch.randn(*shape)
    out = layer(x)
    assert out.shape == (*shape[:2], floor(shape[2] / sqrt(2)), floor(shape[3] / sqrt(2)))
    assert torch.equal(out.amax((2, 3)), x.amax((2, 3)))  # no input is skipped
    if shape[2] > 3:
        assert not torch.equal(layer(x), out)
    layer.eval()
    assert torch.equal(layer(x), layer(x))


def test_ratio_two_disjoint_is_plain_max_pooling() -> None:
    x = torch.randn(2, 2, 6, 8)
    assert torch.equal(FractionalMaxPool2d(2.0, overlapping=False)(x), F.max_pool2d(x, 2))


def test_refusals() -> None:
    with pytest.raises(ConfigError, match=r"ratio must be 1 or more, got 0\.5"):
        FractionalMaxPool2d(0.5)
    with pytest.raises(DataError, match=r"needs \(N, C, H, W\), sides 2 or more, got \(1, 1, 1, 9\)"):
        FractionalMaxPool2d()(torch.zeros(1, 1, 1, 9))
    assert repr(FractionalMaxPool2d()) == "FractionalMaxPool2d(ratio=1.414, kernel=2, pseudo-random)"
