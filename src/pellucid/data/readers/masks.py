"""Pairs of picture and mask: do they fit, which values do the masks hold, and what are these called."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from pellucid.core.errors import DataError, ImageError
from pellucid.data.images import read_mask, read_size
from pellucid.data.readers.legend import IGNORE, LISTS, Legend, listed, read_legend
from pellucid.data.source import Card, Problem, Source

Item = TypeVar("Item")
Result = TypeVar("Result")

READ_AT_MOST = 2000  # masks; of more, this many are read, evenly spread, to learn which values they hold
SMEARED_FROM = 10  # different values, before a mask is suspected, and
RARE_FROM = 5  # of them that are
RARE = 0.01  # of the pixels or less
MADE_UP = 0.4  # of the pixels with rare values: in 27 smeared masks 0.49 and more, in sound ones up to 0.02
SAY_LITTLE = ("not-an-image", "no-mask", "no-image")  # kinds of problems


@dataclass(frozen=True)
class Pair:
    """One picture and its mask."""

    name: str
    image: Path
    mask: Path
    role: str = ""


@dataclass(frozen=True)
class Held:
    """What one mask holds: its values, rising, and whether JPEG or smooth resizing made most of them."""

    values: tuple[int, ...]
    smeared: bool


def segmentation_source(
    root: Path,
    pairs: Sequence[Pair],
    groups: np.ndarray | None,
    problems: list[Problem],
    usual: Legend | None = None,
) -> Source:
    """Check the pairs and name the classes. Sizes are compared by the headers; of the masks, up to 2,000 are read.

    What the values mean is read from a file in `root` (see `legend`); without one it is as `usual` for such a folder,
    and without that the ids found become `class 0`, `class 7`, and so on. 255 is "ignore", except in masks that hold
    nothing but 0 and 255, where it is the object. Splits without one pixel that counts are left out.

    Raises:
        DataError: no pair is left, there is one class only, a mask holds ids or colours that are not named, or
            values that no class list can explain.
    """
    checked = _map(check_pair, pairs)
    fits = np.array([problem is None for problem in checked], dtype=bool)
    problems += [problem for problem in checked if problem is not None]
    kept = np.flatnonzero(fits)
    sample = kept if len(kept) <= READ_AT_MOST else kept[np.linspace(0, len(kept) - 1, READ_AT_MOST).astype(int)]
    note = f" (classes by {len(sample):,} of {len(kept):,} masks)" if len(sample) < len(kept) else ""
    legend = read_legend(root) or usual
    colours = None if legend is None else legend.colours
    read = _map(lambda row: read_values(pairs[row].mask, colours), sample.tolist())
    _refuse_strange_colours([held for held in read if isinstance(held, ImageError)], len(sample))
    held = {}
    for row, values in zip(sample.tolist(), read, strict=True):
        if isinstance(values, ImageError):
            problems.append(Problem(pairs[row].name, values.kind, str(values)))
            fits[row] = False
        else:
            held[row] = values
    if not fits.any():
        raise DataError(f"{root} has no picture with a usable mask of the same name and size.{_most_common(problems)}")
    _refuse_smeared([(pairs[row].mask, one) for row, one in held.items()], legend)
    classes, mask_ids = name_classes(
        _where({str(pairs[row].mask): one.values for row, one in held.items()}),
        legend,
        str(root),
        lambda path, value: _place(Path(path), value, colours),
    )
    fits &= _counted(root, pairs, held, mask_ids, problems)
    rows = np.flatnonzero(fits).tolist()
    return Source(
        name=root.resolve().name or str(root),
        images=[pairs[row].image for row in rows],
        names=[pairs[row].name for row in rows],
        classes=classes,
        masks=[pairs[row].mask for row in rows],
        mask_ids=mask_ids,
        mask_colours=None if colours is None else dict(colours),
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
    return Problem(pair.name, "size-mismatch", f"{reason}: save both at one size")


def read_values(mask: Path, colours: Mapping[int, int] | None = None) -> Held | ImageError:
    """The different values one mask holds; or why it cannot be read."""
    try:
        ids = read_mask(mask, colours)
    except ImageError as error:
        return error
    counts = np.bincount(ids.ravel(), minlength=256)
    return Held(tuple(np.flatnonzero(counts).tolist()), _is_smeared(ids, counts))


def name_classes(
    found: Mapping[int, Sequence[str]],
    legend: Legend | None,
    where: str,
    place: Callable[[str, int], str] = lambda record, value: "",
) -> tuple[tuple[str, ...], dict[int, int] | None]:
    """Class names, and file value -> class id (255: ignored) where the values are not 0..K-1 already.

    Args:
        found: value -> the records that hold it.
        legend: what the values mean, as far as the data set says.
        place: `(record, value)` -> where in the record the value first occurs, for a message.

    Raises:
        DataError: one class only, or a value without a name.
    """
    named = None if legend is None else dict(legend.names)
    ignored = frozenset() if legend is None else legend.ignored
    is_binary = set(found) == {0, IGNORE}
    if named is not None and set(named) == {0, 1} and is_binary:
        named = {0: named[0], IGNORE: named[1]}  # two names, and masks of black and white
    if named is None:
        ids = sorted(value for value in found if value != IGNORE or is_binary)
        named = {value: f"class {value}" for value in ids}
    stray = sorted(value for value in found if value not in named and value != IGNORE and value not in ignored)
    if stray:
        raise DataError(_strays(stray, found, named, place))
    if len(named) < 2:
        got = f"only {', '.join(named.values())}" if named else f"nothing but {IGNORE} (ignore)"
        raise DataError(f"{where}: the masks hold {got}: a segmenter needs two classes or more, background included.")
    ids = sorted(named)
    if ids == list(range(len(ids))) and not ignored:
        return tuple(named[value] for value in ids), None
    mask_ids = {value: i for i, value in enumerate(ids)}
    return tuple(named[value] for value in ids), mask_ids | dict.fromkeys(sorted(ignored), IGNORE)


def _strays(
    stray: Sequence[int], found: Mapping[int, Sequence[str]], named: Mapping[int, str], place: Callable[[str, int], str]
) -> str:
    """What is said of ids without a name: which, where first, and in how many records."""
    record = found[stray[0]][0]
    here = [value for value in stray if record in found[value]]
    records = len({each for value in stray for each in found[value]})
    total = len({each for held in found.values() for each in held})
    ids = f"the id {here[0]}" if len(here) == 1 else f"the ids {listed(here)}"
    others = "" if len(stray) == len(here) else f" (all of them: {listed(stray)})"
    return (
        f"{record} holds {ids}{place(record, here[0])}, but only {listed(named)} are named; {records:,} of {total:,} "
        f"masks hold such ids{others}: name them in {' or '.join(LISTS)} (colours in classes.csv), or repair the masks "
        f"({IGNORE} = ignore)."
    )


def _where(held: Mapping[str, Sequence[int]]) -> dict[int, list[str]]:
    """Value -> the masks that hold it, of mask -> values."""
    found: dict[int, list[str]] = {}
    for mask, values in held.items():
        for value in values:
            found.setdefault(value, []).append(mask)
    return found


def _place(mask: Path, value: int, colours: Mapping[int, int] | None) -> str:
    row, column = np.argwhere(read_mask(mask, colours) == value)[0]
    return f" (first at row {row}, column {column})"


def _counted(
    root: Path,
    pairs: Sequence[Pair],
    held: Mapping[int, Held],
    mask_ids: Mapping[int, int] | None,
    problems: list[Problem],
) -> np.ndarray:
    """(N,) bool: False for the pairs of splits of which no mask, of those read, has a pixel that counts.

    Raises:
        DataError: there is no other.
    """
    ignored = {value for value, k in {IGNORE: IGNORE, **(mask_ids or {})}.items() if k == IGNORE}
    counts: dict[str, bool] = {}
    for row, one in held.items():
        counts[pairs[row].role] = counts.get(pairs[row].role, False) or not ignored.issuperset(one.values)
    if not any(counts.values()):
        raise DataError(
            f"{root}: none of the {len(held):,} masks has a pixel with a class: all is ignored ({listed(ignored)}). "
            "Draw the masks, or save them with the ids of the classes."
        )
    empty = {role for role, any_counts in counts.items() if role and not any_counts}
    for role in sorted(empty):
        n = sum(pair.role == role for pair in pairs)
        problems.append(Problem(role, "all-ignored", f"none of the {n:,} masks of {role} has a pixel with a class"))
    return np.array([pair.role not in empty for pair in pairs], dtype=bool)


def _refuse_strange_colours(errors: Sequence[ImageError], n_masks: int) -> None:
    """Raise for masks with colours that the table does not name."""
    strange = [error for error in errors if error.kind == "mask-colour"]
    if strange:
        raise DataError(f"{str(strange[0])[:-1]} ({len(strange):,} of {n_masks:,} masks hold such colours).")


def _refuse_smeared(held: Sequence[tuple[Path, Held]], legend: Legend | None) -> None:
    """Raise for masks whose values were made by smoothing, unless the legend explains them all."""
    known = set() if legend is None else {*legend.names, *legend.ignored, IGNORE}
    smeared = [(mask, one) for mask, one in held if one.smeared and not known.issuperset(one.values)]
    if smeared:
        mask, one = smeared[0]
        raise DataError(
            f"{mask} holds {len(one.values)} different values, most of them on a few scattered pixels, as JPEG and "
            f"smooth resizing leave them ({len(smeared):,} of {len(held):,} masks do): make masks anew from the "
            "annotation, as PNG, and resize them by the nearest pixel only."
        )


def _is_smeared(ids: np.ndarray, counts: np.ndarray) -> bool:
    """Whether JPEG or smooth resizing made up values: few pixels have them, alone or between those of both sides."""
    present = counts > 0
    rare = present & (counts < RARE * ids.size)
    if present.sum() < SMEARED_FROM or rare.sum() < RARE_FROM:
        return False
    padded = np.pad(ids.astype(np.int16), 1, mode="edge")
    above, below, left, right = padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]
    alone = (above != ids) & (below != ids) & (left != ids) & (right != ids)
    between = (np.sign(ids - above) * np.sign(below - ids) > 0) | (np.sign(ids - left) * np.sign(right - ids) > 0)
    return float((alone | between)[rare[ids]].mean()) > MADE_UP


def _most_common(problems: Sequence[Problem]) -> str:
    """How many problems of each kind there are, and the first of those that say the most."""
    counts = Counter(problem.kind for problem in problems).most_common()
    if not counts:
        return ""
    first = min(problems, key=lambda problem: problem.kind in SAY_LITTLE)  # min takes the first of equals
    said = f" ({', '.join(f'{count:,} {kind}' for kind, count in counts)})" * (len(problems) > 1)
    return f" The first of {len(problems):,} problems{said}: {first.record}: {first.reason}"


def _map(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """`function` of every item in a thread each; reading and decoding let other threads run."""
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(function, items))
