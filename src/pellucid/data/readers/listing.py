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
LONGEST_PATH = 4096
SYSTEM_FOLDERS = frozenset(("__MACOSX", "@eaDir"))  # left by archivers and file servers, full of false pictures


@dataclass(frozen=True)
class Level:
    """What lies directly in one folder: names as on disk, sorted; hidden and system entries are left out."""

    folders: list[str]
    images: list[str]


class Root:
    """The folder that the paths in a table or annotation count from, and may not leave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.real = os.path.realpath(folder)
        self._real_parents: dict[str, str] = {}

    def file(self, text: str, where: str) -> Path:
        """The real path of a cell.

        Raises:
            DataError: it leaves the folder, by `..`, as an absolute path, or through a link.
        """
        if len(text) > LONGEST_PATH or "\0" in text:
            raise DataError(f"{where}: {printable(text[:60])!r} is no path.")
        found = self.find(text)
        if found is None:
            raise DataError(
                f"{where}: {printable(text)} leads out of {self.folder}; paths of a table must stay in its folder: "
                "move the table to a folder above its pictures."
            )
        return found

    def find(self, text: str) -> Path | None:
        """The real path of what the text names below the folder, whether it is there or not; None if it lies outside.

        Nothing but links is looked at, so what lies outside is never opened.
        """
        if len(text) > LONGEST_PATH or "\0" in text:
            return None
        if os.sep == "/" and "\\" in text:  # written on Windows
            text = text.replace("\\", "/")
        parent, name = os.path.split(os.path.join(self.real, text))
        try:
            if parent not in self._real_parents:
                self._real_parents[parent] = os.path.realpath(parent)
            full = os.path.join(self._real_parents[parent], name)
            real = os.path.realpath(full) if name in ("", ".", "..") or os.path.islink(full) else full
        except ValueError:  # letters that no path can have
            return None
        return Path(full) if is_inside(real, self.real) else None

    def name(self, file: Path) -> str:
        """The name of a file below the folder, with /."""
        return printable(str(file)[len(self.real) :].lstrip(os.sep).replace(os.sep, "/"))


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
        raise DataError(
            f"{root} is empty: put the pictures of each class into a folder of its own in it, or pictures and "
            "their annotations."
        )
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
