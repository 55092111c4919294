"""One search for all k, folds and repeats gives what fitting each of them gives."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from pellucid.classic.neighbours.knn import KNearestNeighbors
from pellucid.core.errors import ConfigError, DataError
from pellucid.training.selection.cross_validation import cross_validate
from pellucid.training.selection.neighbours import cross_validate_neighbours

KS, DISTANCES = [1, 2, 5, 12], ["l2", "l1"]


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return X[:240].astype(np.uint8), y[:240]


def the_plain_way(X, y, ties="nearest", **settings):
    def make(k, distance):
        return KNearestNeighbors(k=k, distance=distance, ties=ties)

    return cross_validate(make, {"k": KS, "distance": DISTANCES}, X, y, **settings)


@pytest.mark.parametrize("ties", ["nearest", "smallest"])
@pytest.mark.parametrize("folds", [2, 5])
def test_equals_the_plain_way(digits, ties, folds) -> None:
    X, y = digits
    assert cross_validate_neighbours(KS, DISTANCES, X, y, folds, seed=4, ties=ties) == the_plain_way(
        X, y, ties, folds=folds, seed=4
    )


def test_with_repeats_and_tensors_and_words(digits) -> None:
    X, y = digits
    words = np.array([f"digit {label}" for label in y])
    fast = cross_validate_neighbours(KS, DISTANCES, torch.from_numpy(X), words, 3, repeats=2)
    assert fast == the_plain_way(X, y, folds=3, repeats=2)


def test_on_few_different_values_where_nearly_all_distances_tie() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 2, (60, 3)).astype(np.uint8), rng.integers(0, 3, 60)
    assert cross_validate_neighbours(KS, DISTANCES, X, y, 4) == the_plain_way(X, y, folds=4)


def test_floats_far_from_zero() -> None:
    rng = np.random.default_rng(1)
    X, y = rng.normal(1000, 1, (90, 7)), rng.integers(0, 3, 90)
    assert cross_validate_neighbours(KS, DISTANCES, X, y, 3) == the_plain_way(X, y, folds=3)


def test_samples_whose_nearest_all_lie_in_their_own_fold_are_searched_again() -> None:
    # Ten heaps far apart, each one group and so in one fold: the nearest of the others come only after all 30 of it.
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(10), 30)
    X, y = rng.normal(size=(300, 4)) + 100 * rng.normal(size=(10, 4))[groups], groups % 3
    fast = cross_validate_neighbours([1, 3], ["l2"], X, y, 5, groups=groups)
    plain = cross_validate(KNearestNeighbors, {"k": [1, 3], "distance": ["l2"]}, X, y, 5, groups=groups)
    assert fast == plain


def test_agrees_with_scikit_learn_at_one_neighbour(digits) -> None:
    X, y = digits
    fast = cross_validate_neighbours([1], ["l1"], X, y, 4)
    slow = cross_validate(KNeighborsClassifier, {"n_neighbors": [1], "p": [1]}, X.astype(float), y, 4)
    np.testing.assert_allclose(fast.best.scores, slow.best.scores, atol=0.02)  # equal distances, other order


def test_a_distance_of_the_users_own() -> None:
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)

    def furthest(a, b):
        return np.abs(a - b).max()

    table = cross_validate_neighbours([1, 3], ["l2", furthest], X, y, 4)
    oracle = cross_validate(KNeighborsClassifier, {"n_neighbors": [3], "metric": ["chebyshev"]}, X, y, 4)
    assert table.candidates[3].scores == oracle.best.scores
    assert table.candidates[3].name == "k=3, distance=furthest"


@pytest.mark.parametrize(
    ("ks", "distances", "error", "said"),
    [
        ([0], ["l2"], ConfigError, "k must be a whole number of at least 1, got 0."),
        ([1.5], ["l2"], ConfigError, "k must be a whole number of at least 1, got 1.5."),
        ([1, 33], ["l2"], DataError, "k=33 neighbours need as many samples to train on, but a fold leaves 32."),
        ([1], ["l3"], ConfigError, "Unknown distance 'l3'"),
        ([], ["l2"], ConfigError, "The grid holds no candidate"),
    ],
)
def test_wrong_input(ks, distances, error, said) -> None:
    with pytest.raises(error, match=said):
        cross_validate_neighbours(ks, distances, np.zeros((40, 2)), np.arange(40) % 2)


def test_the_largest_k_a_fold_allows() -> None:
    X, y = np.arange(40.0)[:, None], np.arange(40) % 2
    assert cross_validate_neighbours([32], ["l2"], X, y).best.std >= 0
