"""A sweep: fit every candidate on the training samples, pick by validation, and only then look at the test once.

Source: CS231n notes, "Image Classification", validation sets for hyperparameter tuning.
"""

from dataclasses import dataclass
from typing import Any

from pellucid.training.selection.candidates import (
    EQUAL,
    Candidate,
    Grid,
    Make,
    Samples,
    Score,
    Settings,
    Table,
    all_of,
    require_samples,
    scored,
    share_right,
)

Part = tuple[Samples, Any]  # samples (N, ...), labels (N,)


@dataclass(frozen=True)
class Sweep:
    """What was picked, and how good it is.

    Attributes:
        table: every candidate with its score on the validation samples.
        settings: those of the candidate with the best one; of equal ones the first.
        val: its score there. It was picked for it, so it is a little too good.
        test: its score on the test samples, which no other candidate ever saw; the number to report.
        estimator: the one that was picked, fitted on the training samples.
    """

    table: Table
    settings: Settings
    val: float
    test: float
    estimator: Any


def sweep(make: Make, grid: Grid, train: Part, val: Part, test: Part, score: Score = share_right) -> Sweep:
    """Choose hyperparameters on validation samples.

    Args:
        make: takes the settings of a candidate by name and gives an estimator that was not fitted yet.
        grid: name -> values to try, or a list of settings; the simpler ones first, as the first of equals wins.
        train: samples (N, ...) and labels (N,) that every candidate is fitted on.
        val: what candidates are compared on.
        test: what the winner alone is scored on, once.
        score: (labels, predictions) -> number, larger is better.

    Raises:
        ConfigError: the grid is empty, or `make` does not take it.
        DataError: the labels of a part do not match its samples.
    """
    candidates = all_of(grid, make)
    parts = {"train": train, "val": val, "test": test}
    (X, y), (X_val, y_val), (X_test, y_test) = (require_samples(*part, name) for name, part in parts.items())
    rows, best, winner = [], float("-inf"), None
    for settings in candidates:
        estimator = make(**settings).fit(X, y)
        rows.append(Candidate(settings, (scored(estimator, X_val, y_val, score),)))
        if rows[-1].mean > best + EQUAL:  # of all the fitted ones only the best is kept
            best, winner = rows[-1].mean, estimator
    table = Table(tuple(rows))
    return Sweep(table, table.best.settings, table.best.mean, scored(winner, X_test, y_test, score), winner)
