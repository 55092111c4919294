"""What every writer of boxes begins with: names of files, the things, the pictures themselves, and short numbers."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from pellucid.core.errors import DataError
from pellucid.data.image_file import printable
from pellucid.data.images import read_size
from pellucid.data.objects import Objects
from pellucid.data.readers.checks import role_of, sorted_names
from pellucid.data.readers.listing import EXTENSIONS
from pellucid.data.source import ROLES, Source
from pellucid.data.writers.new_folder import write_picture

PICTURE_FOLDERS = ("images", "jpegimages", "data")  # which say nothing of a picture, as folders of splits
DIGITS = (0, 2, 4, 6, 9)


@dataclass(frozen=True)
class Named:
    """One record and what its files are called: row in the source, split, name without and with its ending."""

    row: int
    role: str
    stem: str
    file: str


def name_files(source: Source, is_flat: bool = False) -> list[Named]:
    """Names of the files of every record, in the order of the splits.

    Names keep the folders they are in, but for those of splits and pictures; where two would be the same, the later one
    gets a number.

    Args:
        is_flat: names without folders, which differ over all splits.
    """
    taken: set[tuple[str, str]] = set()
    found = []
    roles = np.asarray(source.roles).tolist()
    for role in (*ROLES, ""):
        for row in (row for row, each in enumerate(roles) if each == role):
            path = PurePosixPath(source.names[row].replace("\\", "/"))
            parts = [part for part in path.parts if part not in ("/", "..", ".")] or [str(row)]
            while len(parts) > 1 and (parts[0].lower() in PICTURE_FOLDERS or role_of(parts[0].rstrip("0123456789"))):
                parts = parts[1:]
            ending = PurePosixPath(parts[-1]).suffix
            parts[-1] = parts[-1].removesuffix(ending) if ending.lower() in EXTENSIONS else parts[-1]
            ending = ".png" if isinstance(source.images, np.ndarray) else ending.lower()
            stem = ("_" if is_flat else "/").join(parts)
            within = "" if is_flat else role
            if is_flat and ("", stem.lower()) in taken and role:
                stem = f"{role}_{stem}"
            first, number = stem, 2
            while (within, stem.lower()) in taken:
                stem, number = f"{first}_{number}", number + 1
            taken.add((within, stem.lower()))
            found.append(Named(row, role, stem, f"{stem}{ending}"))
    return found


def require_things(source: Source, form: str) -> tuple[Source, Sequence[Objects]]:
    """The pictures with their things alone, and the things of each.

    Names of classes are as readers will give them: in one line, and without letters that no text can show.

    Raises:
        DataError: the data does not say where its things are.
    """
    source = source.things_alone()
    things = source.objects
    if things is None:
        raise DataError(f"{source.name} does not say where its things are, so it cannot be written as {form}.")
    names = tuple(printable(" ".join(name.split())) for name in source.classes)
    source = source if names == source.classes else replace(source, classes=names)
    return source, things


def copy_picture(source: Source, row: int, path: Path) -> tuple[int, int]:
    """Put a picture there, the bytes of its file as they are, or as PNG; returns height and width.

    Raises:
        ImageError: its file cannot be used any more.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source.images, np.ndarray):
        pixels = source.images[row]
        write_picture(path, pixels)
        return pixels.shape[0], pixels.shape[1]
    size = read_size(Path(source.images[row]))
    shutil.copyfile(source.images[row], path)
    return size


def short(value: float, is_same: Callable[[float], bool]) -> int | float:
    """The number with the fewest digits that still is the same for whoever reads it."""
    for digits in DIGITS:
        rounded = round(value, digits)
        if is_same(rounded):
            return int(rounded) if digits == 0 else rounded
    return value


def plain(value: np.float32) -> int | float:
    """A float32 with the fewest digits."""
    return short(float(value), lambda read: np.float32(read) == value)


def parts_lost(things: Objects, held: Sequence[str] = ()) -> set[str]:
    """Words for what these things have and a form that holds boxes, and `held`, does not."""
    has = {"masks": things.masks is not None, "keypoints": things.keypoints is not None}
    return {word for word, is_there in has.items() if is_there and word not in held}


def no_place(lost: set[str], form: str) -> list[str]:
    """What is said of parts that a form has no place for."""
    return [f"{form} have no place for {' and '.join(sorted(lost))}."] if lost else []


def crowds_left_out(n: int, form: str) -> list[str]:
    """What is said of crowds that a form has no word for."""
    were = "One crowd was" if n == 1 else f"{n:,} crowds were"
    return [f"{were} left out, as if nothing were there: {form} have no word for them."] if n else []


def classes_unlisted(shown: Iterable[str], classes: Sequence[str], why: str) -> list[str]:
    """What is said of classes that are read back from the things alone, where these become others or their order."""
    return [] if sorted_names(shown) == tuple(classes) else [f"{why}: those that occur come back, sorted."]
