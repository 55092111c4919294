"""What every layout has in common: the names of splits, and what a set of classes must have."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import numpy as np

from pellucid.core.errors import DataError
from pellucid.data.source import Role

SPLITS: dict[str, Role] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def role_of(name: str) -> Role | None:
    """The split a folder or cell names, in any case of letters; None if it names none."""
    return SPLITS.get(name.strip().lower())


def nearest_split(name: str) -> str:
    """The split name that `name` is probably a slip of, or ""."""
    return next(iter(get_close_matches(name.strip().lower(), SPLITS, n=1, cutoff=0.75)), "")


def unknown_split(name: str) -> str:
    """What is said of a name beside real splits that is none."""
    near = nearest_split(name)
    hint = f"Did you mean {near}?" if near else "Rename it or move it away."
    return f"{name} is no split (train, val, test). {hint}"


def require_classes(where: str, classes: Sequence[str], labels: np.ndarray) -> None:
    """Refuse what no classifier can learn from.

    Raises:
        DataError: fewer than two classes, or a class with a single picture.
    """
    if len(classes) < 2:
        got = f"only one class ({classes[0]})" if classes else "no class at all"
        raise DataError(f"{where} has {got}: a classifier needs pictures of two classes or more.")
    counts = np.bincount(labels[labels >= 0], minlength=len(classes))
    single = [name for name, count in zip(classes, counts, strict=True) if count == 1]
    if single:
        verb = "classes have" if len(single) > 1 else "class has"
        raise DataError(
            f"{where}: {len(single)} {verb} a single picture ({', '.join(single[:5])}{', ...' * (len(single) > 5)}), "
            "which leaves none to check the training with: add pictures or remove the class."
        )


def sorted_names(names: Iterable[str]) -> tuple[str, ...]:
    """Class names in order: as numbers if all of them are whole numbers, else as text."""
    unique = set(names)
    return tuple(sorted(unique, key=lambda name: (int(name), name)) if _all_whole(unique) else sorted(unique))


def _all_whole(names: Iterable[str]) -> bool:
    return all(name.isascii() and name.removeprefix("-").isdigit() for name in names)
