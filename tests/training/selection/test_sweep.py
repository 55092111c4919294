"""A sweep picks by validation and looks at the test once."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from pellucid.core.errors import ConfigError, DataError
from pellucid.training.selection.sweep import Part, sweep


def part(n: int, seed: int) -> Part:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    return X, (X.sum(1) > 0) ^ (rng.random(n) < 0.2)


def test_k_and_metric_are_picked_by_validation_and_then_tested() -> None:
    grid = {"n_neighbors": [15, 5, 1], "p": [1, 2]}
    train, val, test = part(200, 0), part(100, 1), part(100, 2)
    found = sweep(KNeighborsClassifier, grid, train, val, test)
    scores = {(k, p): KNeighborsClassifier(k, p=p).fit(*train).score(*val) for k in (15, 5, 1) for p in (1, 2)}
    assert [each.mean for each in found.table.candidates] == list(scores.values())
    best = max(scores, key=scores.get)  # the first of equals
    assert tuple(found.settings.values()) == best and found.val == scores[best]
    assert found.test == KNeighborsClassifier(best[0], p=best[1]).fit(*train).score(*test)
    np.testing.assert_array_equal(
        found.estimator.predict(test[0]), KNeighborsClassifier(best[0], p=best[1]).fit(*train).predict(test[0])
    )


class Says:
    """Says what it was told to, and counts how often it was asked about the test samples."""

    asked = 0

    def __init__(self, answer: int) -> None:
        self.answer = answer

    def fit(self, X, y):
        return self

    def predict(self, X):
        Says.asked += bool(X[0, 0] == 99)
        return np.full(len(X), self.answer)


def test_the_test_samples_are_looked_at_once_and_do_not_choose() -> None:
    Says.asked = 0
    X = np.zeros((4, 1))
    found = sweep(Says, {"answer": [0, 1, 2]}, (X, [0] * 4), (X, [0, 1, 1, 2]), (X + 99, [2] * 4))
    assert found.settings == {"answer": 1} and found.val == 0.5 and found.test == 0.0 and Says.asked == 1


def test_the_first_of_equals_wins() -> None:
    X = np.zeros((2, 1))
    assert sweep(Says, {"answer": [3, 1, 0]}, (X, [0, 1]), (X, [0, 1]), (X, [0, 1])).settings == {"answer": 1}


def test_wrong_input() -> None:
    good = part(10, 0)
    with pytest.raises(DataError, match="val has 10 samples but 9 labels"):
        sweep(KNeighborsClassifier, {"n_neighbors": [1]}, good, (good[0], good[1][:9]), good)
    with pytest.raises(ConfigError, match="The grid holds no candidate"):
        sweep(KNeighborsClassifier, {}, good, good, good)
    with pytest.raises(DataError, match="No candidate has a score that is a number"):
        sweep(Says, {"answer": [1]}, good, good, good, score=lambda y, predicted: float("nan"))
