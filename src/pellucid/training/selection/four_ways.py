"""Four ways to choose hyperparameters, two of them wrong, with what each believed and what was true.

1. By the score on the samples it was trained on. Wrong: a model that remembers them is perfect there (k=1).
2. By the score on the test samples. Wrong: the best of many noisy scores is too good, and nothing is left to see it by.
3. By the score on validation samples set apart; the test samples are looked at once, at the end.
4. By cross-validation; likewise.

Source: CS231n notes, "Image Classification", setting hyperparameters (ideas 1 to 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.config import require
from pellucid.core.verdict import Verdict
from pellucid.data.splits import make_split
from pellucid.training.selection.candidates import (
    Candidate,
    Grid,
    Make,
    Score,
    Settings,
    Table,
    all_of,
    require_samples,
    scored,
    share_right,
)
from pellucid.training.selection.cross_validation import cross_validate
from pellucid.training.selection.sweep import Part

TRAIN, TEST, VALIDATION, CROSS_VALIDATION = "train", "test", "train/val/test", "cross-validation"
WAYS = (TRAIN, TEST, VALIDATION, CROSS_VALIDATION)
REASONS = {
    TRAIN: "a model that remembers its training samples is perfect there, so the choice says nothing about others",
    TEST: "the test samples helped to choose, so the best score on them is too good and nothing is left to see it by",
    VALIDATION: "the choice was made on samples set apart, and the test samples were looked at once",
    CROSS_VALIDATION: "each training sample was held out once for the choice, and the test samples were looked at once",
}
CURES = {
    TRAIN: "hold samples out: choose by validation or by cross-validation",
    TEST: "choose by validation or by cross-validation, and look at the test samples once, at the end",
}


@dataclass(frozen=True)
class Way:
    """What one way of choosing led to.

    Attributes:
        name: one of `WAYS`.
        settings: of the chosen candidate.
        chosen_at: the score it was chosen for: on train, on test, on val, or the mean over the folds.
        believed: the score this way reports: the one it was chosen for in the wrong ways, the test score in the
            sound ones.
        fresh: the score on samples that no way ever saw: the truth.
        verdict: "pass", or "warn" with the reason and the cure.
        table: every candidate with the scores that were compared.
    """

    name: str
    settings: Settings
    chosen_at: float
    believed: float
    fresh: float
    verdict: Verdict
    table: Table

    @property
    def is_sound(self) -> bool:
        """Whether what it believed can be trusted."""
        return self.verdict.status == "pass"

    @property
    def reason(self) -> str:
        """Why it is sound, or is not, in words."""
        return REASONS[self.name]

    @property
    def optimism(self) -> float:
        """How much more it believed than was true."""
        return self.believed - self.fresh


def four_ways(
    make: Make,
    grid: Grid,
    train: Part,
    test: Part,
    fresh: Part,
    val_fraction: float = 0.2,
    folds: int = 5,
    seed: int = 0,
    score: Score = share_right,
) -> list[Way]:
    """Choose among the same candidates in each of the four ways.

    Whatever the way, the chosen candidate is fitted on all training samples before it is scored on test and fresh; the
    part that validates is cut out of them.

    Args:
        make: takes the settings of a candidate by name and gives an estimator that was not fitted yet.
        grid: name -> values to try, or a list of settings; the simpler ones first, as the first of equals wins.
        train: samples (N, ...) and labels (N,) to fit and, in the sound ways, to choose on.
        test: the samples that one is tempted to choose on.
        fresh: samples no way sees before the end; they show who was right.
        val_fraction: share of the training samples that validates in the third way.
        folds: of the fourth way.
        seed: of the split and of the folds.
        score: (labels, predictions) -> number, larger is better.

    Returns:
        The ways in the order of `WAYS`.

    Raises:
        ConfigError: the grid is empty, `make` does not take it, or a fraction or number of folds is out of range.
        DataError: the labels of a part do not match its samples, or there are too few.
    """
    require(0 < val_fraction < 1, "val_fraction", "between 0 and 1", val_fraction)
    candidates = all_of(grid, make)
    X, y = require_samples(*train, "train")
    seen, unseen = require_samples(*test, "test"), require_samples(*fresh, "fresh")
    fitted = [make(**settings).fit(X, y) for settings in candidates]
    on_test = [scored(each, *seen, score) for each in fitted]
    tables = {
        TRAIN: _table(candidates, [scored(each, X, y, score) for each in fitted]),
        TEST: _table(candidates, on_test),
        VALIDATION: _on_validation(make, candidates, X, y, val_fraction, seed, score),
        CROSS_VALIDATION: cross_validate(make, candidates, X, y, folds, seed=seed, score=score),
    }
    ways: list[Way] = []
    truths: dict[int, float] = {}  # ways that chose the same need not be scored twice
    for name, table in tables.items():
        best = table.best
        winner = table.candidates.index(best)
        believed = best.mean if name in CURES else on_test[winner]
        if winner not in truths:
            truths[winner] = scored(fitted[winner], *unseen, score)
        verdict = judged(name, best.name, believed)
        ways.append(Way(name, best.settings, best.mean, believed, truths[winner], verdict, table))
    return ways


def judged(way: str, chosen: str, believed: float) -> Verdict:
    """What is to be said of a score that was come by in one of the `WAYS`: "warn" for the two wrong ones.

    Args:
        way: one of `WAYS`.
        chosen: the settings in words.
        believed: the score it reports.
    """
    evidence = f"{chosen} was chosen by {way} and scores {believed:.4f}"
    if way in CURES:
        return Verdict(f"chosen-on-{way}", "warn", evidence, REASONS[way], CURES[way])
    return Verdict("chosen-soundly", "pass", evidence)


def _on_validation(
    make: Make, candidates: Sequence[Settings], X: Any, y: np.ndarray, val_fraction: float, seed: int, score: Score
) -> Table:
    split = make_split(np.unique(y, return_inverse=True)[1], [""] * len(y), None, val_fraction, 0.0, True, seed)
    learn, check = split.train, split.val
    return _table(
        candidates, [scored(make(**each).fit(X[learn], y[learn]), X[check], y[check], score) for each in candidates]
    )


def _table(candidates: Sequence[Settings], scores: Sequence[float]) -> Table:
    return Table(tuple(Candidate(each, (value,)) for each, value in zip(candidates, scores, strict=True)))
