"""Unpooling: the lecture's pictures, and what pooling and unpooling are to each other."""

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.interpolation.nearest import interpolate_nearest_forward
from pellucid.scratch.pooling.average import average_pool_backward, average_pool_forward
from pellucid.scratch.pooling.average_unpool import average_unpool_backward, average_unpool_forward
from pellucid.scratch.pooling.max import max_pool_backward_fast, max_pool_forward_fast, max_pool_positions
from pellucid.scratch.pooling.max_unpool import (
    bed_of_nails_backward,
    bed_of_nails_forward,
    max_unpool_backward,
    max_unpool_forward,
)

TWO = {"pool_height": 2, "pool_width": 2, "stride": 2}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def plane(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float64)[None, None]


def test_the_lectures_nearest_neighbour_and_bed_of_nails() -> None:
    x = plane([1, 2], [3, 4])
    nearest, _ = interpolate_nearest_forward(x, scale=2)
    nails, _ = bed_of_nails_forward(x, 2)
    assert nearest.tolist() == plane([1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]).tolist()
    assert nails.tolist() == plane([1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]).tolist()


def test_the_lectures_max_unpooling() -> None:
    before = plane([1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8])
    assert max_pool_forward_fast(before, TWO)[0].tolist() == plane([5, 6], [7, 8]).tolist()
    positions = max_pool_positions(before, TWO)
    assert positions.tolist() == [[[[5, 2], [12, 15]]]]
    out, _ = max_unpool_forward(plane([1, 2], [3, 4]), positions, (4, 4))
    assert out.tolist() == plane([0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]).tolist()


def test_max_pooling_takes_max_unpooling_back(rng: np.random.Generator) -> None:
    x = np.abs(rng.standard_normal((2, 3, 5, 7)))
    pooled, positions = max_pool_forward_fast(x, TWO)[0], max_pool_positions(x, TWO)
    back, _ = max_unpool_forward(pooled, positions, (5, 7))
    assert (max_pool_forward_fast(back, TWO)[0] == pooled).all()
    assert np.count_nonzero(back) == pooled.size


def test_max_unpooling_is_what_max_pooling_does_to_gradients(rng: np.random.Generator) -> None:
    param = {"pool_height": 3, "pool_width": 3, "stride": 1, "pad": 1}  # windows share their maxima
    x = rng.standard_normal((2, 2, 5, 4))
    out, cache = max_pool_forward_fast(x, param)
    dout = rng.standard_normal(out.shape)
    unpooled, _ = max_unpool_forward(dout, max_pool_positions(x, param), (5, 4))
    assert np.allclose(unpooled, max_pool_backward_fast(dout, cache), atol=1e-15)


def test_each_value_is_spread_evenly() -> None:
    out, _ = average_unpool_forward(plane([4, 8]), TWO)
    assert out.tolist() == plane([1, 1, 2, 2], [1, 1, 2, 2]).tolist()
    whole, _ = average_unpool_forward(plane([4, 8]), TWO, keep="mean")
    assert whole.tolist() == plane([4, 4, 8, 8], [4, 4, 8, 8]).tolist()
    overlapping, _ = average_unpool_forward(plane([3, 6]), {"pool_height": 1, "pool_width": 3, "stride": 1})
    assert overlapping.tolist() == plane([1, 3, 3, 2]).tolist()


@pytest.mark.parametrize("pad", [0, 1])
def test_average_unpooling_is_the_adjoint_of_average_pooling(pad: int, rng: np.random.Generator) -> None:
    param = {"pool_height": 3, "pool_width": 2, "stride": 2, "pad": pad}
    y = rng.standard_normal((2, 3, 7, 6))
    pooled, cache = average_pool_forward(y, param)
    x = rng.standard_normal(pooled.shape)
    unpooled, _ = average_unpool_forward(x, param, (7, 6))
    assert np.isclose(np.sum(pooled * x), np.sum(y * unpooled), rtol=1e-13)
    assert (unpooled == average_pool_backward(x, cache)).all()


def test_what_each_kind_of_spreading_keeps(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 3, 4))
    sums, _ = average_unpool_forward(x, TWO)
    means, _ = average_unpool_forward(x, TWO, keep="mean")
    assert np.allclose(sums.sum(axis=(2, 3)), x.sum(axis=(2, 3)), atol=1e-14)
    assert np.allclose(average_pool_forward(sums, TWO)[0], x / 4, atol=1e-15)
    assert np.allclose(average_pool_forward(means, TWO)[0], x, atol=1e-15)
    assert (means == interpolate_nearest_forward(x, scale=2)[0]).all()


def test_kept_means_have_the_gradient_of_copies(rng: np.random.Generator) -> None:
    out, cache = average_unpool_forward(rng.standard_normal((1, 2, 3, 2)), TWO, keep="mean")
    dout = rng.standard_normal(out.shape)
    wanted = dout.reshape(1, 2, 3, 2, 2, 2).sum(axis=(3, 5))
    assert np.allclose(average_unpool_backward(dout, cache), wanted, atol=1e-14)


def test_an_empty_batch_stays_empty() -> None:
    x = np.zeros((0, 2, 3, 3))
    assert max_unpool_backward(*max_unpool_forward(x, np.zeros(x.shape, int), (6, 6))).shape == x.shape
    assert bed_of_nails_backward(*bed_of_nails_forward(x, 2)).shape == x.shape
    assert average_unpool_backward(*average_unpool_forward(x, TWO)).shape == x.shape


def test_wrong_inputs() -> None:
    x = np.zeros((1, 2, 2, 2))
    with pytest.raises(DataError) as raised:
        max_unpool_forward(x, np.zeros((2, 2), int), (4, 4))
    assert str(raised.value) == "max_unpool: x and positions must both be (N, C, H, W), got (1, 2, 2, 2) and (2, 2)."
    with pytest.raises(DataError) as raised:
        max_unpool_forward(x, np.full(x.shape, 16), (4, 4))
    assert str(raised.value) == "max_unpool: positions must be 0 to 15 in maps of 4 x 4, got 16 to 16."
    with pytest.raises(DataError, match=r"^bed_of_nails: .*scale 1 or more, got \(1, 2, 2, 2\) and 0\.$"):
        bed_of_nails_forward(x, 0)
    with pytest.raises(
        DataError, match=r"^average_unpool: pooling maps of \(9, 4\) gives \(4, 2\), but x is \(2, 2\)\.$"
    ):
        average_unpool_forward(x, TWO, (9, 4))
    with pytest.raises(DataError, match=r'several sizes give \(2, 2\) with pad "same", so size must be given\.$'):
        average_unpool_forward(x, {**TWO, "pad": "same"})
    with pytest.raises(DataError, match=r"^average_unpool: x must be \(N, C, H, W\), got \(2, 2\)\.$"):
        average_unpool_forward(x[0, 0], TWO)
    with pytest.raises(ConfigError, match=r"^Unknown keep 'sums'\. Did you mean 'sum'\? Choose from: mean, sum\.$"):
        average_unpool_forward(x, TWO, keep="sums")
