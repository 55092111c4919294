"""Cross-validation against scikit-learn's, and against leaks."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.splits import k_fold, repeated_k_fold
from pellucid.training.selection.cross_validation import cross_validate

GRID = {"n_neighbors": [1, 4, 9], "p": [1, 2]}


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300]


def test_scores_are_those_of_scikit_learn_on_the_same_folds(digits) -> None:
    X, y = digits
    table = cross_validate(KNeighborsClassifier, GRID, X, y, folds=4, seed=3)
    search = GridSearchCV(KNeighborsClassifier(), GRID, cv=k_fold(len(X), 4, 3, y), scoring="accuracy").fit(X, y)
    assert [each.settings for each in table.candidates] == search.cv_results_["params"]
    scores = np.stack([search.cv_results_[f"split{f}_test_score"] for f in range(4)], axis=1)
    np.testing.assert_allclose([each.scores for each in table.candidates], scores, rtol=1e-12)
    np.testing.assert_allclose([each.mean for each in table.candidates], search.cv_results_["mean_test_score"])
    root = np.sqrt(4 / 3)  # scikit-learn divides by the number of folds, here it is by one less
    np.testing.assert_allclose([each.std for each in table.candidates], search.cv_results_["std_test_score"] * root)
    assert table.best.settings == search.best_params_


def test_labels_of_any_type_and_tensors_make_no_difference(digits) -> None:
    X, y = digits
    words = np.array([f"digit {label}" for label in y])
    one, two, three = (
        cross_validate(KNeighborsClassifier, {"n_neighbors": [3]}, samples, labels, folds=3)
        for samples, labels in ((X, y), (X, words), (torch.from_numpy(X), y))
    )
    assert one.candidates[0].scores == two.candidates[0].scores == three.candidates[0].scores
    assert cross_validate(KNeighborsClassifier, {}.fromkeys(["n_neighbors"], [3]), X.tolist(), y.tolist(), 3) == one


def test_repeats_deal_anew_and_the_seed_decides(digits) -> None:
    X, y = digits
    table = cross_validate(KNeighborsClassifier, {"n_neighbors": [3]}, X, y, folds=3, repeats=2, seed=5)
    oracle = cross_val_score(KNeighborsClassifier(3), X, y, cv=repeated_k_fold(len(X), 3, 2, 5, y))
    np.testing.assert_allclose(table.candidates[0].scores, oracle)
    same, other = (cross_validate(KNeighborsClassifier, {"n_neighbors": [3]}, X, y, 3, 2, seed=seed) for seed in (5, 6))
    assert table == same != other


class Recorder(ClassifierMixin, BaseEstimator):
    """Notes the rows (their first number) it is fitted on, and says 0."""

    fits: list[set[float]] = []  # noqa: RUF012 - shared on purpose: every fold makes a new estimator
    calls: list[set[float]] = []  # noqa: RUF012

    def __init__(self, c: int = 0) -> None:
        self.c = c

    def fit(self, X, y):
        self.fits.append(set(X[:, 0]))
        return self

    def predict(self, X):
        self.calls.append(set(X[:, 0]))
        return np.zeros(len(X))


def test_candidates_share_folds_and_never_see_what_they_are_scored_on() -> None:
    Recorder.fits.clear(), Recorder.calls.clear()
    X, y = np.arange(20.0)[:, None], np.arange(20) % 2
    table = cross_validate(Recorder, {"c": [0, 1]}, X, y, folds=5)
    assert len(Recorder.fits) == len(Recorder.calls) == 10
    for seen, held_out in zip(Recorder.fits, Recorder.calls, strict=True):
        assert not seen & held_out and len(seen | held_out) == 20
    assert Recorder.calls[0::2] == Recorder.calls[1::2]
    assert set.union(*Recorder.calls[0::2]) == set(range(20)) and sum(map(len, Recorder.calls[0::2])) == 20
    assert table.candidates[0].scores == (0.5,) * 5  # stratified: half of every fold is 0


class PickColumns(TransformerMixin, BaseEstimator):
    """Keeps the columns that go best with the labels: a preprocessing that learns, and so can leak."""

    def fit(self, X, y):
        centred = X - X.mean(0)
        self.columns_ = np.argsort(-np.abs(centred.T @ (y - y.mean())) / centred.std(0))[:10]
        return self

    def transform(self, X):
        return X[:, self.columns_]


def test_preprocessing_is_fitted_inside_the_fold() -> None:
    # Noise of 2,000 columns and labels at random: nothing can be learnt. Columns picked with all labels at hand
    # pretend otherwise; picked inside the folds they do not.
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 4000)), np.arange(50) % 2
    picked = PickColumns().fit(X, y).transform(X)
    leaked = cross_validate(KNeighborsClassifier, {"n_neighbors": [5]}, picked, y, repeats=4)
    honest = cross_validate(
        lambda k: make_pipeline(PickColumns(), KNeighborsClassifier(k)), {"k": [5]}, X, y, repeats=4
    )
    assert leaked.best.mean > 0.8
    assert honest.best.mean == pytest.approx(0.5, abs=0.15)


def test_a_pipeline_is_scored_like_scikit_learn_does(digits) -> None:
    X, y = digits
    table = cross_validate(
        lambda k: make_pipeline(StandardScaler(), KNeighborsClassifier(k)), {"k": [3]}, X, y, folds=3
    )
    pipeline = make_pipeline(StandardScaler(), KNeighborsClassifier(3))
    np.testing.assert_allclose(table.candidates[0].scores, cross_val_score(pipeline, X, y, cv=k_fold(len(X), 3, 0, y)))


def test_groups_are_held_out_together() -> None:
    # Each sample comes three times: unless copies stay together, 1-NN knows every answer.
    rng = np.random.default_rng(1)
    X, y = np.repeat(rng.normal(size=(40, 3)), 3, axis=0), np.repeat(rng.integers(2, size=40), 3)
    grid, groups = {"n_neighbors": [1]}, np.repeat(np.arange(40), 3)
    assert cross_validate(KNeighborsClassifier, grid, X, y).best.mean > 0.9
    assert cross_validate(KNeighborsClassifier, grid, X, y, groups=groups).best.mean < 0.8


def test_another_score(digits) -> None:
    X, y = digits
    table = cross_validate(
        KNeighborsClassifier, {"n_neighbors": [1, 150]}, X, y, score=lambda y, predicted: -np.mean(y != predicted)
    )
    assert table.best.settings == {"n_neighbors": 1} and -0.2 < table.best.mean < 0


def test_nothing_that_came_is_changed(digits) -> None:
    X, y = digits
    before = X.copy(), y.copy()
    cross_validate(KNeighborsClassifier, {"n_neighbors": [1]}, X, y)
    np.testing.assert_array_equal(before[0], X), np.testing.assert_array_equal(before[1], y)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"folds": 1}, ConfigError, "folds must be at least 2, got 1."),
        ({"repeats": 0}, ConfigError, "repeats must be at least 1, got 0."),
        ({"seed": -1}, ConfigError, "seed must be 0 or positive, got -1."),
        ({"folds": 11}, DataError, "10 records cannot fill 11 folds"),
        ({"groups": [0] * 9}, DataError, "There are 10 records but 9 groups."),
    ],
)
def test_settings_out_of_range(settings, error, said) -> None:
    with pytest.raises(error, match=said):
        cross_validate(KNeighborsClassifier, {"n_neighbors": [1]}, np.zeros((10, 1)), np.arange(10) % 2, **settings)
