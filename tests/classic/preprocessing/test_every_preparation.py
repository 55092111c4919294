"""What holds for every estimator that prepares rows: no leak from test data, and the way back."""

import pickle
import re
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_digits

from pellucid.classic.preprocessing.centre import Centre
from pellucid.classic.preprocessing.decorrelate import Decorrelate
from pellucid.classic.preprocessing.min_max import MinMax
from pellucid.classic.preprocessing.one_hot import OneHot
from pellucid.classic.preprocessing.pca import PCA
from pellucid.classic.preprocessing.standardise import Standardise
from pellucid.classic.preprocessing.whiten import Whiten
from pellucid.core.errors import DataError

NUMERIC = [
    Centre(),
    MinMax(),
    MinMax(-1, 3),
    Standardise(),
    PCA(),
    Decorrelate(),
    Whiten(),
    Whiten("zca"),
    Whiten(eps=0.1),
]
EVERY = [*NUMERIC, PCA(2), PCA(0.9), OneHot()]
names = pytest.mark.parametrize


def rows(n: int = 60, d: int = 7, seed: int = 0) -> np.ndarray:
    """Correlated, of unlike sizes, far from 0."""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) * np.geomspace(1, 50, d) + 20)


def state(estimator: BaseEstimator) -> bytes:
    return pickle.dumps(vars(estimator))


# ------------------------------------------------------------------------------------------------ leaks


def leaks(estimator: Any) -> bool:
    """Whether what was stored, or what becomes of a row, changes when test rows are transformed."""
    train, test = rows(), rows(seed=1) * 3 - 40
    if isinstance(estimator, OneHot):
        train, test = train.round(-2), train[:9].round(-2)
    estimator.fit(train)
    before, alone = state(estimator), estimator.transform(test[:1])
    together = estimator.transform(test)[:1]
    estimator.transform(test[::-1])
    return state(estimator) != before or not np.allclose(alone, together, rtol=1e-9)


class MeanOfWhatItSees(Centre):
    """The planted mistake: test rows are centred by their own mean."""

    def transform(self, X: Any) -> np.ndarray:
        return np.asarray(X - np.asarray(X).mean(axis=0))


class RemembersTestRows(Centre):
    """The planted mistake: the stored mean moves with what is transformed."""

    def transform(self, X: Any) -> np.ndarray:
        self.mean_ = (self.mean_ + np.asarray(X).mean(axis=0)) / 2
        return np.asarray(X - self.mean_)


@names("estimator", EVERY, ids=repr)
def test_statistics_come_from_fit_alone(estimator: BaseEstimator) -> None:
    assert not leaks(clone(estimator))


@names("estimator", [MeanOfWhatItSees(), RemembersTestRows()], ids=repr)
def test_the_leak_test_finds_a_leak(estimator: BaseEstimator) -> None:
    assert leaks(estimator)


# ----------------------------------------------------------------------------------- there and back, kinds


@names("estimator", NUMERIC, ids=repr)
@names("kind", [np.float32, np.float64])
def test_there_and_back(estimator: Any, kind: type) -> None:
    X = rows().astype(kind)
    there = clone(estimator).fit(X)
    out = there.transform(X)
    back = there.inverse_transform(out)
    assert out.dtype == back.dtype == kind
    np.testing.assert_allclose(back, X, atol=1e-9 if kind is np.float64 else 2e-2)


@names("estimator", NUMERIC, ids=repr)
def test_bytes_become_float32(estimator: Any) -> None:
    X = load_digits().data[:100, 18:30].astype(np.uint8)
    out = clone(estimator).fit_transform(X)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, clone(estimator).fit_transform(X.astype(np.float64)), atol=2e-3)


@names("estimator", NUMERIC, ids=repr)
def test_columns_without_variance(estimator: Any) -> None:
    X = rows()
    X[:, 2], X[:, 5] = 0.1, 0
    out = clone(estimator).fit(X).transform(X)
    assert np.isfinite(out).all()
    np.testing.assert_allclose(clone(estimator).fit(X).inverse_transform(out), X, atol=1e-9)


def test_a_constant_column_becomes_exactly_zero() -> None:
    assert (Standardise().fit_transform(np.full((1000, 2), 0.1)) == 0).all()  # though the mean of many 0.1 rounds


# -------------------------------------------------------------------------------------------- wrong input


@names("estimator", NUMERIC, ids=repr)
@names(
    ("X", "said"),
    [
        (np.full((4, 3), np.nan), "contains NaN"),
        (np.full((4, 3), np.inf), "contains infinity"),
        (np.zeros(4), "Expected 2D array, got 1D array"),
        (np.zeros((0, 3)), "Found array with 0 sample"),
        (np.zeros((3, 0)), "0 feature"),
    ],
)
def test_one_line_for_rows_that_cannot_be_used(estimator: Any, X: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=f"^[^\n]*{re.escape(said)}[^\n]*$"):
        clone(estimator).fit(X)


@names("estimator", NUMERIC, ids=repr)
def test_one_line_for_another_number_of_features(estimator: Any) -> None:
    with pytest.raises(DataError, match="X has 3 features, but .* is expecting 7 features"):
        clone(estimator).fit(rows()).transform(rows()[:, :3])
