"""Written as COCO: `annotations/instances_train.json`, and the pictures in `images/train/`.

Everything that `Objects` says is kept: boxes to the last bit of their float32, masks as compressed run lengths,
keypoints, crowds and areas; and the ids of categories and pictures, where the data has some.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.files import write_text
from pellucid.core.progress import Progress, Quiet
from pellucid.data.objects import Objects
from pellucid.data.readers.detect.coco import MIDDLE
from pellucid.data.source import Source
from pellucid.data.writers.new_folder import new_folder
from pellucid.data.writers.things import Named, copy_picture, name_files, plain, require_things, short
from pellucid.ops.masks.rle import to_coco

FIRST = 1  # where ids begin that nobody has given


def write_coco(source: Source, folder: Path, progress: Progress | None = None) -> list[str]:
    """Write a data set with things to a new folder; `read_coco` reads the same back, and so does pycocotools.

    Categories and pictures without ids are numbered from 1. Sets without splits become one file,
    `annotations/instances.json`.

    Returns:
        sentences on what could not be kept: ids that two pictures of a split share.

    Raises:
        DataError: the data does not say where its things are, or `folder` is not empty.
        WriteError: the place cannot be written.
    """
    source, things = require_things(source, "COCO")
    progress = progress or Quiet()
    files = name_files(source)
    category_ids = source.category_ids or range(FIRST, FIRST + len(source.classes))
    image_ids = _image_ids(source, files)
    with new_folder(folder) as place, progress.bar("writing pictures and annotations", len(files)) as advance:
        made: dict[str, _Made] = {}
        for done, one in enumerate(files, start=1):
            size = copy_picture(source, one.row, place / "images" / one.role / one.file)
            identity = image_ids[one.row] if image_ids else None
            made.setdefault(one.role, _Made()).add(one, size, things[one.row], category_ids, identity)
            advance(done)
        for role, content in made.items():
            name = f"instances_{role}.json" if role else "instances.json"
            named = dict(zip(category_ids, source.classes, strict=True))
            categories = _categories(named, source.keypoints, content.n_keypoints)
            text = json.dumps(
                {
                    "info": {"description": source.name},
                    "images": content.images,
                    "annotations": content.annotations,
                    "categories": categories,
                },
                ensure_ascii=False,
                allow_nan=False,
            )
            write_text(place / "annotations" / name, f"{text}\n")
    if source.image_ids is not None and image_ids is None:
        return [f"{source.name} has two pictures of one id in a split, so they are numbered anew, from 1."]
    return []


def annotation(objects: Objects, row: int, category_ids: Sequence[int]) -> dict[str, Any]:
    """One thing as an annotation, without ids of itself and its picture.

    Args:
        category_ids: of the classes.
    """
    assert objects.is_crowd is not None and objects.area is not None  # filled in by Objects
    x1, y1, x2, y2 = objects.boxes_xyxy[row]
    left, top = plain(x1), plain(y1)
    found = {
        "category_id": category_ids[int(objects.labels[row])],
        "bbox": [left, top, _extent(left, x2), _extent(top, y2)],
        "area": plain(objects.area[row]),
        "iscrowd": int(objects.is_crowd[row]),
    }
    if objects.masks is not None:
        found["segmentation"] = to_coco(objects.masks[row])
    if objects.keypoints is not None:
        points = objects.keypoints[row]  # (P, 3)
        found["keypoints"] = [value for x, y, mark in points for value in (*_place(x, y, mark), int(mark))]
        found["num_keypoints"] = int((points[:, 2] > 0).sum())
    return found


class _Made:
    """What one file of annotations will hold."""

    def __init__(self) -> None:
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []
        self.n_keypoints = 0

    def add(
        self,
        one: Named,
        size: tuple[int, int],
        objects: Objects,
        category_ids: Sequence[int],
        identity: int | str | None,
    ) -> None:
        identity = FIRST + len(self.images) if identity is None else identity
        self.images.append({"id": identity, "file_name": one.file, "height": size[0], "width": size[1]})
        self.n_keypoints = max(self.n_keypoints, 0 if objects.keypoints is None else objects.keypoints.shape[1])
        for row in range(len(objects)):
            numbered = {"id": FIRST + len(self.annotations), "image_id": identity}
            self.annotations.append({**numbered, **annotation(objects, row, category_ids)})


def _image_ids(source: Source, files: Sequence[Named]) -> Sequence[int | str] | None:
    """What the data calls its pictures; None where it does not, or where that tells two of one split not apart."""
    if source.image_ids is None:
        return None
    differ = {(one.role, source.image_ids[one.row]) for one in files}
    return source.image_ids if len(differ) == len(files) else None


def _categories(classes: dict[int, str], keypoints: Sequence[str], n_keypoints: int) -> list[dict[str, Any]]:
    """Every class with its id, and the names of its keypoints, which are numbers if nobody knows them."""
    found: list[dict[str, Any]] = [{"id": identity, "name": name} for identity, name in classes.items()]
    if n_keypoints:
        names = list(keypoints) if len(keypoints) == n_keypoints else [str(i + 1) for i in range(n_keypoints)]
        for one in found:
            one |= {"keypoints": names, "skeleton": []}
    return found


def _extent(begin: float, end: np.float32) -> int | float:
    """Width or height that, added to where the box begins as it is written, gives where it ends."""
    return short(float(end) - begin, lambda read: np.float32(begin + read) == end)


def _place(x: np.float32, y: np.float32, mark: np.float32) -> tuple[int | float, int | float]:
    """Where a keypoint is, as a number of a pixel; of those not marked, what stands there is kept, mostly 0."""
    shift = MIDDLE if mark > 0 else 0.0
    return _shifted(x, shift), _shifted(y, shift)


def _shifted(value: np.float32, shift: float) -> int | float:
    return short(float(value) - shift, lambda read: np.float32(read + shift) == value)
