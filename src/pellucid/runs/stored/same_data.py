"""The split that is stored with a run, and whether data is still, or again, what the run was trained on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.errors import DataError, RunError
from pellucid.core.facts import DataFacts
from pellucid.core.files import read_json, sha256, write_json
from pellucid.core.preprocess import Preprocess
from pellucid.data.load import load
from pellucid.data.prepare import Splits
from pellucid.data.source import ROLES, Source
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.folder import Story


def write_split(folder: Path, splits: Splits) -> None:
    """Write which record lies in which split, by name, and a checksum of their labels."""
    write_json(folder / files.SPLIT, {"digest": splits.split.digest, "labels": _labels(splits), **_names(splits)})


def read_split(folder: Path) -> dict[str, Any]:
    """Split -> names of its records; `labels` -> their checksum.

    Raises:
        RunError: `split.json` is missing or damaged.
    """
    path = folder / files.SPLIT
    stored = read_json(path)
    if not isinstance(stored, dict) or not all(isinstance(stored.get(role), list) for role in ROLES):
        raise RunError(f"{path} is damaged: it does not list the splits. Restore it from a copy.")
    return {role: stored[role] for role in ROLES} | {"labels": stored.get("labels")}


def check_same_data(folder: Path, splits: Splits) -> None:
    """Refuse data whose records are not those the run was started with.

    Raises:
        DataError: pictures were added, removed, renamed, divided or labelled otherwise since.
    """
    stored, names = read_split(folder), _names(splits)
    before = {name for role in ROLES for name in stored[role]}
    now = {name for role in ROLES for name in names[role]}
    if now != before:
        what = f"{len(now - before)} records are new, {len(before - now)} are gone"
    elif any(stored[role] != names[role] for role in ROLES):
        what = "its records fall into other splits"
    elif stored["labels"] != _labels(splits):
        what = "its records have other labels"
    else:
        return
    raise DataError(
        f"The data of {folder} has changed since it was trained: {what}. "
        "Restore the data, or name a data set to evaluate on."
    )


def taken_over(cfg: Any, facts: DataFacts) -> Preprocess | None:
    """The preprocessing that a run has from the weights it started from; None where it was measured on its own data."""
    transfer = getattr(cfg, "transfer", None)  # tasks that always start from scratch have none
    return facts.preprocess if transfer and transfer.weights else None


def same_facts(facts: DataFacts, others: DataFacts) -> bool:
    """Whether two data sets are one: the same splits, classes, counts, and pixels as far as their statistics tell.

    The name may differ, since a folder can be moved, and so may the ids that its files give the classes.
    """
    ours, theirs = (replace(each, source="", category_ids=()) for each in (facts, others))
    return ours.as_dict() == theirs.as_dict()


def is_own(folder: Path, source: Source) -> bool:
    """Whether `source` has every record of the run by name. Arrays have names like others: ask `same_facts` too."""
    if not (folder / files.SPLIT).exists():
        return False
    stored = read_split(folder)
    return {name for role in ROLES for name in stored[role]} <= set(source.names)


def reload(story: Story, folder: Path, cfg: Any) -> Source:
    """The run's own data again.

    Raises:
        RunError: the run was trained on arrays in memory.
        DataError: the data cannot be read any more.
    """
    if not story.data:
        raise RunError(f"{folder} was trained on arrays in memory, which are not stored. Pass the data again.")
    try:
        return load(story.data, group=cfg.data.group, strict=cfg.data.strict)
    except DataError as error:
        raise DataError(f"The data of {folder} cannot be read: {error} Wherever it is now, give it as DATA.") from error


def _names(splits: Splits) -> dict[str, list[str]]:
    return {role: [splits.names[row] for row in splits.split.role(role)] for role in ROLES}


def _labels(splits: Splits) -> str:
    """Checksum of the labels of every record; "" where masks are the labels."""
    labels = splits.pack.targets.get("label")
    if labels is None:
        return ""
    rows = np.concatenate([splits.split.role(role) for role in ROLES])
    return sha256(np.asarray(labels[rows], dtype="<i8").tobytes())
