"""`evaluate`: the numbers, and the log of every time the test split was opened."""

import datetime
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from pellucid.core.choose import choose
from pellucid.core.device import choose_precision
from pellucid.core.errors import ConfigError, DataError
from pellucid.core.files import append_line, read_lines, write_json
from pellucid.core.progress import Progress
from pellucid.core.verdict import Verdict
from pellucid.data.load import load
from pellucid.data.objects import Objects, ObjectsOnDemand
from pellucid.data.prepare import Splits
from pellucid.data.source import ROLES, Source
from pellucid.models.weights import read_weights, write_weights
from pellucid.nn.precision import device_of
from pellucid.runs.checking.why_zero import explain
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.record import Record
from pellucid.runs.stored.same_data import check_same_data, is_own, reload, same_facts, taken_over
from pellucid.runs.stored.trained import Trained
from pellucid.training.scoring import evaluate

OPENED_AGAIN = "test-opened-again"
SHOWN = 20  # names of classes in a message


@dataclass(frozen=True)
class Part:
    """What is to be measured: a split of the run's own data, or other data.

    Attributes:
        splits, role: the data, and which of its splits.
        name: "train", "val", "test", or what other data calls itself.
        is_own: whether that is a split of the run's own data.
    """

    splits: Splits
    role: Any
    name: str
    is_own: bool

    @property
    def opens_test(self) -> bool:
        """Whether to measure it is to open the test split of the run."""
        return self.is_own and self.role == "test"


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
        split: "train", "val", "test", or what other data calls itself.
        summary: metrics and tables of the task.
        records: one row a picture, as the task's `score` makes them.
        splits: the data it was measured on.
        role: the split of `splits`.
        is_own: whether that is a split of the run's own data.
        verdicts: why the number that counts is no better than chance, where it is not and a cause is seen.
    """

    split: str
    summary: dict[str, Any]
    records: dict[str, Tensor]
    splits: Splits
    role: Any
    is_own: bool
    verdicts: Sequence[Verdict] = ()

    @property
    def n_pictures(self) -> int:
        return len(self.splits.split.role(self.role))


def evaluate_run(run: Record, data: Any, split: str | None, progress: Progress) -> Evaluation:
    """Measure the best weights of a run. Every opening of its test split is logged, and warned of from the second on.

    Args:
        data: None for the run's own data, else anything `pellucid.load` takes. The run's own data given by name
            counts as its own, so that its test split is not opened unseen.
        split: which part of the run's own data; None is test.

    Raises:
        ConfigError: no such split, or one asked for of other data.
        DataError: the data changed since, has other classes, or the split is empty.
    """
    part = find_part(run, data, split, progress)
    if part.opens_test:
        warn_if_opened(run, progress)
    found = measure(run, part, progress)
    if part.opens_test:
        log_opening(run, found)
    return found


def find_part(run: Record, data: Any, split: str | None, progress: Progress) -> Part:
    """What `evaluate_run` would measure. Nothing is opened yet.

    Raises:
        ConfigError, DataError: as `evaluate_run`.
    """
    choose(split or "test", dict.fromkeys(ROLES), "split")
    if data is not None:
        source = load(data, task=run.trained.task.name)
        own = _as_own(run, source, progress)
        if own is None:
            if split is not None:
                raise ConfigError(
                    "--split is a part of the run's own data; other data is measured whole. Leave one out."
                )
            return Part(other_splits(run, source, progress), "test", source.name, is_own=False)
        progress.say(
            f"{source.name} is what {run.folder} was trained on: only its {split or 'test'} split is measured."
        )
        run.splits = own
    splits, role = own_splits(run, progress), split or "test"
    if not len(splits.split.role(role)):
        raise DataError(f"{run.folder} has no {role} records. Splits with records: {_filled(splits)}.")
    return Part(splits, role, role, is_own=True)


def _as_own(run: Record, source: Source, progress: Progress) -> Splits | None:
    """The run's splits if `source` is its own data, perhaps in another place; None if it is other data."""
    if not files.is_run(run.folder) or not is_own(run.folder, source):
        return None
    if run.config.data.group and source.groups is None:
        return None
    own = taken_over(run.config, run.facts)
    splits: Splits = run.trained.task.make_data(run.config, source, progress, own)
    return splits if same_facts(splits.facts, run.facts) else None


def stored_test(run: Record, splits: Splits) -> Evaluation | None:
    """What the last opening of the test split found, without opening it again; None when there is none.

    An evaluation of other weights than the run's present ones does not count, nor one whose records lack something.
    """
    path = run.folder / files.TEST
    if not path.exists():
        return None
    stored = read_weights(path)
    if stored.about.get("weights") != run.trained.digest:
        return None
    try:
        summary = run.trained.task.summarise(stored.tensors, run.facts)
    except KeyError:  # an older version recorded less of each picture
        return None
    why = explain(run.trained.task, run.facts, summary, stored.tensors, splits, "test")
    return Evaluation("test", {**summary, **stored.about["losses"]}, stored.tensors, splits, "test", True, why)


def measure(run: Record, part: Part, progress: Progress, trained: Trained | None = None) -> Evaluation:
    """Measure a part of the data. To open a test split is for the caller to log.

    Args:
        trained: what answers in place of the run's own model, such as the same seen through several crops.
    """
    trained = trained or run.trained
    device = device_of(trained.model)
    whole = getattr(trained.model, "whole_canvas", False)
    batches = part.splits.loader(part.role, 2 * trained.cfg.train.batch, device=device, whole_canvas=whole)
    with progress.bar(f"Evaluating on {part.name}", len(batches)) as advance:
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
    why = explain(trained.task, trained.facts, summary, records, part.splits, part.role)
    for verdict in why:
        progress.say(verdict.sentence())
        progress.event("verdict", verdict.as_dict())
    return Evaluation(part.name, summary, records, part.splits, part.role, part.is_own, why)


def own_splits(run: Record, progress: Progress) -> Splits:
    """The run's own data again, with its preprocessing and its split."""
    if run.splits is None:
        cfg = run.config
        source = reload(run.story, run.folder, cfg)
        splits: Splits = run.trained.task.make_data(cfg, source, progress, run.facts.preprocess)
        check_same_data(run.folder, splits)
        run.splits = splits
    return run.splits


def other_splits(run: Record, source: Source, progress: Progress) -> Splits:
    """Other data, all of it as one test split, seen through the run's preprocessing.

    Raises:
        DataError: it is labelled for another task, or has a class that the model does not know.
    """
    trained = run.trained
    task = trained.task.name
    carried = {"segment": ("masks", source.masks), "detect": ("boxes", source.objects)}
    what, needed = carried.get(task, ("labels", source.labels))
    if needed is None:
        raise DataError(f"{source.name} has no {what}, which the model was trained on. Give data for --task {task}.")
    if task == "detect":
        source = source.things_alone()
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
    if unknown or (source.labels is None and source.masks is not None):
        raise DataError(
            f"{source.name} has classes the model does not know ({_some(unknown or source.classes)}); the model knows "
            f"{_some(classes)}. "
            "Rename the classes, or train on this data."
        )
    places = np.array([classes.index(name) for name in source.classes])
    labels = None if source.labels is None else np.where(source.labels >= 0, places[source.labels], -1)
    things = source.objects

    def renumbered(row: int) -> Objects:
        assert things is not None
        found = things[row]
        return replace(found, labels=places[found.labels])

    objects = None if things is None else ObjectsOnDemand(renumbered, np.arange(len(source)))
    return replace(source, classes=classes, category_ids=(), labels=labels, objects=objects)


def _some(names: Sequence[str]) -> str:
    """All of them, or the first of a great many."""
    told = ", ".join(names[:SHOWN])
    return told if len(names) <= SHOWN else f"{told}, ... {len(names):,} in all"


def warn_if_opened(run: Record, progress: Progress) -> None:
    """Say, and record in `doctor.json`, that the test split was opened before."""
    opened = read_lines(run.folder / files.OPENINGS, "time", "metric", "value")
    if not opened:
        return
    first = opened[0]
    times = "once" if len(opened) == 1 else f"{len(opened)} times"
    verdict = Verdict(
        OPENED_AGAIN,
        "warn",
        f"the test split of {run.folder} was opened {times} before, first at {first['time']} "
        f"({first['metric']} {first['value']})",
        "choosing anything by a second look makes the test number too good",
        "quote the first number; compare models on the validation split (--split val)",
    )
    progress.say(verdict.sentence())
    others = [each for each in run.verdicts if each.rule != OPENED_AGAIN]
    write_json(run.folder / files.DOCTOR, [each.as_dict() for each in [*others, verdict]])


def log_opening(run: Record, found: Evaluation, how: str = "") -> None:
    """Add a line to `test_openings.jsonl` (when, with which weights, what came out), and keep what was found.

    Args:
        how: what else than the plain answers of the best weights was measured; of that no records are kept.
    """
    metric = run.trained.task.judged_by(run.config).name
    value = found.summary[metric]
    record = {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "split": run.facts.split_hash,
        "best_epoch": run.trained.about.get("best_epoch"),
        "metric": metric,
        "value": round(value, 6) if math.isfinite(value) else None,
    }
    append_line(run.folder / files.OPENINGS, json.dumps({**record, "how": how} if how else record))
    if not how:
        losses = {k: v for k, v in found.summary.items() if k.split("/")[0] == "loss" and math.isfinite(v)}
        write_weights(run.folder / files.TEST, found.records, {"losses": losses, "weights": run.trained.digest})


def _filled(splits: Splits) -> str:
    return ", ".join(f"{role} ({len(splits.split.role(role))})" for role in ROLES if len(splits.split.role(role)))
