"""Pictures and masks written as `images/` beside `masks/`, with the names of the classes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.files import write_json, write_text
from pellucid.core.progress import Progress, Quiet
from pellucid.data.source import BACKGROUND, Source
from pellucid.data.writers.names import in_memory, stem_of
from pellucid.data.writers.new_folder import new_folder, write_mask, write_picture
from pellucid.plots.palette import palette


def write_mask_folder(source: Source, folder: Path, progress: Progress | None = None) -> None:
    """Write a set with masks that lies in memory; `read_mask_folder` reads the same pixels, ids, classes and splits.

    Pictures become `images/train/17.png`, masks palette PNGs `masks/train/17.png` whose values are class ids, and the
    classes stand in `classes.txt`, line 1 naming id 0.

    Raises:
        DataError: pictures or masks lie in files already, there are none, or pictures belong to a split only in part;
            or `folder` is not empty.
        WriteError: the place cannot be written.
    """
    progress = progress or Quiet()
    images = in_memory(source)
    if not isinstance(source.masks, np.ndarray):
        raise DataError(f"{source.name}: a folder of masks needs a mask for every picture, in memory.")
    with new_folder(folder) as place, progress.bar("writing pictures and masks", len(source)) as advance:
        write_classes(place, dict(enumerate(source.classes)))
        colours = mask_colours(source.classes)
        for row, (pixels, mask) in enumerate(zip(images, source.masks, strict=True)):
            role, stem = stem_of(source, row)
            write_picture(place / "images" / role / f"{stem}.png", pixels)
            write_mask(place / "masks" / role / f"{stem}.png", mask, colours)
            advance(row + 1)


def write_classes(folder: Path, names: Mapping[int, str]) -> None:
    """Id -> name: as `classes.txt` where the ids count up from 0, else as `classes.json`."""
    if list(names) == list(range(len(names))):
        write_text(folder / "classes.txt", "".join(f"{' '.join(name.split())}\n" for name in names.values()))
    else:
        write_json(folder / "classes.json", {str(id): name for id, name in names.items()})


def mask_colours(classes: tuple[str, ...]) -> np.ndarray:
    """(K, 3) uint8: black for a class called background, for the others what drawings of masks show them in."""
    colours = palette(len(classes)).copy()
    colours[[name.lower() == BACKGROUND for name in classes]] = 0
    return colours
