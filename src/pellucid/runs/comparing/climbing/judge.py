"""Measure runs, alone and together, on the test split of their one data set, in one opening."""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.core.files import append_line
from pellucid.core.progress import Progress, Quiet
from pellucid.runs.comparing.ensemble import mean_probabilities
from pellucid.runs.evaluate import Evaluation, Part, log_opening, measure
from pellucid.runs.run import Run
from pellucid.runs.stored import folder as files


@dataclass(frozen=True)
class Judged:
    """What one answer, of a run or of several together, is worth.

    Attributes:
        validation, test: accuracies.
    """

    validation: float
    test: float


def judge(answers: Mapping[str, Sequence[Run]], folder: Path, progress: Progress) -> dict[str, Judged]:
    """Measure every answer: that of one run, or the mean of the probabilities of several.

    Each run is measured once, whatever it takes part in, and everything before anything is logged: one line in the
    `test_openings.jsonl` of `folder`, and one in that of each run, whose test split this is.

    Args:
        answers: name -> runs, finished, with their data (`splits`) at hand.
    """
    runs = {run.folder: run for each in answers.values() for run in each}
    found: dict[tuple[Path, str], Evaluation] = {}
    with progress.bar("Measuring all rungs", 2 * len(runs)) as advance:
        for role in ("val", "test"):
            for run in runs.values():
                assert run.splits is not None  # the caller brings them
                found[run.folder, role] = measure(run, Part(run.splits, role, role, is_own=True), Quiet())
                advance(len(found))
    judged = {
        name: Judged(*(_accuracy(each, found, role) for role in ("val", "test"))) for name, each in answers.items()
    }
    for run in runs.values():
        log_opening(run, found[run.folder, "test"])
    record = {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "split": next(iter(runs.values())).facts.split_hash,
        "metric": "accuracy",
        "values": {name: round(each.test, 6) for name, each in judged.items()},
    }
    append_line(folder / files.OPENINGS, json.dumps(record))
    return judged


def _accuracy(runs: Sequence[Run], found: Mapping[tuple[Path, str], Evaluation], role: str) -> float:
    each = [found[run.folder, role] for run in runs]
    if len(each) == 1:
        return float(each[0].summary["accuracy"])
    records = {**each[0].records, "probabilities": mean_probabilities(each)}
    return float(runs[0].trained.task.summarise(records, runs[0].facts)["accuracy"])


def describe(runs: Sequence[Run], epochs: int) -> dict[str, Any]:
    """What answers: its model in words, how many numbers were learned, how many epochs it took (None: fitted)."""
    trained = runs[0].trained
    n = sum(_learned(run) for run in runs)
    title = trained.cfg.title if len(runs) == 1 else f"{len(runs)} x {trained.cfg.title}"
    fitted = trained.cfg.model.model in trained.task.fitted
    return {"model": title, "parameters": n or None, "epochs": None if fitted else epochs}


def _learned(run: Run) -> int:
    net: Any = run.trained.model.net
    head = getattr(net, "head", None)
    weights = [*net.parameters()] or [getattr(head, name, None) for name in ("weight", "bias")]
    return sum(weight.numel() for weight in weights if weight is not None)
