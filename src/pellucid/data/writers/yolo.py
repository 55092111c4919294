"""Written as YOLO: `images/train/X.png`, `labels/train/X.txt` and `data.yaml`: boxes, outlines, or boxes and keypoints.

Numbers are shares of the picture's sides with so many digits that boxes come back to a thousandth of a millionth of a
pixel, and outlines pixel for pixel. A line holds one outline: parts and holes are joined to it by lines that are gone
both ways, which change no pixel where filling goes by the centres of pixels.
"""

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.files import append_line, write_text
from pellucid.core.progress import Progress, Quiet
from pellucid.data.objects import Objects
from pellucid.data.readers.detect.yolo_files import label_name
from pellucid.data.source import Source
from pellucid.data.writers.new_folder import new_folder
from pellucid.data.writers.things import (
    copy_picture,
    crowds_left_out,
    name_files,
    no_place,
    parts_lost,
    plain,
    require_things,
)
from pellucid.ops.masks.polygons import parts
from pellucid.ops.masks.rle import Rle, decode

PLACES = 15  # digits behind the point; for corners of outlines, which are whole pixels, fewer do
OUTLINE_PLACES = 12
Line = Callable[[Objects, int, tuple[int, int]], list[float]]  # things, which one, height and width -> shares


def write_yolo(source: Source, folder: Path, progress: Progress | None = None) -> list[str]:
    """Write the boxes: `class cx cy w h` a line. See `_write`."""
    return _write(source, folder, progress, box_shares, "YOLO's boxes")


def write_yolo_segment(source: Source, folder: Path, progress: Progress | None = None) -> list[str]:
    """Write the outlines: `class x y x y ...` a line; boxes then are those around the outlines. See `_write`."""
    return _write(source, folder, progress, outline_shares, "YOLO's outlines")


def write_yolo_pose(source: Source, folder: Path, progress: Progress | None = None) -> list[str]:
    """Write boxes and keypoints: `class cx cy w h x y mark ...` a line. See `_write`."""
    return _write(source, folder, progress, pose_shares, "YOLO's keypoints")


def box_shares(objects: Objects, row: int, size: tuple[int, int]) -> list[float]:
    """Middle, width and height of a box as shares of the sides."""
    height, width = size
    x1, y1, x2, y2 = map(plain, objects.boxes_xyxy[row])
    return [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height]


def outline_shares(objects: Objects, row: int, size: tuple[int, int]) -> list[float]:
    """Corners of a mask's outline as shares of the sides; nothing for an empty mask.

    Raises:
        DataError: there are no masks.
    """
    if objects.masks is None:
        raise DataError("These things have no masks, so there are no outlines: write them as yolo.")
    height, width = size
    return (one_ring(objects.masks[row]) / (width, height)).ravel().tolist()


def pose_shares(objects: Objects, row: int, size: tuple[int, int]) -> list[float]:
    """A box, then x, y and mark of each keypoint.

    Raises:
        DataError: there are none.
    """
    if objects.keypoints is None:
        raise DataError("These things have no keypoints: write them as yolo.")
    height, width = size
    points = objects.keypoints[row].astype(np.float64) / (width, height, 1)  # (P, 3)
    return [*box_shares(objects, row, size), *points.ravel().tolist()]


def one_ring(mask: Rle) -> np.ndarray:
    """One closed outline (V, 2) around all parts and holes of a mask, in corners of pixels.

    Each further ring is reached from the first corner of the first one, and left to it: two lines over one another.
    """
    rings = [ring for part in parts(decode(mask)) for ring in part]
    if not rings:
        return np.zeros((0, 2))
    start = rings[0][:1]
    if len(rings) == 1:
        return rings[0].astype(np.float64)
    closed = [np.concatenate([ring, ring[:1], start]) for ring in rings[1:]]
    return np.concatenate([rings[0], start, *closed]).astype(np.float64)


def _write(source: Source, folder: Path, progress: Progress | None, shares: Line, form: str) -> list[str]:
    """Write a data set with things to a new folder; `read_yolo` reads it back.

    Pictures without splits are named as train and val alike, which `read_yolo` takes for "to be divided".

    Returns:
        sentences on what could not be kept.

    Raises:
        DataError: the data does not say where its things are, lacks what the lines hold, or `folder` is not empty.
        WriteError: the place cannot be written.
    """
    source, things = require_things(source, form)
    progress = progress or Quiet()
    files = name_files(source)
    places = OUTLINE_PLACES if shares is outline_shares else PLACES
    held = ("masks",) if shares is outline_shares else ("keypoints",) if shares is pose_shares else ()
    crowds, empty, n_keypoints = 0, 0, 0
    parts_gone: set[str] = set()
    with new_folder(folder) as place, progress.bar("writing pictures and labels", len(files)) as advance:
        for done, one in enumerate(files, start=1):
            size = copy_picture(source, one.row, place / "images" / one.role / one.file)
            objects = things[one.row]
            assert objects.is_crowd is not None  # filled in by Objects
            lines = []
            for row, (label, is_crowd) in enumerate(zip(objects.labels.tolist(), objects.is_crowd, strict=True)):
                numbers = [] if is_crowd else shares(objects, row, size)
                crowds, empty = crowds + int(is_crowd), empty + int(not is_crowd and not numbers)
                if numbers:
                    lines.append(" ".join([str(label), *(_digits(value, places) for value in numbers)]))
            n_keypoints = max(n_keypoints, 0 if objects.keypoints is None else objects.keypoints.shape[1])
            label_file = place / label_name(str(PurePosixPath("images", one.role, one.stem)))
            label_file.parent.mkdir(parents=True, exist_ok=True)
            label_file.touch()  # also where nothing is in a picture: somebody has looked
            if lines:
                append_line(label_file, "\n".join(lines))  # which does not wait for the disk each time
            parts_gone |= parts_lost(objects, held)
            advance(done)
        roles = {one.role for one in files}
        write_text(place / "data.yaml", _yaml(roles, source.classes, n_keypoints if shares is pose_shares else 0))
    lost = [f"{empty:,} things with empty masks have no outline and were left out."] if empty else []
    return no_place(parts_gone, form) + crowds_left_out(crowds, form) + lost


def _yaml(roles: set[str], classes: tuple[str, ...], n_keypoints: int) -> str:
    """What classes and splits are called; text is quoted as JSON does it, which is YAML too."""
    named = [f"{role}: images/{role}" for role in ("train", "val", "test") if role in roles]
    splits = named or ["train: images", "val: images"]
    points = [f"kpt_shape: [{n_keypoints}, 3]"] if n_keypoints else []
    names = [f"  {i}: {json.dumps(name, ensure_ascii=False)}" for i, name in enumerate(classes)]
    return "\n".join([*splits, *points, "names:", *names, ""])


def _digits(value: float, places: int) -> str:
    """A number without zeros at its end."""
    return f"{value:.{places}f}".rstrip("0").rstrip(".")
