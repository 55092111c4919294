"""Several runs that answer together: the mean of their probabilities.

AlexNet's result was that of five networks, and of seven with two larger ones (Krizhevsky, Sutskever, Hinton 2012,
table 2). Networks that differ in their seed err on different pictures, and the mean errs less. Snapshots of one
training do so too, for the price of one (Huang et al. 2017, https://arxiv.org/abs/1704.00109).

Letters: N pictures, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.core.progress import Progress, Style, make_progress
from pellucid.runs.comparing.test_time import seen_through
from pellucid.runs.evaluate import Evaluation, find_part, log_opening, measure, warn_if_opened
from pellucid.runs.run import Run
from pellucid.runs.stored import folder as files

SNAPSHOTS = "snapshots"


@dataclass(frozen=True)
class Ensemble:
    """What an ensemble found.

    Attributes:
        names: of the members, as they were given.
        members: summary of each member alone.
        summary: metrics and tables of the task, of the mean probabilities.
        records: probabilities (N, K), truth (N,), index (N,).
        split: "train", "val", "test", or what other data calls itself.
    """

    names: tuple[str, ...]
    members: tuple[dict[str, Any], ...]
    summary: dict[str, Any]
    records: dict[str, Tensor]
    split: str

    def table(self) -> list[dict[str, Any]]:
        """One row a member, then the mean: name and every number that all of them have."""
        numbers = [name for name, value in self.summary.items() if isinstance(value, (int, float))]
        rows = zip((*self.names, "mean of their answers"), (*self.members, self.summary), strict=True)
        return [{"model": name, **{number: summary[number] for number in numbers}} for name, summary in rows]


def evaluate_ensemble(
    runs: Sequence[Run | str | Path],
    data: Any = None,
    split: str | None = None,
    progress: Style = "auto",
    tta: str = "none",
) -> Ensemble:
    """Measure runs of one task and the same classes, alone and together, on the same pictures.

    Runs of different seeds agree on the test split only where the data names one, or with `split_seed`. Where the seed
    drew it, the test pictures of one run are training pictures of another, so they are refused. Every opening of a test
    split is logged, once in each run folder.

    Args:
        runs: two or more; runs, their folders, or weights files, such as the snapshots in a run folder.
        data: None for the runs' own data, else anything `pellucid.load` takes.
        split: which part of their own data; None is test.
        tta: how each member looks at a picture: `none`, `mirror`, `ten`, `fifty`; see `test_time`.

    Raises:
        ConfigError: fewer than two runs, runs that do not classify, other classes, or other pictures.
        DataError: a run cannot be measured on this data.
    """
    if isinstance(runs, str | Path) or len(runs) < 2:
        raise ConfigError("An ensemble needs two runs or more. Train again with another --seed.")
    opened = [open_member(run) for run in runs]
    check_classes(opened)
    shown = make_progress(progress)
    found = measure_members(opened, data, split, shown, tta)
    records = {**found[0].records, "probabilities": mean_probabilities(found)}
    summary = opened[0].trained.task.summarise(records, opened[0].trained.facts)
    names = tuple(str(run.weights or run.folder) for run in opened)
    return Ensemble(names, tuple(each.summary for each in found), summary, records, found[0].split)


def open_member(run: Run | str | Path, device: str = "auto") -> Run:
    """A run, or the run that a snapshot belongs to, answering with that snapshot's weights."""
    if isinstance(run, Run):
        return run
    path = Path(run)
    home = path.parent.parent if path.parent.name == SNAPSHOTS else path.parent
    if path.is_file() and files.is_run(home):
        return Run(home, device, weights=path)
    return Run(path, device)


def measure_members(
    runs: Sequence[Run], data: Any, split: str | None, progress: Progress, tta: str = "none"
) -> list[Evaluation]:
    """Measure each of them on the same pictures. The test split of each run folder is opened, and logged, once.

    Raises:
        ConfigError: they have other pictures in that split.
        DataError: one cannot be measured on this data.
    """
    answering = [seen_through(run.trained, tta, str(run.folder)) for run in runs]  # refused before anything is opened
    parts = [find_part(run, data, split, progress) for run in runs]
    _check_pictures(runs, [part.is_own for part in parts], [_names(part) for part in parts], parts[0].name)
    folders: dict[Path, Run] = {}
    for run, part in zip(runs, parts, strict=True):
        if part.opens_test and run.folder not in folders:
            folders[run.folder] = run
            warn_if_opened(run, progress)
    found = [measure(run, part, progress, each) for run, part, each in zip(runs, parts, answering, strict=True)]
    for run, evaluation in zip(runs, found, strict=True):
        if folders.pop(run.folder, None) is not None:
            how = [f"weights {run.weights}"] * bool(run.weights) + [f"tta {tta}"] * (tta != "none")
            log_opening(run, evaluation, ", ".join(how))
    return found


def mean_probabilities(found: Sequence[Evaluation]) -> Tensor:
    """(N, K): the mean over evaluations of the same pictures, each row of sum 1."""
    return torch.stack([each.records["probabilities"].float() for each in found]).mean(0)


def check_classes(runs: Sequence[Run]) -> None:
    """Refuse what cannot answer together.

    Raises:
        ConfigError: a run does not classify, or knows other classes than the first.
    """
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


def _names(part: Any) -> list[str]:
    return [part.splits.names[row] for row in part.splits.split.role(part.role)]


def _check_pictures(runs: Sequence[Run], own: Sequence[bool], names: Sequence[list[str]], split: str) -> None:
    """Before anything is measured, so that a test split is not opened for nothing."""
    for run, is_own, found in zip(runs[1:], own[1:], names[1:], strict=True):
        if found != names[0] or is_own != own[0]:
            raise ConfigError(
                f"{runs[0].folder} and {run.folder} have other pictures in their {split} splits, so one was "
                "trained on what the other is measured on. Give other data, or train on data that names its splits, or "
                "with the same --split-seed."
            )
