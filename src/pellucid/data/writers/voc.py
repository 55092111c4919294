"""Written as Pascal VOC: `Annotations/X.xml`, `JPEGImages/X.png`, `ImageSets/Main/train.txt`, and `classes.txt`.

Boxes keep every bit of their float32, though most tools write and expect whole pixels there. A crowd is written as
difficult. Masks, keypoints and areas have no place in such annotations.
"""

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from pellucid.core.files import append_line, write_text
from pellucid.core.progress import Progress, Quiet
from pellucid.data.objects import Objects
from pellucid.data.source import Source
from pellucid.data.writers.mask_folder import write_classes
from pellucid.data.writers.new_folder import new_folder
from pellucid.data.writers.things import (
    copy_picture,
    name_files,
    no_place,
    parts_lost,
    plain,
    require_things,
    short,
)

MOST_NAMED = 256  # classes that the list in a folder may name


def write_voc(source: Source, folder: Path, progress: Progress | None = None) -> list[str]:
    """Write a data set with things to a new folder; `read_voc_boxes` reads the same boxes, classes and crowds back.

    Returns:
        sentences on what could not be kept.

    Raises:
        DataError: the data does not say where its things are, or `folder` is not empty.
        WriteError: the place cannot be written.
    """
    source, things = require_things(source, "Pascal VOC")
    progress = progress or Quiet()
    files = name_files(source, is_flat=True)
    lists: dict[str, list[str]] = {}
    lost: set[str] = set()
    with new_folder(folder) as place, progress.bar("writing pictures and annotations", len(files)) as advance:
        if len(source.classes) <= MOST_NAMED:
            write_classes(place, dict(enumerate(source.classes)))
        (place / "Annotations").mkdir()
        for done, one in enumerate(files, start=1):
            size = copy_picture(source, one.row, place / "JPEGImages" / one.file)
            objects = things[one.row]
            names = [source.classes[label] for label in objects.labels.tolist()]
            text = annotation_xml(one.file, size, objects, names)
            append_line(place / "Annotations" / f"{one.stem}.xml", text)  # which does not wait for the disk each time
            lists.setdefault(one.role, []).append(one.stem)
            lost |= parts_lost(objects)
            advance(done)
        for role, stems in lists.items():
            if role:
                write_text(place / "ImageSets" / "Main" / f"{role}.txt", "".join(f"{stem}\n" for stem in stems))
        if "" in lists and len(lists) > 1:
            write_text(place / "ImageSets" / "Main" / "trainval.txt", "".join(f"{stem}\n" for stem in lists[""]))
    return no_place(lost, "Pascal VOC's boxes")


def annotation_xml(file: str, size: tuple[int, int], objects: Objects, names: Sequence[str]) -> str:
    """The annotation of one picture.

    Args:
        file: name of the picture.
        size: its height and width.
        names: class of each thing.
    """
    assert objects.is_crowd is not None  # filled in by Objects
    lines = [
        "<annotation>",
        f"  <filename>{escape(file)}</filename>",
        f"  <size><width>{size[1]}</width><height>{size[0]}</height><depth>3</depth></size>",
        "  <segmented>0</segmented>",
    ]
    for name, (x1, y1, x2, y2), is_crowd in zip(names, objects.boxes_xyxy, objects.is_crowd, strict=True):
        sides = (("xmin", _from_one(x1)), ("ymin", _from_one(y1)), ("xmax", plain(x2)), ("ymax", plain(y2)))
        corners = "".join(f"<{side}>{value}</{side}>" for side, value in sides)
        lines += [
            f"  <object><name>{escape(name)}</name><difficult>{int(is_crowd)}</difficult>",
            f"    <bndbox>{corners}</bndbox>",
            "  </object>",
        ]
    return "\n".join([*lines, "</annotation>"])


def _from_one(value: np.float32) -> int | float:
    """A left or top side, counted from 1."""
    return short(float(value) + 1, lambda read: np.float32(read - 1) == value)
