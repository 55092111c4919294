"""List image files below a folder, and never leave it: neither by a link nor by a path in a table."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.image_file import printable
from pellucid.data.source import Problem

# What a listing takes for a picture; what the file really is, its content says when it is opened.
EXTENSIONS = frozenset(f".{end}" for end in "jpg jpeg jpe jfif png bmp dib webp gif tif tiff ppm pgm pbm pnm".split())
SYSTEM_FOLDERS = frozenset(("__MACOSX", "@eaDir"))  # left by archivers and file servers, full of false pictures


@dataclass(frozen=True)
class Level:
    """What lies directly in one folder: names as on disk, sorted; hidden and system entries are left out."""

    folders: list[str]
    images: list[str]


def require_folder(root: Path) -> Path:
    """`root`, if it is a folder that holds anything.

    Raises:
        DataError: it is missing, no folder, empty, or cannot be listed.
    """
    if not root.exists():
        raise DataError(f"{root} does not exist: give a folder of pictures.")
    if not root.is_dir():
        raise DataError(f"{root} is no folder: give the folder that holds the pictures.")
    if not _scan(str(root)):
        raise DataError(f"{root} is empty: put the pictures of each class into a folder of its own in it.")
    return root


def look(folder: Path) -> Level:
    """What lies directly in `folder`."""
    entries = [entry for entry in _scan(str(folder)) if not _is_hidden(entry.name)]
    return Level(
        sorted(entry.name for entry in entries if entry.is_dir()),
        sorted(entry.name for entry in entries if not entry.is_dir() and _is_image(entry.name)),
    )


def image_files(folder: Path, root: Path, problems: list[Problem]) -> list[tuple[str, Path]]:
    """Name below `root` (with /) and path of every image file below `folder`, sorted by name.

    What is no picture by its name, hidden, or a link out of `root` or back to a folder above, goes to `problems`.
    """
    real_root = os.path.realpath(root)
    found: list[tuple[str, Path]] = []
    waiting: list[tuple[str, tuple[str, ...]]] = [
        (str(folder), (os.path.realpath(folder),))
    ]  # and where it and those above lie
    if not is_inside(waiting[0][1][0], real_root):
        problems.append(_outside(below(folder, root), root))
        return found
    while waiting:
        path, above = waiting.pop()
        for entry in _scan(path):
            name = below(entry.path, root)
            is_link = entry.is_symlink()
            if _is_hidden(entry.name):
                problems.append(Problem(name, "not-an-image", "a hidden file or a folder of the system"))
            elif is_link and not is_inside(os.path.realpath(entry.path), real_root):
                problems.append(_outside(name, root))
            elif entry.is_dir():
                real = os.path.realpath(entry.path) if is_link else os.path.join(above[-1], entry.name)
                if real in above:
                    problems.append(Problem(name, "link-loop", "a link back to a folder it lies in"))
                else:
                    waiting.append((entry.path, (*above, real)))
            elif _is_image(entry.name):
                found.append((name, Path(entry.path)))
            else:
                problems.append(Problem(name, "not-an-image", "its name does not end like a picture's"))
    return sorted(found, key=lambda item: item[0])


def is_inside(real_path: str, real_root: str) -> bool:
    """Whether a path lies in a folder or is it; both without links."""
    return real_path == real_root or real_path.startswith(real_root.rstrip(os.sep) + os.sep)


def parent_groups(names: Iterable[str], group: str) -> np.ndarray | None:
    """Group of each record as `group` asks: its parent folder, or None for no groups.

    Raises:
        ConfigError: `group` is neither empty nor `folder`.
    """
    if group == "":
        return None
    if group != "folder":
        raise ConfigError(
            f"group must be folder (the parent folder of each picture) for a folder of pictures, got {group!r}; "
            "other groups need a CSV with such a column."
        )
    return np.array([name.rpartition("/")[0] for name in names])


def below(path: Path | str, root: Path) -> str:
    """Printable name of a path below `root`, with /."""
    name = str(path)[len(str(root)) :].lstrip(os.sep)
    return printable(name if os.sep == "/" else name.replace(os.sep, "/"))


def _scan(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except OSError as error:
        raise DataError(f"{path} cannot be listed: {error.strerror}.") from error


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in SYSTEM_FOLDERS


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in EXTENSIONS


def _outside(name: str, root: Path) -> Problem:
    return Problem(name, "outside-root", f"a link that leads out of {root}; it was not followed")
