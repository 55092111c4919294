"""KNearestNeighbors against scikit-learn's, by hand on ties, and on words."""

import copy
from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from pellucid.classic.neighbours.knn import METHODS, KNearestNeighbors
from pellucid.core.errors import ConfigError, DataError, DeviceError


def pixels(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten kinds of noisy rows of bytes, with their kind."""
    means = np.random.default_rng(0).integers(0, 256, (10, 30))
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 10, n)
    return np.clip(means[y] + rng.normal(0, 90, (n, 30)), 0, 255).astype(np.uint8), y


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("distance", ["l1", "l2"])
@pytest.mark.parametrize("k", [1, 5, 12])
def test_equals_scikit_learn(k: int, distance: str, weights: str) -> None:
    (X, y), (Q, _) = pixels(800, 1), pixels(200, 2)
    theirs = KNeighborsClassifier(k, metric=distance, algorithm="brute", weights=weights).fit(X.astype(float), y)
    ours = KNearestNeighbors(k, distance, ties="smallest", weights=weights).fit(X, y)
    np.testing.assert_allclose(ours.kneighbors(Q)[0], theirs.kneighbors(Q.astype(float))[0], rtol=1e-12)
    np.testing.assert_allclose(ours.predict_proba(Q), theirs.predict_proba(Q.astype(float)), atol=1e-12)
    np.testing.assert_array_equal(ours.predict(Q), theirs.predict(Q.astype(float)))


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_all_methods_give_the_same(distance: str) -> None:
    (X, y), (Q, _) = pixels(120, 3), pixels(30, 4)
    found = [KNearestNeighbors(4, distance, method=method).fit(X, y) for method in METHODS]
    for classifier in found[1:]:
        np.testing.assert_array_equal(classifier.predict(Q), found[0].predict(Q))
        for ours, theirs in zip(classifier.kneighbors(Q), found[0].kneighbors(Q), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_one_neighbour_gives_the_own_label(method: str) -> None:
    X, y = pixels(150, 5)
    assert (KNearestNeighbors(1, method=method).fit(X, y).predict(X) == y).all()


@pytest.mark.parametrize("method", METHODS)
def test_ties_of_votes_and_of_distances(method: str) -> None:
    """On a line: 2 away on the left is "b", 1 away on the right "a", and then two more."""
    X, y = np.array([[8.0], [11.0], [7.0], [13.0]]), np.array(["b", "c", "c", "b"])
    query = np.array([[10.0]])
    assert KNearestNeighbors(4, ties="nearest", method=method).fit(X, y).predict(query) == ["c"]
    assert KNearestNeighbors(4, ties="smallest", method=method).fit(X, y).predict(query) == ["b"]
    twice = np.array([[9.0], [11.0], [9.0]])
    assert KNearestNeighbors(2, method=method).fit(twice, [0, 1, 2]).kneighbors(query)[1].tolist() == [[0, 1]]


def test_the_most_probable_class_is_the_predicted_one() -> None:
    X, y = pixels(60, 6)
    for ties in ("nearest", "smallest"):
        classifier = KNearestNeighbors(4, ties=ties).fit(X, y)
        Q, _ = pixels(100, 7)
        np.testing.assert_array_equal(classifier.predict(Q), classifier.predict_proba(Q).argmax(axis=1))
        np.testing.assert_allclose(classifier.predict_proba(Q).sum(axis=1), 1, rtol=1e-12)


def test_bytes_stay_bytes() -> None:
    X, y = pixels(20, 8)
    assert KNearestNeighbors().fit(X, y).samples_.dtype == np.uint8


def test_k_of_the_question_may_differ() -> None:
    X, y = pixels(20, 8)
    distances, indices = KNearestNeighbors(3).fit(X, y).kneighbors(X[:2], k=20)
    assert distances.shape == indices.shape == (2, 20)
    assert sorted(indices[0]) == list(range(20))


def edits(a: str, b: str) -> int:
    """Edit distance by its recursive definition."""
    if not a or not b:
        return len(a) + len(b)
    return min(edits(a[1:], b) + 1, edits(a, b[1:]) + 1, edits(a[1:], b[1:]) + (a[0] != b[0]))


@pytest.mark.parametrize("kind", [list, np.array])
def test_words_by_edit_distance(kind: Any) -> None:
    words = ["cats", "cat", "cut", "house", "mouse", "hose"]
    classifier = KNearestNeighbors(3, distance=edits).fit(kind(words), ["pet"] * 3 + ["home"] * 3)
    assert classifier.predict(kind(["cot", "houses"])).tolist() == ["pet", "home"]
    assert classifier.kneighbors(["mouse"])[0].tolist() == [[0, 1, 2]]


def test_a_function_on_rows_is_the_named_distance() -> None:
    (X, y), (Q, _) = pixels(60, 9), pixels(10, 10)
    by_function = KNearestNeighbors(5, lambda a, b: np.abs(a.astype(int) - b).sum()).fit(X, y)
    np.testing.assert_array_equal(by_function.predict(Q), KNearestNeighbors(5, "l1").fit(X, y).predict(Q))
    assert by_function.n_features_in_ == 30


def test_predicting_changes_nothing() -> None:
    X, y = pixels(50, 11)
    classifier = KNearestNeighbors().fit(X, y)
    before = copy.deepcopy(classifier.__dict__)
    classifier.predict(X)
    classifier.predict_proba(X)
    assert before.keys() == classifier.__dict__.keys()
    assert all(np.array_equal(before[name], classifier.__dict__[name]) for name in before)


SIX = np.arange(12.0).reshape(6, 2)


@pytest.mark.parametrize(
    ("settings", "X", "error", "text"),
    [
        ({"k": 7}, SIX, ConfigError, "k must be a whole number from 1 to the 6 samples in memory, got 7"),
        ({"k": 0}, SIX, ConfigError, "k must be a whole number"),
        ({"distance": "l7"}, SIX, ConfigError, "Unknown distance 'l7'.*A function of two rows will do too"),
        ({"ties": "none"}, SIX, ConfigError, "ties must be 'nearest' or 'smallest', got 'none'"),
        ({"weights": 1}, SIX, ConfigError, "weights must be 'uniform' or 'distance', got 1"),
        ({"method": "quick"}, SIX, ConfigError, "method must be 'fast' or .* got 'quick'"),
        ({"device": "tpu"}, SIX, DeviceError, "tpu"),
        ({}, SIX * np.nan, DataError, "X holds NaN or infinity"),
        ({}, SIX[:, :, None], DataError, "Found array with dim 3"),
        ({"distance": edits}, [], DataError, "X must be a sequence of samples that is not empty, got list"),
        ({}, SIX[:5], DataError, "y must have one label for each of the 5 samples, got 6 labels"),
    ],
)
def test_refusals(settings: dict[str, Any], X: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        KNearestNeighbors(**settings).fit(X, [0, 1] * 3)
    assert "\n" not in str(caught.value)
