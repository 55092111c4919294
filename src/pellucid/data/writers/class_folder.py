"""Labelled pictures written as folders whose names are the classes: `train/cat/1.png` or `cat/1.png`."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.progress import Progress, Quiet
from pellucid.data.source import Source
from pellucid.data.writers.names import in_memory, stem_of
from pellucid.data.writers.new_folder import new_folder, write_picture

NO_FOLDER = re.compile(r'[/\\:*?"<>|\x00-\x1f]+')  # what some system does not allow in a name


def write_class_folder(source: Source, folder: Path, progress: Progress | None = None) -> None:
    """Write a labelled set that lies in memory, one PNG a picture; `read_class_folder` reads the same pixels.

    The order of the classes is lost: whoever reads such folders sorts their names. Names that no folder can have are
    written with "-" in place of what is not allowed.

    Raises:
        DataError: pictures lie in files already, have no class, or belong to a split only in part; the names of two
            classes become the same; or `folder` is not empty.
        WriteError: the place cannot be written.
    """
    progress = progress or Quiet()
    images = in_memory(source)
    if source.labels is None or (source.labels < 0).any():
        raise DataError(f"{source.name}: class folders need a class for every picture.")
    names = folder_names(source.classes)
    with new_folder(folder) as place, progress.bar("writing pictures", len(source)) as advance:
        for row, (pixels, label) in enumerate(zip(images, source.labels.tolist(), strict=True)):
            role, stem = stem_of(source, row)
            write_picture(place / role / names[label] / f"{stem}.png", pixels)
            advance(row + 1)


def folder_names(classes: Sequence[str]) -> list[str]:
    """Classes as names of folders.

    Raises:
        DataError: two become the same, or one cannot be a folder.
    """
    names = [NO_FOLDER.sub("-", " ".join(name.split())).strip(" .") for name in classes]
    twice = [i for i, name in enumerate(names) if not name or name.lower() in (one.lower() for one in names[:i])]
    if twice:
        raise DataError(
            f"The class {classes[twice[0]]!r} cannot have a folder of its own: its name would be {names[twice[0]]!r}. "
            "Rename the class."
        )
    return names


def cut_out(image: np.ndarray, box_xyxy: Sequence[float], margin: float = 0.1) -> np.ndarray:
    """What a box shows, with some of what is around it: a part of (H, W, ...) as it is.

    Args:
        margin: how much more on each side, as a share of the box; less at the border of the picture.
    """
    left, top, right, bottom = box_xyxy
    across, down = margin * (right - left), margin * (bottom - top)
    rows = slice(max(0, round(top - down)), max(1, min(image.shape[0], round(bottom + down))))
    columns = slice(max(0, round(left - across)), max(1, min(image.shape[1], round(right + across))))
    return image[rows, columns]
