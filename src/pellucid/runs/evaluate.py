"""`evaluate`: the numbers, and the log of every time the test split was opened."""

import datetime
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pellucid.core.choose import choose
from pellucid.core.device import choose_precision
from pellucid.core.errors import DataError
from pellucid.core.files import append_line, read_lines, write_json
from pellucid.core.progress import Progress
from pellucid.core.verdict import Verdict
from pellucid.data.load import load
from pellucid.data.prepare import Splits
from pellucid.data.source import ROLES, Source
from pellucid.models.weights import read_weights, write_weights
from pellucid.runs import folder as files
from pellucid.runs.record import Record
from pellucid.runs.same_data import check_same_data, reload_spec
from pellucid.training.scoring import evaluate


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
        split: "train", "val", "test", or the name of other data.
        summary: metrics and tables of the task.
        records: one row a picture, as the task's `score` makes them.
        splits: the data it was measured on.
        role: the split of `splits`.
    """

    split: str
    summary: dict[str, Any]
    records: dict[str, Tensor]
    splits: Splits
    role: Any


def evaluate_run(run: Record, data: Any, split: str, progress: Progress) -> Evaluation:
    """Measure the best weights of a run.

    Args:
        data: None for the run's own data, else anything `pellucid.load` takes.
        split: which part of the run's own data.

    Raises:
        DataError: the data changed since, has other classes, or the split is empty.
    """
    choose(split, dict.fromkeys(ROLES), "split")
    own = data is None
    splits = own_splits(run, progress) if own else other_splits(run, load(data), progress)
    role: Any = split if own else "test"
    if not len(splits.split.role(role)):
        raise DataError(f"{run.folder} has no {role} records. Splits with records: {_filled(splits)}.")
    if own and split == "test":
        warn_if_opened(run, progress)
    trained = run.trained
    device = next(trained.model.parameters()).device
    batches = splits.loader(role, 2 * trained.cfg.train.batch, device=device)
    with progress.bar(f"Evaluating on {split if own else data}", len(batches)) as advance:
        summary, records = evaluate(
            trained.task,
            trained.cfg,
            trained.facts,
            trained.model,
            batches.epoch(0),
            choose_precision(trained.cfg.train.precision, torch.device(device)),
            device,
            advance,
        )
    if own and split == "test":
        log_opening(run, summary)
        losses = {k: v for k, v in summary.items() if k.split("/")[0] == "loss" and math.isfinite(v)}
        write_weights(run.folder / files.TEST, records, {"losses": losses, "weights": trained.digest})
    return Evaluation(split if own else splits.facts.source, summary, records, splits, role)


def stored_test(run: Record, splits: Splits) -> Evaluation | None:
    """What the last opening of the test split found, without opening it again; None when there is none.

    An evaluation of other weights than the run's present ones does not count.
    """
    path = run.folder / files.TEST
    if not path.exists():
        return None
    stored = read_weights(path)
    if stored.about["weights"] != run.trained.digest:
        return None
    summary = run.trained.task.summarise(stored.tensors, run.facts)
    return Evaluation("test", {**summary, **stored.about["losses"]}, stored.tensors, splits, "test")


def own_splits(run: Record, progress: Progress) -> Splits:
    """The run's own data again, with its preprocessing and its split."""
    if run.splits is not None:
        return run.splits
    cfg = run.config
    source = load(reload_spec(run.story, run.folder), group=cfg.data.group, strict=cfg.data.strict)
    splits: Splits = run.trained.task.make_data(cfg, source, progress, run.facts.preprocess)
    check_same_data(run.folder, splits)
    return splits


def other_splits(run: Record, source: Source, progress: Progress) -> Splits:
    """Other data, all of it as one test split, seen through the run's preprocessing.

    Raises:
        DataError: it has a class that the model does not know.
    """
    trained = run.trained
    known = with_classes(source, trained.facts.classes)
    splits: Splits = trained.task.make_data(trained.cfg, known, progress, trained.facts.preprocess, True)
    return splits


def with_classes(source: Source, classes: tuple[str, ...]) -> Source:
    """The same records with labels counted in the model's order of classes.

    Raises:
        DataError: a class of the data is unknown to the model, or (masks) the classes differ at all.
    """
    import numpy as np

    if source.classes == classes:
        return source
    unknown = [name for name in source.classes if name not in classes]
    if unknown or source.labels is None:
        shown = ", ".join(unknown or source.classes)
        raise DataError(
            f"{source.name} has classes the model does not know ({shown}); the model knows {', '.join(classes)}. "
            "Rename the classes, or train on this data."
        )
    places = np.array([classes.index(name) for name in source.classes])
    labels = np.where(source.labels >= 0, places[source.labels], -1)
    return Source(**{**source.__dict__, "classes": classes, "labels": labels})


def warn_if_opened(run: Record, progress: Progress) -> None:
    """Say, and record in `doctor.json`, that the test split was opened before."""
    opened = read_lines(run.folder / files.OPENINGS)
    if not opened:
        return
    first = opened[0]
    verdict = Verdict(
        "test-opened-again",
        "warn",
        f"the test split of {run.folder} was opened before ({len(opened)} x), first at {first['time']} "
        f"({first['metric']} {first['value']})",
        "choosing anything by a second look makes the test number too good",
        "quote the first number; compare models on the validation split (--split val)",
    )
    progress.say(verdict.sentence())
    write_json(run.folder / files.DOCTOR, [v.as_dict() for v in [*run.verdicts, verdict]])


def log_opening(run: Record, summary: dict[str, Any]) -> None:
    """Add a line to `test_openings.jsonl`: when, with which weights, and what came out."""
    import json

    metric = run.trained.task.metric.name
    value = summary[metric]
    record = {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "split": run.facts.split_hash,
        "best_epoch": run.trained.about.get("best_epoch"),
        "metric": metric,
        "value": round(value, 6) if math.isfinite(value) else None,
    }
    append_line(run.folder / files.OPENINGS, json.dumps(record))


def _filled(splits: Splits) -> str:
    return ", ".join(f"{role} ({len(splits.split.role(role))})" for role in ROLES if len(splits.split.role(role)))
