"""Pairs of picture and mask: do they fit, which values do the masks hold, and what are these called."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from pellucid.core.errors import DataError, ImageError
from pellucid.data.images import read_mask, read_size
from pellucid.data.source import Card, Problem, Source

Item = TypeVar("Item")
Result = TypeVar("Result")

IGNORE = 255
READ_AT_MOST = 2000  # masks; of more, this many are read, evenly spread, to learn which values they hold
NAMES = ("classes.txt", "classes.json")


@dataclass(frozen=True)
class Pair:
    """One picture and its mask."""

    name: str
    image: Path
    mask: Path
    role: str = ""


def segmentation_source(
    root: Path, pairs: Sequence[Pair], groups: np.ndarray | None, problems: list[Problem]
) -> Source:
    """Check the pairs and name the classes. Sizes are compared by the headers; of the masks, up to 2,000 are read.

    Class names come from `classes.txt` (line 1 names id 0) or `classes.json` ({"0": "road"}, or a list) in `root`;
    with neither, the ids found become `class 0`, `class 7`, and so on. 255 is "ignore", except in masks that hold
    nothing but 0 and 255, where it is the object.

    Raises:
        DataError: no pair is left, there is one class only, or a mask holds an id that the names leave out.
    """
    checked = _map(check_pair, pairs)
    fits = np.array([problem is None for problem in checked], dtype=bool)
    problems += [problem for problem in checked if problem is not None]
    kept = np.flatnonzero(fits)
    sample = kept if len(kept) <= READ_AT_MOST else kept[np.linspace(0, len(kept) - 1, READ_AT_MOST).astype(int)]
    note = f" (classes by {len(sample):,} of {len(kept):,} masks)" if len(sample) < len(kept) else ""
    values = _map(lambda row: mask_values(pairs[row].mask), sample.tolist())
    found: dict[int, str] = {}
    for row, held in zip(sample.tolist(), values, strict=True):
        if isinstance(held, ImageError):
            problems.append(Problem(pairs[row].name, held.kind, str(held)))
            fits[row] = False
        else:
            for value in held:
                found.setdefault(value, str(pairs[row].mask))
    rows = np.flatnonzero(fits).tolist()
    if not rows:
        first = f" The first of {len(problems)} problems: {problems[0].reason}" if problems else ""
        raise DataError(f"{root} has no picture with a mask of the same name and size.{first}")
    classes, mask_ids = name_classes(found, read_names(root), str(root))
    return Source(
        name=root.resolve().name or str(root),
        images=[pairs[row].image for row in rows],
        names=[pairs[row].name for row in rows],
        classes=classes,
        masks=[pairs[row].mask for row in rows],
        mask_ids=mask_ids,
        roles=np.array([pairs[row].role for row in rows], dtype="<U5"),
        groups=None if groups is None else groups[rows],
        problems=problems,
        card=Card(title=root.resolve().name, origin=f"{root}{note}"),
    )


def check_pair(pair: Pair) -> Problem | None:
    """What keeps picture and mask apart, by their headers."""
    try:
        image, mask = read_size(pair.image), read_size(pair.mask)
    except ImageError as error:
        return Problem(pair.name, error.kind, str(error))
    if image == mask:
        return None
    reason = f"the picture is {image[0]}x{image[1]} (height x width), its mask {pair.mask.name} {mask[0]}x{mask[1]}"
    return Problem(pair.name, "size-mismatch", reason)


def mask_values(mask: Path) -> list[int] | ImageError:
    """The different values one mask holds, rising; or why it cannot be read."""
    try:
        return np.flatnonzero(np.bincount(read_mask(mask).ravel(), minlength=256)).tolist()
    except ImageError as error:
        return error


def name_classes(
    found: Mapping[int, str], named: Mapping[int, str] | None, where: str
) -> tuple[tuple[str, ...], dict[int, int] | None]:
    """Class names, and file value -> class id where the values are not 0..K-1 already.

    Args:
        found: value -> a record that holds it.
        named: value -> class name, as far as the data set says.

    Raises:
        DataError: one class only, or a value without a name.
    """
    is_binary = set(found) == {0, IGNORE}
    if named is not None and set(named) == {0, 1} and IGNORE in found and 1 not in found:
        named = {0: named[0], IGNORE: named[1]}  # two names, and masks of black and white
    if named is None:
        ids = sorted(value for value in found if value != IGNORE or is_binary)
        named = {value: f"class {value}" for value in ids}
    stray = sorted(value for value in found if value not in named and value != IGNORE)
    if stray:
        raise DataError(
            f"{found[stray[0]]} holds the id {stray[0]}, but only {_listed(named)} are named: "
            f"name it in {' or '.join(NAMES)}, or repair the mask ({IGNORE} = ignore)."
        )
    if len(named) < 2:
        got = f"only {', '.join(named.values())}" if named else f"nothing but {IGNORE} (ignore)"
        raise DataError(f"{where}: the masks hold {got}: a segmenter needs two classes or more, background included.")
    ids = sorted(named)
    mask_ids = None if ids == list(range(len(ids))) else {value: i for i, value in enumerate(ids)}
    return tuple(named[value] for value in ids), mask_ids


def read_names(root: Path) -> dict[int, str] | None:
    """Value -> name from `classes.txt` or `classes.json`; None if there is neither.

    Raises:
        DataError: the file cannot be read as such, or a name occurs twice.
    """
    path = next((root / name for name in NAMES if (root / name).is_file()), None)
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".txt":
            named = dict(enumerate(line.strip() for line in text.strip().splitlines()))
        else:
            content = json.loads(text)
            pairs = enumerate(content) if isinstance(content, list) else content.items()
            named = {int(value): str(name) for value, name in pairs}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise DataError(
            f'{path} must hold one class name a line, or as JSON {{"0": "road", "1": "sky"}}; got an error: {error}.'
        ) from error
    if not named or not all(0 <= value <= IGNORE for value in named) or not all(named.values()):
        raise DataError(f"{path} must name ids from 0 to 255, each with a word, got {_listed(named)}.")
    if len(set(named.values())) < len(named):
        twice = next(name for name in named.values() if list(named.values()).count(name) > 1)
        raise DataError(f"{path} has the class name {twice!r} twice.")
    return named


def _listed(named: Mapping[int, str]) -> str:
    ids = sorted(named)
    if len(ids) > 2 and ids == list(range(ids[0], ids[-1] + 1)):
        return f"{ids[0]}..{ids[-1]}"
    return ", ".join(str(value) for value in ids) or "none"


def _map(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """`function` of every item in a thread each; reading and decoding let other threads run."""
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(function, items))
