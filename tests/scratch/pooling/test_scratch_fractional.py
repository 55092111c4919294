"""Fractional max pooling: its sizes, its regions, and what it costs to get them wrong."""

from math import floor, sqrt

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.pooling.fractional import (
    disjoint_regions,
    fractional_max_pool_backward,
    fractional_max_pool_forward,
    overlapping_regions,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("mode", ["overlapping", "disjoint"])
@pytest.mark.parametrize("ratio", [1.0, sqrt(2), 1.5, 2.0, 2.6])
def test_the_size_is_the_inputs_over_the_ratio_rounded_down(mode: str, ratio: float, rng: np.random.Generator) -> None:
    for height, width in ((25, 36), (7, 10), (3, 5)):
        x, u = rng.standard_normal((2, 3, height, width)), rng.random((2, 3, 2))
        out, cache = fractional_max_pool_forward(x, u, ratio, mode)
        assert out.shape == (2, 3, floor(height / ratio), floor(width / ratio))
        assert np.isin(out, x).all()
        dout = rng.standard_normal(out.shape)
        assert np.isclose(fractional_max_pool_backward(dout, cache).sum(), dout.sum())


def test_ratio_root_two_halves_the_area(rng: np.random.Generator) -> None:
    x, u = rng.standard_normal((1, 2, 36, 36)), rng.random((1, 2, 2))
    out, _ = fractional_max_pool_forward(x, u)  # the default
    assert out.shape == (1, 2, 25, 25)
    once_more, _ = fractional_max_pool_forward(out, u)
    assert once_more.shape == (1, 2, 17, 17)


@pytest.mark.parametrize(("n", "out"), [(25, 17), (10, 7), (3, 2), (7, 1), (6, 6), (1000, 707)])
def test_disjoint_regions_hold_each_input_once(n: int, out: int, rng: np.random.Generator) -> None:
    starts, sizes = disjoint_regions(rng.random((50, 2)), n, out, 2)
    for first, size in zip(starts.reshape(-1, out), sizes.reshape(-1, out), strict=True):
        covered = np.concatenate([np.arange(a, a + s) for a, s in zip(first, size, strict=True)])
        assert covered.tolist() == list(range(n))
    assert set(np.unique(sizes)) <= {n // out, -(-n // out)}


def test_steps_of_one_and_two_come_in_an_order_that_the_draw_decides(rng: np.random.Generator) -> None:
    _, sizes = disjoint_regions(rng.random((100, 1)), 25, 17, 2)
    assert (np.sum(sizes == 2, axis=-1) == 8).all()  # 8 · 2 + 9 · 1 = 25
    assert len(np.unique(sizes.reshape(100, 17), axis=0)) > 10


def test_overlapping_windows_reach_from_end_to_end(rng: np.random.Generator) -> None:
    starts, sizes = overlapping_regions(rng.random((50, 1)), 25, 17, 2)
    assert (starts[..., 0] == 0).all()
    assert (starts[..., -1] == 23).all()
    assert (sizes == 2).all()
    assert set(np.unique(np.diff(starts))) <= {1, 2}  # so that nothing is skipped


def test_pytorchs_layer_with_the_same_draws(rng: np.random.Generator) -> None:
    x, u = rng.standard_normal((4, 5, 31, 22)), rng.random((4, 5, 2))
    out, _ = fractional_max_pool_forward(x, u, sqrt(2))
    twin = F.fractional_max_pool2d(
        torch.from_numpy(x), 2, output_size=(21, 15), _random_samples=torch.from_numpy(u)
    ).numpy()
    assert (out == twin).all()


def test_ratio_two_disjoint_is_plain_max_pooling(rng: np.random.Generator) -> None:
    x, u = rng.standard_normal((2, 2, 6, 8)), rng.random((2, 2, 2))
    out, _ = fractional_max_pool_forward(x, u, 2.0, "disjoint")
    assert (out == x.reshape(2, 2, 3, 2, 4, 2).max(axis=(3, 5))).all()


def test_an_empty_batch_stays_empty() -> None:
    out, cache = fractional_max_pool_forward(np.zeros((0, 2, 6, 7)), np.zeros((0, 2, 2)))
    assert out.shape == (0, 2, 4, 4)
    assert fractional_max_pool_backward(out, cache).shape == (0, 2, 6, 7)


def test_a_nan_is_not_lost(rng: np.random.Generator) -> None:
    x = np.ones((1, 1, 4, 4))
    x[0, 0, 1, 1] = np.nan
    out, _ = fractional_max_pool_forward(x, rng.random((1, 1, 2)), 2.0, "disjoint")
    assert np.isnan(out).tolist() == [[[[True, False], [False, False]]]]


def test_wrong_inputs() -> None:
    x, u = np.zeros((2, 3, 6, 5)), np.zeros((2, 3, 2))
    with pytest.raises(DataError) as raised:
        fractional_max_pool_forward(x, np.zeros((2, 2)))
    assert str(raised.value) == (
        "fractional_max_pool: x must be (N, C, H, W) and u (N, C, 2), got (2, 3, 6, 5) and (2, 2)."
    )
    with pytest.raises(DataError, match=r"ratio must be 1 to 5, the smaller side of x, got 0\.5\.$"):
        fractional_max_pool_forward(x, u, 0.5)
    with pytest.raises(DataError, match=r"kernel must be 1 to 5, the smaller side of x, got 6\.$"):
        fractional_max_pool_forward(x, u, kernel=6)
    with pytest.raises(ConfigError, match=r"^Unknown mode 'disjunct'\. Did you mean 'disjoint'\?"):
        fractional_max_pool_forward(x, u, mode="disjunct")
