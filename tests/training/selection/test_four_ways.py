"""Four ways to choose: what they choose, what they believe, and which of them lie."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import KNeighborsClassifier

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.splits import k_fold, make_split
from pellucid.training.selection.four_ways import WAYS, Way, four_ways, judged
from pellucid.training.selection.sweep import Part

GRID = {"n_neighbors": [25, 9, 3, 1]}


def noisy(n: int, seed: int) -> Part:
    """Points on both sides of a line, one label in four wrong: k=1 learns the noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    return X, (X[:, 0] > 0) ^ (rng.random(n) < 0.25)


@pytest.fixture(scope="module")
def ways() -> dict[str, Way]:
    found = four_ways(KNeighborsClassifier, GRID, noisy(400, 0), noisy(60, 1), noisy(20_000, 2))
    assert [way.name for way in found] == list(WAYS)
    return {way.name: way for way in found}


def test_on_train_one_neighbour_is_perfect_and_wrong(ways) -> None:
    way = ways["train"]
    assert way.settings == {"n_neighbors": 1} and way.believed == way.chosen_at == 1.0  # exactly
    assert way.fresh < 0.7 and way.optimism > 0.3 and not way.is_sound


def test_on_test_the_best_score_is_believed(ways) -> None:
    way, X_test, X = ways["test"], *noisy(60, 1)[:1], noisy(400, 0)
    scores = [KNeighborsClassifier(k).fit(*X).score(X_test, noisy(60, 1)[1]) for k in GRID["n_neighbors"]]
    assert [each.mean for each in way.table.candidates] == scores
    assert way.believed == way.chosen_at == max(scores) and not way.is_sound


def test_with_a_validation_set_the_test_is_looked_at_once(ways) -> None:
    X, y = noisy(400, 0)
    split = make_split(y.astype(int), [""] * 400, None, 0.2, 0.0, True, 0)
    vals = [
        KNeighborsClassifier(k).fit(X[split.train], y[split.train]).score(X[split.val], y[split.val])
        for k in GRID["n_neighbors"]
    ]
    way = ways["train/val/test"]
    assert [each.mean for each in way.table.candidates] == vals and way.chosen_at == max(vals)
    assert way.settings == {"n_neighbors": GRID["n_neighbors"][int(np.argmax(vals))]}
    assert way.believed == KNeighborsClassifier(**way.settings).fit(X, y).score(*noisy(60, 1)) and way.is_sound


def test_with_cross_validation_too(ways) -> None:
    X, y = noisy(400, 0)
    folds = k_fold(400, 5, 0, y)
    first = [KNeighborsClassifier(25).fit(X[a], y[a]).score(X[b], y[b]) for a, b in folds]
    way = ways["cross-validation"]
    assert list(way.table.candidates[0].scores) == first
    assert way.believed == KNeighborsClassifier(**way.settings).fit(X, y).score(*noisy(60, 1)) and way.is_sound
    assert way.fresh > ways["train"].fresh + 0.05


def test_every_way_tells_the_truth_about_what_it_chose(ways) -> None:
    X, y = noisy(400, 0)
    for way in ways.values():
        assert way.fresh == KNeighborsClassifier(**way.settings).fit(X, y).score(*noisy(20_000, 2))


def test_verdicts_warn_of_the_wrong_ways_with_reason_and_cure(ways) -> None:
    assert [way.verdict.status for way in ways.values()] == ["warn", "warn", "pass", "pass"]
    assert ways["test"].verdict.rule == "chosen-on-test"
    assert "the best score on them is too good" in ways["test"].reason
    assert "look at the test samples once, at the end" in ways["test"].verdict.cure
    assert "WARN chosen-on-train: n_neighbors=1 was chosen by train and scores 1.0000" in (
        ways["train"].verdict.sentence()
    )
    assert "looked at once" in ways["cross-validation"].reason and not ways["cross-validation"].verdict.cure
    assert judged("test", "k=3", 0.9).evidence == "k=3 was chosen by test and scores 0.9000"


class Projection(ClassifierMixin, BaseEstimator):
    """Asks on which side of a plane a sample lies, and learns nothing."""

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def fit(self, X, y):
        return self

    def predict(self, X):
        return X @ np.random.default_rng(self.number).normal(size=X.shape[1]) > 0


def test_with_labels_at_random_what_is_picked_on_test_is_believed_too_good() -> None:
    # Whatever is chosen, the truth is one half. The best of 12 scores on 30 samples is above it, the score on samples
    # that did not choose is not: the mean of 60 x 30 coin flips is within 0.04 of one half (three sigma).
    optimism = {name: [] for name in WAYS}
    for seed in range(60):
        rng = np.random.default_rng([1, seed])
        train, test, fresh = ((rng.normal(size=(n, 8)), np.arange(n) % 2) for n in (60, 30, 3000))
        for way in four_ways(Projection, {"number": range(12)}, train, test, fresh, folds=3, seed=seed):
            optimism[way.name].append(way.optimism)
    means = {name: np.mean(values) for name, values in optimism.items()}
    assert means["train"] > 0.06 and means["test"] > 0.1
    assert abs(means["train/val/test"]) < 0.04 and abs(means["cross-validation"]) < 0.04


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.2])
def test_a_fraction_out_of_range(fraction) -> None:
    with pytest.raises(ConfigError, match="val_fraction must be between 0 and 1, got"):
        four_ways(KNeighborsClassifier, GRID, noisy(50, 0), noisy(9, 1), noisy(9, 2), val_fraction=fraction)


def test_labels_that_do_not_match_name_their_part() -> None:
    with pytest.raises(DataError, match="fresh has 9 samples but 8 labels; it needs one for each."):
        four_ways(KNeighborsClassifier, GRID, noisy(50, 0), noisy(9, 1), (noisy(9, 2)[0], np.zeros(8)))
