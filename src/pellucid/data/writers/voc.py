"""Written as Pascal VOC: `Annotations/X.xml`, `JPEGImages/X.png`, `ImageSets/Main/train.txt`, and `classes.txt`.

Boxes keep every bit of their float32, though most tools write and expect whole pixels there. A crowd is written as
difficult. Masks become `SegmentationObject/X.png`, in which pixels have the numbers of objects, from 1 on; it holds one
thing a pixel, so of masks that overlap the smaller has it. Keypoints and areas have no place in such annotations.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from pellucid.core.files import append_line, write_text
from pellucid.core.progress import Progress, Quiet
from pellucid.data.objects import Objects
from pellucid.data.readers.detect.voc.instances import OBJECTS
from pellucid.data.readers.legend import IGNORE
from pellucid.data.readers.voc import voc_colours
from pellucid.data.source import Source
from pellucid.data.writers.mask_folder import write_classes
from pellucid.data.writers.new_folder import new_folder, write_mask
from pellucid.data.writers.things import (
    classes_unlisted,
    copy_picture,
    name_files,
    no_place,
    parts_lost,
    plain,
    require_things,
    short,
)
from pellucid.ops.masks.rle import Rle, encode, paint

MOST_NAMED = 256  # classes that the list in a folder may name
COLOURS = np.array(voc_colours(), dtype=np.uint8)
OVERLAP = "Things overlap in {n:,} pictures, where VOC's instance masks hold one thing a pixel: the smaller one has it."


def write_voc(source: Source, folder: Path, progress: Progress | None = None) -> list[str]:
    """Write a data set with things to a new folder; `read_voc_boxes` reads the same boxes, classes, crowds, masks back.

    There are no masks if one of the things would have no pixel, or a picture has more than 254.

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
    named: set[str] = set()
    shown: list[bool | None] = []  # of each picture with masks, whether they overlap; None: there is no place for them
    with new_folder(folder) as place, progress.bar("writing pictures and annotations", len(files)) as advance:
        if len(source.classes) <= MOST_NAMED:
            write_classes(place, dict(enumerate(source.classes)))
        (place / "Annotations").mkdir()
        for done, one in enumerate(files, start=1):
            size = copy_picture(source, one.row, place / "JPEGImages" / one.file)
            objects = things[one.row]
            names = [source.classes[label] for label in objects.labels.tolist()]
            named.update(names)
            if objects.masks is not None and len(objects):
                ids, overlap = instance_ids(objects.masks, size)
                shown.append(None if ids is None else overlap)
                if ids is not None:
                    write_mask(place / OBJECTS / f"{one.stem}.png", ids, COLOURS)
            text = annotation_xml(one.file, size, objects, names)
            append_line(place / "Annotations" / f"{one.stem}.xml", text)  # which does not wait for the disk each time
            lists.setdefault(one.role, []).append(one.stem)
            lost |= parts_lost(objects, ("masks",))
            advance(done)
        for role, stems in lists.items():
            if role:
                write_text(place / "ImageSets" / "Main" / f"{role}.txt", "".join(f"{stem}\n" for stem in stems))
        if "" in lists and len(lists) > 1:
            write_text(place / "ImageSets" / "Main" / "trainval.txt", "".join(f"{stem}\n" for stem in lists[""]))
        if None in shown:
            shutil.rmtree(place / OBJECTS, ignore_errors=True)
            lost.add("masks")
    overlapping = [] if "masks" in lost or not any(shown) else [OVERLAP.format(n=sum(map(bool, shown)))]
    is_listed = len(source.classes) <= MOST_NAMED
    unlisted = (
        [] if is_listed else classes_unlisted(named, source.classes, f"No list holds more than {MOST_NAMED} classes")
    )
    return no_place(lost, "Pascal VOC's boxes") + overlapping + unlisted


def instance_ids(masks: Sequence[Rle] | np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray | None, bool]:
    """(H, W) uint8 with the number of a thing, from 1 on, in each of its pixels, and whether two things wanted one.

    The smaller lies on top. None instead, where a thing has no pixel or there are too many.
    """
    ids: np.ndarray = np.zeros(size, dtype=np.uint8)
    if len(masks) >= IGNORE:
        return None, False
    codes = [mask if isinstance(mask, Rle) else encode(mask) for mask in masks]
    for row in sorted(range(len(codes)), key=lambda row: -codes[row].area):
        paint(ids, codes[row], row + 1)
    seen = np.unique(ids[ids > 0])
    overlap = sum(code.area for code in codes) > int(np.count_nonzero(ids))
    return (ids if len(seen) == len(codes) else None), overlap


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
        f"  <segmented>{int(objects.masks is not None)}</segmented>",
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
