"""Two loops, one loop, none: one result."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from pellucid.classic.neighbours.distances import (
    compute_distances_no_loops,
    compute_distances_one_loop,
    compute_distances_two_loops,
    squared_by_product,
)
from pellucid.core.errors import ConfigError, DataError

FORMS = [compute_distances_two_loops, compute_distances_one_loop, compute_distances_no_loops]


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_all_forms_agree_with_scipy(distance: str, dtype: type) -> None:
    rng = np.random.default_rng(0)
    X, memory = ((255 * rng.random((n, 48))).astype(dtype) for n in (7, 11))
    wanted = cdist(X.astype(float), memory.astype(float), "cityblock" if distance == "l1" else "euclidean")
    for form in FORMS:
        np.testing.assert_allclose(form(X, memory, distance), wanted, rtol=1e-10)
    assert wanted.shape == (7, 11)


def test_absolute_differences_by_hand() -> None:
    a, b = np.array([[10, 200, 3]], np.uint8), np.array([[12, 100, 3]], np.uint8)
    for form in FORMS:
        assert form(a, b, "l1").tolist() == [[102.0]]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_duplicates_give_no_nan(form: object, dtype: type) -> None:
    X = np.random.default_rng(1).random((20, 300)).astype(dtype)
    distances = form(X, X)  # type: ignore[operator]
    assert distances.dtype == dtype and not np.isnan(distances).any()
    assert np.diag(distances).max() < (1e-6 if dtype == np.float64 else 0.05)


def test_without_the_clamp_rounding_goes_below_zero() -> None:
    """200 samples of 3,072 numbers against themselves in float32: the root of what came out would be NaN."""
    X = np.random.default_rng(0).normal(size=(200, 3072)).astype(np.float32)
    squares = np.diag(squared_by_product(X, X))
    assert (squares < 0).sum() > 10
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.sqrt(squares)).sum() == (squares < 0).sum()
    assert not np.isnan(compute_distances_no_loops(X, X)).any()


@pytest.mark.parametrize("form", FORMS)
def test_refusals(form: object) -> None:
    with pytest.raises(DataError, match=r"X and memory must be \(N, D\) and \(M, D\), got \(2, 3\) and \(2, 4\)"):
        form(np.ones((2, 3)), np.ones((2, 4)))  # type: ignore[operator]
    with pytest.raises(ConfigError, match="Unknown distance 'cosine'. Choose from: l1, l2"):
        form(np.ones((2, 3)), np.ones((2, 3)), "cosine")  # type: ignore[operator]
