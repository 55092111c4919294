"""Cross-validation: every candidate is fitted and scored on the same folds, and the best mean wins.

Formula:
    score of a candidate = (1/F) Σ_f score(fitted on all folds but f, fold f)

The folds are those of `data/splits.py`, of equal size and with the same share of each class. An estimator is made anew
for each fold and sees the training rows alone; if it is a pipeline, so do the steps that prepare the data, and nothing
of a held-out row leaks into what is scored on it.

Source: Stone, "Cross-validatory choice and assessment of statistical predictions", 1974; CS231n notes, "Image
Classification", validation sets for hyperparameter tuning.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.core.config import require
from pellucid.data.splits import Groups, repeated_k_fold
from pellucid.training.selection.candidates import (
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

# N samples, F folds x repeats

Fold = tuple[np.ndarray, np.ndarray]  # rows to train on, rows held out


def cross_validate(
    make: Make,
    grid: Grid,
    X: Samples,
    y: Any,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    score: Score = share_right,
    groups: Groups | None = None,
) -> Table:
    """Score every candidate by k-fold cross-validation, stratified by the labels.

    Args:
        make: takes the settings of a candidate by name and gives an estimator that was not fitted yet, such as
            `KNearestNeighbors`, or `lambda k: make_pipeline(Standardise(), KNearestNeighbors(k))`.
        grid: name -> values to try, or a list of settings; the simpler ones first, as the first of equals wins.
        X: (N, ...) samples, an array or a tensor.
        y: (N,) labels.
        folds: how many parts; each is held out once.
        repeats: how often the samples are dealt anew.
        seed: of the folds.
        score: (labels, predictions) -> number, larger is better.
        groups: (N,) hashable each: samples of one group are held out together (pictures of one scene, copies).

    Returns:
        A table with the scores of each candidate, one for each fold, repeat after repeat.

    Raises:
        ConfigError: the grid is empty, `make` does not take it, or there are fewer than two folds.
        DataError: labels do not match the samples, or there are too few for the folds.
    """
    X, y = require_samples(X, y)
    candidates = all_of(grid, make)
    parts = parts_of(y, folds, repeats, seed, groups)
    scores = np.empty((len(candidates), len(parts)))
    for f, (train, held_out) in enumerate(parts):
        X_train, X_held_out = X[train], X[held_out]
        for c, settings in enumerate(candidates):
            estimator = make(**settings).fit(X_train, y[train])
            scores[c, f] = scored(estimator, X_held_out, y[held_out], score)
    return table_of(candidates, scores)


def parts_of(y: np.ndarray, folds: int, repeats: int, seed: int, groups: Groups | None) -> list[Fold]:
    """The folds (rows to train on, rows held out), repeat after repeat, stratified by the labels."""
    require(folds >= 2, "folds", "at least 2", folds)
    return repeated_k_fold(len(y), folds, repeats, seed, labels=y, groups=groups)


def table_of(candidates: Sequence[Settings], scores: np.ndarray) -> Table:
    """Candidates with their scores (candidates, F)."""
    return Table(tuple(Candidate(each, tuple(row)) for each, row in zip(candidates, scores.tolist(), strict=True)))
