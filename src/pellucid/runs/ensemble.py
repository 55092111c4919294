"""Several runs that answer together: the mean of their probabilities.

AlexNet's result was that of five networks, and of seven with two larger ones (Krizhevsky, Sutskever, Hinton 2012,
table 2). Networks that differ in their seed err on different pictures, and the mean errs less.

Letters: N pictures, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.core.progress import Style, make_progress
from pellucid.runs.evaluate import Evaluation, evaluate_run, own_splits
from pellucid.runs.run import Run


@dataclass(frozen=True)
class Ensemble:
    """What an ensemble found.

    Attributes:
        summary: metrics and tables of the task, of the mean probabilities.
        members: summary of each run alone, in the order they were given.
        records: probabilities (N, K), truth (N,), index (N,).
    """

    summary: dict[str, Any]
    members: tuple[dict[str, Any], ...]
    records: dict[str, Tensor]


def evaluate_ensemble(
    runs: Sequence[Run | str | Path], data: Any = None, split: str | None = None, progress: Style = "auto"
) -> Ensemble:
    """Measure runs of one task and the same classes, alone and together, on the same pictures.

    Runs of different seeds agree on the test split only where the data names one. Where the seed drew it, the test
    pictures of one run are training pictures of another, so they are refused. Every opening of a test split is
    logged in the run whose split it is.

    Args:
        runs: two or more.
        data: None for the runs' own data, else anything `pellucid.load` takes.
        split: which part of their own data; None is test.

    Raises:
        ConfigError: fewer than two runs, runs that do not classify, other classes, or other pictures.
        DataError: a run cannot be measured on this data.
    """
    if isinstance(runs, str | Path) or len(runs) < 2:
        raise ConfigError("An ensemble needs two runs or more. Train again with another --seed.")
    opened = [run if isinstance(run, Run) else Run(Path(run)) for run in runs]
    _check_classes(opened)
    _check_pictures(opened, data, split)
    shown = make_progress(progress)
    found = [evaluate_run(run, data, split, shown) for run in opened]
    records = {**found[0].records, "probabilities": mean_probabilities(found)}
    summary = opened[0].trained.task.summarise(records, opened[0].trained.facts)
    return Ensemble(summary, tuple(each.summary for each in found), records)


def mean_probabilities(found: Sequence[Evaluation]) -> Tensor:
    """(N, K): the mean over evaluations of the same pictures, each row of sum 1."""
    return torch.stack([each.records["probabilities"].float() for each in found]).mean(0)


def _check_classes(runs: Sequence[Run]) -> None:
    first = runs[0].trained.facts
    for run in runs:
        facts = run.trained.facts
        if facts.task != "classify":
            raise ConfigError(f"An ensemble is made of classifiers, but {run.folder} is a run of task {facts.task}.")
        if facts.classes != first.classes:
            raise ConfigError(
                f"Runs of an ensemble must know the same classes in the same order: {runs[0].folder} has "
                f"{', '.join(first.classes)}; {run.folder} has {', '.join(facts.classes)}."
            )


def _check_pictures(runs: Sequence[Run], data: Any, split: str | None) -> None:
    """Before anything is measured, so that a test split is not opened for nothing."""
    if data is not None:
        return
    first = _rows(runs[0], split or "test")
    for run in runs[1:]:
        if _rows(run, split or "test") != first:
            raise ConfigError(
                f"{runs[0].folder} and {run.folder} have other pictures in their {split or 'test'} splits, so one was "
                "trained on what the other is measured on. Give other data, or train on data that names its splits."
            )


def _rows(run: Run, role: str) -> list[str]:
    splits = own_splits(run, make_progress("quiet"))
    return [splits.names[row] for row in splits.split.role(role)]
