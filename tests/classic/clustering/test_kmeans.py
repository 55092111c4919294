"""k-means beside scikit-learn's, on planted clusters, and what Lloyd's steps guarantee."""

import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.cluster import KMeans as Sklearn
from sklearn.cluster import kmeans_plusplus
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

from pellucid.classic.clustering import kmeans as module
from pellucid.classic.clustering.kmeans import KMeans, kmeans, nearest_centre
from pellucid.core.errors import ConfigError, DataError


def planted(seed: int = 0, k: int = 12, each: int = 60, far: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, labels and centres of clusters that lie 10 apart and are about 1 wide."""
    rng = np.random.default_rng(seed)
    centres = rng.permutation(np.stack(np.meshgrid(*[np.arange(3) * 10.0] * 3), -1).reshape(-1, 3))[:k] + far
    labels = rng.permutation(np.repeat(np.arange(k), each))
    return centres[labels] + rng.uniform(-1, 1, (len(labels), 3)), labels, centres


def inertia_of(X: np.ndarray, centres: np.ndarray, labels: np.ndarray) -> float:
    return float(((X.astype(np.float64) - centres.astype(np.float64)[labels]) ** 2).sum())


def brute_labels(X: np.ndarray, centres: np.ndarray) -> np.ndarray:
    away = X.astype(np.float64)[:, None] - centres.astype(np.float64)
    return (away**2).sum(2).argmin(1)


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return np.asarray(load_digits().data)


# ---------------------------------------------------------------------------------------------- oracles


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [2, 10, 40])
def test_inertia_equals_scikit_learn_from_the_same_start(digits: np.ndarray, k: int, seed: int) -> None:
    start = kmeans_plusplus(digits, k, random_state=seed)[0]
    centres, labels, history = kmeans(digits, k, start=start)
    other = Sklearn(k, init=start, n_init=1, tol=0).fit(digits)
    assert history[-1] == pytest.approx(other.inertia_, rel=1e-6)
    assert np.mean(labels == other.labels_) > 0.999
    np.testing.assert_allclose(centres, other.cluster_centers_, atol=1e-6)


def test_own_starts_are_as_good_as_scikit_learns(digits: np.ndarray) -> None:
    own = [kmeans(digits, 20, seed).history[-1] for seed in range(8)]
    other = [Sklearn(20, n_init=1, tol=0, random_state=seed).fit(digits).inertia_ for seed in range(8)]
    assert np.median(own) == pytest.approx(np.median(other), rel=0.015)


@pytest.mark.parametrize("far", [0.0, 1000.0])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_planted_clusters_are_found(kind: type, far: float) -> None:
    for seed in range(5):
        X, truth, planted_centres = planted(seed, far=far)
        centres, labels, _ = kmeans(X.astype(kind), 12, seed)
        assert adjusted_rand_score(truth, labels) == 1
        nearest = np.linalg.norm(planted_centres[:, None] - centres, axis=2).min(axis=1)
        assert nearest.max() < 0.5 and centres.dtype == kind


def test_a_sampled_start_finds_planted_clusters_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_ROWS", 100)
    X, truth, _ = planted(k=6, each=200)
    assert adjusted_rand_score(truth, kmeans(X, 6, 0).labels) == 1


# ------------------------------------------------------------------------------------------- guarantees


@given(
    st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 5), st.sampled_from([np.float32, np.float64, np.uint8])
)
@settings(max_examples=60, deadline=None)
def test_inertia_never_rises_and_the_result_is_a_fixed_point(seed: int, rows: int, width: int, kind: type) -> None:
    rng = np.random.default_rng(seed)
    X = (rng.integers(0, 5, (rows, width)) * rng.integers(1, 50)).astype(kind)  # with many equal rows
    k = int(rng.integers(1, rows + 1))
    centres, labels, history = kmeans(X, k, seed)
    assert (np.diff(history) <= 0).all() and len(history) >= 1
    rounding = 1e-4 if kind != np.float64 else 1e-9
    size = float((X.astype(np.float64) ** 2).sum()) + 1
    assert history[-1] == pytest.approx(inertia_of(X, centres, labels), abs=rounding * size)
    best = ((X.astype(np.float64)[:, None] - centres.astype(np.float64)) ** 2).sum(2).min(1).sum()
    assert inertia_of(X, centres, labels) <= best + rounding * size  # no centre is nearer
    for each in np.unique(labels):
        np.testing.assert_allclose(centres[each], X[labels == each].mean(axis=0, dtype=np.float64), atol=1e-3)


def test_history_is_what_lloyd_by_hand_gives(digits: np.ndarray) -> None:
    centres = digits[:7].copy()
    by_hand = []
    for _ in range(6):
        labels = brute_labels(digits, centres)
        by_hand.append(inertia_of(digits, centres, labels))
        centres = np.stack([digits[labels == each].mean(0) for each in range(7)])
    np.testing.assert_allclose(kmeans(digits, 7, start=digits[:7], max_iter=5).history, by_hand, rtol=1e-12)


def test_a_centre_that_lost_its_rows_moves_to_the_farthest_row() -> None:
    X = np.array([[0.0], [1.0], [10.0], [30.0]])
    centres, labels, history = kmeans(X, 3, start=np.array([[0.5], [10.0], [1000.0]]))
    assert sorted(centres[:, 0]) == [0.5, 10.0, 30.0] and len(set(labels)) == 3
    assert history[0] == 0.25 + 0.25 + 400 and history[-1] == pytest.approx(0.5)


def test_fewer_different_rows_than_clusters() -> None:
    X = np.repeat(np.array([[1.0, 2.0], [3.0, 4.0]]), 5, axis=0)
    centres, labels, history = kmeans(X, 4)
    assert history[-1] == 0 and len(set(labels)) == 2
    np.testing.assert_array_equal(centres[labels], X)


def test_as_many_clusters_as_rows_and_one_cluster(digits: np.ndarray) -> None:
    assert kmeans(digits[:50], 50).history[-1] == pytest.approx(0, abs=1e-6)
    centres, labels, history = kmeans(digits, 1)
    np.testing.assert_allclose(centres[0], digits.mean(0), atol=1e-9)
    assert history[-1] == pytest.approx(digits.var(0).sum() * len(digits)) and not labels.any()


def test_bytes_are_counted_as_float32(digits: np.ndarray) -> None:
    as_bytes = kmeans(digits.astype(np.uint8), 10, 3)
    as_floats = kmeans(digits.astype(np.float32), 10, 3)
    assert as_bytes.centres.dtype == np.float32
    np.testing.assert_array_equal(as_bytes.labels, as_floats.labels)


def test_same_seed_same_result_and_input_unchanged(digits: np.ndarray) -> None:
    before = digits.copy()
    one, two, other = kmeans(digits, 15, 5), kmeans(digits, 15, 5), kmeans(digits, 15, 6)
    np.testing.assert_array_equal(one.centres, two.centres)
    assert one.history[-1] != other.history[-1]
    np.testing.assert_array_equal(digits, before)


def test_more_starts_never_give_more_inertia(digits: np.ndarray) -> None:
    assert kmeans(digits, 15, 0, n_init=4).history[-1] <= kmeans(digits, 15, 0, n_init=1).history[-1]


def test_a_tolerance_stops_sooner(digits: np.ndarray) -> None:
    exact, rough = kmeans(digits, 10, 0), kmeans(digits, 10, 0, tol=1e-2)
    assert len(rough.history) < len(exact.history)
    assert rough.history[-2] - rough.history[-1] < 1e-2 * rough.history[-1]
    np.testing.assert_array_equal(rough.history, exact.history[: len(rough.history)])


@pytest.mark.parametrize("rows", [1, 511, 512, 513, 1500])
def test_nearest_centre_at_the_ends_of_blocks(digits: np.ndarray, rows: int) -> None:
    centres = digits[-30:] + np.random.default_rng(0).random((30, 64))  # no two are equally near
    np.testing.assert_array_equal(nearest_centre(digits[:rows], centres), brute_labels(digits[:rows], centres))


def test_small_blocks_change_nothing(digits: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kmeans(digits, 9, 2)
    monkeypatch.setattr(module, "BLOCK", 1000)
    monkeypatch.setattr(module, "STEP", 7)
    parts = kmeans(digits, 9, 2)
    np.testing.assert_array_equal(parts.labels, whole.labels)
    assert parts.history[-1] == pytest.approx(whole.history[-1], rel=1e-12)


def test_memory_is_a_copy_and_blocks() -> None:
    X = np.random.default_rng(0).random((20_000, 16), dtype=np.float32)
    tracemalloc.start()
    kmeans(X, 200, max_iter=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (
        peak < 10 * X.nbytes < X.nbytes * 200 / 16
    )  # rows x centres alone would be more, rows x centres x width far more


# ------------------------------------------------------------------------------------------- the estimator


def test_the_estimator_is_the_function(digits: np.ndarray) -> None:
    model = KMeans(10, tol=0, random_state=4).fit(digits)
    centres, labels, history = kmeans(digits, 10, 4)
    np.testing.assert_array_equal(model.cluster_centers_, centres)
    np.testing.assert_array_equal(model.labels_, labels)
    assert model.inertia_ == history[-1] and model.n_iter_ == len(history) - 1
    np.testing.assert_array_equal(model.predict(digits), labels)
    np.testing.assert_array_equal(clone(model).fit_predict(digits), labels)


def test_transform_has_the_distances(digits: np.ndarray) -> None:
    model = KMeans(10, random_state=0).fit(digits)
    expected = np.linalg.norm(digits[:, None] - model.cluster_centers_, axis=2)
    np.testing.assert_allclose(model.transform(digits), expected, atol=1e-6)
    assert list(model.get_feature_names_out()[:2]) == ["kmeans0", "kmeans1"]


# ---------------------------------------------------------------------------------------------- wrong input


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.zeros(3), "kmeans: X must be (N, D) with D at least 1, got shape (3,)."),
        (np.zeros((3, 0)), "kmeans: X must be (N, D) with D at least 1, got shape (3, 0)."),
        (np.zeros((1, 2)), "kmeans: 2 clusters need at least 2 rows, got 1."),
        (np.full((3, 2), np.nan), "kmeans: X holds NaN or infinity. Replace or drop such rows first."),
        (np.array([["a"], ["b"]]), "kmeans: X must hold numbers, got <U1."),
    ],
)
def test_rows_that_cannot_be_clustered(X: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(said)}$"):
        kmeans(X, 2)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"k": 0}, "k must be a whole number of at least 1, got 0."),
        ({"k": 2.5}, "k must be a whole number of at least 1, got 2.5."),
        ({"n_init": 0}, "n_init must be a whole number of at least 1, got 0."),
        ({"max_iter": -1}, "max_iter must be a whole number of at least 0, got -1."),
        ({"tol": -0.1}, "tol must be at least 0, got -0.1."),
    ],
)
def test_settings_out_of_range(settings: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(said)}$"):
        kmeans(np.eye(4), **{"k": 2, **settings})


def test_a_start_of_another_shape() -> None:
    with pytest.raises(DataError, match=re.escape("start must be (2, 4), k x D, got (3, 4).")):
        kmeans(np.eye(4), 2, start=np.zeros((3, 4)))


def test_the_estimator_complains_in_one_line() -> None:
    with pytest.raises(DataError, match=r"^[^\n]*contains NaN[^\n]*$"):
        KMeans(2).fit(np.full((3, 2), np.nan))
    with pytest.raises(DataError, match="3 clusters need at least 3 rows, got 2"):
        KMeans(3).fit(np.eye(2))
