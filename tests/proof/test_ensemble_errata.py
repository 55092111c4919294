"""AdaBoost of the errata against scikit-learn's, and how the mean of independent models differs from it."""

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

from pellucid.proof.errata.regularisation import (
    INSIDE,
    POINTS,
    ROUNDS,
    adaboost,
    best_stump,
    mean_of_independents,
    says,
)


def test_votes_and_answers_are_those_of_scikit_learn() -> None:
    theirs = AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=ROUNDS).fit(POINTS[:, None], INSIDE)
    ours = adaboost(POINTS, INSIDE)
    assert [2 * vote for vote, _ in ours] == pytest.approx(theirs.estimator_weights_)  # theirs are ln((1 - e) / e)
    score = np.sum([vote * says(stump, POINTS) for vote, stump in ours], axis=0)
    assert np.array_equal(np.sign(score), theirs.predict(POINTS[:, None]))


def test_each_round_weighs_what_the_last_one_got_wrong() -> None:
    """After a round its own stump errs on exactly half of the weight: Freund & Schapire 1997."""
    weight = np.full(60, 1 / 60)
    for vote, stump in adaboost(POINTS, INSIDE)[:10]:
        right = says(stump, POINTS) == INSIDE
        weight = weight * np.exp(np.where(right, -vote, vote))
        weight = weight / weight.sum()
        assert weight[~right].sum() == pytest.approx(0.5)


def test_independent_models_are_all_of_a_kind() -> None:
    """Each sees nearly the same data, none hears of the others' errors, so all make the same ones."""
    committee = mean_of_independents(POINTS, INSIDE)
    assert {vote for vote, _ in committee} == {1 / ROUNDS}
    errors = [np.mean(says(stump, POINTS) != INSIDE) for _, stump in committee]
    assert min(errors) >= 0.2
    best = best_stump(POINTS, INSIDE, np.full(60, 1 / 60))
    assert np.mean(says(best, POINTS) != INSIDE) == pytest.approx(0.2)
