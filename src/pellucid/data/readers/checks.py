"""What every layout has in common: the names of splits, and the order of classes."""

from collections.abc import Iterable
from difflib import get_close_matches

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


def sorted_names(names: Iterable[str]) -> tuple[str, ...]:
    """Class names in order: as numbers if all of them are whole numbers, else as text."""
    unique = set(names)
    return tuple(sorted(unique, key=lambda name: (int(name), name)) if _all_whole(unique) else sorted(unique))


def _all_whole(names: Iterable[str]) -> bool:
    return all(name.isascii() and name.removeprefix("-").isdigit() for name in names)
