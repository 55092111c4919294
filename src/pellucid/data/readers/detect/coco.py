"""COCO's annotations: boxes, outlines, keypoints and crowds of the things in pictures.

Lin et al. 2014, arXiv:1405.0312; the form is described at https://cocodataset.org/#format-data. A `bbox` is the left
and top corner, width and height, counted from 0 with parts of pixels, so right = left + width. Outlines are polygons
(filled as COCO's own tools do it) or run lengths, compressed or not. Keypoints are numbers of pixels, so half a pixel
is added to reach their middle. `iscrowd` marks groups that no measure counts.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.errors import DataError, ImageError
from pellucid.data.image_file import printable
from pellucid.data.readers.detect.coco_files import CocoFile, coco_files, picture_folder, read_coco_json
from pellucid.data.readers.detect.finish import detection_source
from pellucid.data.readers.detect.pictures import Pictures, read_sizes, size_problem
from pellucid.data.readers.detect.things import Outline, Things, is_box
from pellucid.data.readers.listing import Root
from pellucid.data.source import Problem, Source
from pellucid.ops.masks.coco_fill import MOST_STEPS, coco_fill, outline_steps
from pellucid.ops.masks.rle import from_coco

MIDDLE = 0.5  # from the number of a pixel to its middle
MISSING = object()


def read_coco(path: Path, group: str = "") -> Source:
    """Pictures with the things in them, out of one or several files of annotations.

    The classes are the categories in the order of their ids, with gaps or not, shown in a picture or not. Pictures
    without annotations are pictures with nothing in them. Splits follow the names of the files, where there are several
    or a folder is given. What is broken is left out, and named in `problems`; see `docs/detection/formats.md`.

    Args:
        path: a JSON file, one with `*` in its name for several, or a folder (see `coco_files`).
        group: "folder" makes a group of each folder of pictures; "" makes none.

    Raises:
        DataError: a file cannot be read as such, two categories contradict each other, or nothing usable is left.
        ConfigError: another `group`.
    """
    problems: list[Problem] = []
    folder, files = coco_files(path, problems)
    root, pictures, things = Root(folder), Pictures(), Things(coco_fill)
    classes: dict[int, str] = {}
    contents = []
    points: tuple[str, ...] = ()
    for file in files:
        content = read_coco_json(file.path)
        points = points or _point_names(content["categories"])
        _join_categories(classes, content["categories"], file.path)
        contents.append(content)
    number = {identity: label for label, identity in enumerate(sorted(classes))}
    taken: dict[str, str] = {}
    image_ids: dict[int, int | str] = {}  # row -> id
    for file in files:
        content = contents.pop(0)  # so that one file's content is freed before the next is gone through
        rows = _read_pictures(file, content["images"], root, pictures, taken, problems)
        _read_things(file, content["annotations"], rows, number, pictures, things, problems)
        image_ids |= {row: identity for identity, row in rows.items() if row >= 0}
    names = tuple(classes[identity] for identity in sorted(classes))
    source = detection_source(path, root, pictures, things, names, group, problems)
    source.keypoints, source.category_ids = points, tuple(sorted(classes))
    source.image_ids = [image_ids[row] for row in range(len(source))]
    return source


def _join_categories(classes: dict[int, str], categories: Sequence[Any], path: Path) -> None:
    """Add the categories of one file, id -> name, to those of the others.

    Raises:
        DataError: one has no id or name, or two have one id or one name.
    """
    for i, one in enumerate(categories):
        where = f"{path}: categories[{i}]"
        if not isinstance(one, dict) or type(one.get("id")) is not int or not isinstance(one.get("name"), str):
            raise DataError(f"{where} must have a whole number as id and a name, got {printable(repr(one)[:80])}.")
        name = printable(one["name"].strip())
        if classes.get(one["id"], name) != name:
            raise DataError(
                f"{where} has the id {one['id']} of {classes[one['id']]!r}, but is {name!r}: ids are unique."
            )
        classes[one["id"]] = name
    if len(set(classes.values())) < len(classes):
        held = sorted(classes.values())
        twice = next(name for name, other in pairwise(held) if name == other)
        ids = [identity for identity, name in sorted(classes.items()) if name == twice]
        raise DataError(f"{path}: the categories {ids[0]} and {ids[1]} are both called {twice!r}: rename one of them.")
    if not classes:
        raise DataError(f"{path} has no categories: name the classes there, each with an id.")


def _point_names(categories: Sequence[Any]) -> tuple[str, ...]:
    """Names of the keypoints, of the first category that has some; mere numbers are no names."""
    for one in categories:
        names = one.get("keypoints") if isinstance(one, dict) else None
        if names and isinstance(names, list) and all(isinstance(name, str) and not name.isdecimal() for name in names):
            return tuple(printable(name) for name in names)
    return ()


def _read_pictures(
    file: CocoFile,
    images: Sequence[Any],
    root: Root,
    pictures: Pictures,
    taken: dict[str, str],
    problems: list[Problem],
) -> dict[Any, int]:
    """Add the pictures of one file, and return id -> row; -1 for those that were left out."""
    rows: dict[Any, int] = {}
    held: dict[Any, tuple[str, str, Any]] = {}  # id -> record, name in the file, entry
    for i, one in enumerate(images):
        record = f"{file.path.name} images[{i}]"
        lacking = _lacking(one)
        if lacking:
            problems.append(Problem(record, "missing-field", lacking))
            continue
        identity, name = one["id"], one["file_name"]
        if identity not in held:
            held[identity] = (record, name, one)
        elif held[identity][1] == name:
            problems.append(Problem(record, "duplicate", f"{held[identity][0]} says the same of {printable(name)}"))
        else:
            reason = f"the id {identity} is that of {held[identity][0]} too, so nobody knows whose its boxes are"
            problems += [Problem(where, "duplicate-id", reason) for where in (record, held[identity][0])]
            rows[identity] = -1
    some = [one for one in held.values() if one[2]["id"] not in rows]
    if not some:
        return rows
    base = picture_folder(root, file, [name for _, name, _ in some])
    found: list[tuple[str, Any, Path]] = []
    for record, name, one in some:
        path = root.find(f"{base}/{name}" if base and not name.startswith(("/", "\\")) else name)
        rows[one["id"]] = -1
        if path is None:
            problems.append(Problem(record, "outside-root", f"{printable(name)[:200]} leads out of {root.folder}"))
        elif (known := taken.setdefault(root.name(path), record)) != record:
            problems.append(Problem(record, "duplicate", f"{printable(name)} is {known} already"))
        else:
            found.append((record, one, path))
    for (record, one, path), size in zip(found, read_sizes([path for _, _, path in found]), strict=True):
        said = (one.get("height"), one.get("width"))
        if isinstance(size, ImageError):
            problems.append(Problem(record, size.kind, str(size)))
        elif None not in said and said != size:
            problems.append(size_problem(root.name(path), said, size, record))
        else:
            rows[one["id"]] = pictures.add(root.name(path), path, size, file.role)
    return rows


def _lacking(one: Any) -> str:
    """What an entry of `images` lacks, in words; "" if it has all."""
    if not isinstance(one, dict):
        return f"it must be an object with id and file_name, got {printable(repr(one)[:60])}"
    if type(one.get("id")) not in (int, str):
        return "it has no id"
    if not isinstance(one.get("file_name"), str) or not one["file_name"].strip():
        return "it has no file_name"
    return ""


def _read_things(
    file: CocoFile,
    annotations: Sequence[Any],
    rows: dict[Any, int],
    number: dict[int, int],
    pictures: Pictures,
    things: Things,
    problems: list[Problem],
) -> None:
    """Add the things of one file."""
    first: dict[Any, int] = {}  # id -> place of the first annotation with it
    for i, one in enumerate(annotations):
        try:
            row, label = rows[one["image_id"]], number[one["category_id"]]
            left, top, width, height = one["bbox"]
            box = (left, top, left + width, top + height)
            if not is_box(*box):
                raise ValueError
        except (KeyError, TypeError, ValueError, OverflowError):
            problems.append(_broken(file, i, one, rows, number))
            continue
        if row < 0:  # its picture is named already
            continue
        identity = one.get("id", MISSING)
        if identity is not MISSING and not isinstance(identity, (list, dict)) and first.setdefault(identity, i) != i:
            is_copy = annotations[first[identity]] == one
            reason = f"annotations[{first[identity]}] has the id {printable(repr(identity)[:40])} too"
            kept = "is the same" if is_copy else "another thing, so both are kept"
            problems.append(Problem(_record(file, i, one), "duplicate-id", f"{reason}, {kept}"))
            if is_copy:
                continue
        try:
            outline = _outline(one.get("segmentation"), pictures.sizes[row])
        except (DataError, TypeError, ValueError, OverflowError) as error:
            reason = printable(str(error))[:200].rstrip(".") or "its outline is none"
            problems.append(Problem(_record(file, i, one), "bad-outline", reason))
            continue
        area, keypoints = one.get("area"), one.get("keypoints")
        if area is not None and not (isinstance(area, (int, float)) and 0 <= area <= MOST_STEPS**2):
            reason = f"its area is {printable(repr(area)[:40])}; that of its outline or box is taken"
            problems.append(Problem(_record(file, i, one), "bad-area", reason))
            area = None
        if keypoints and (keypoints := _keypoints(keypoints)) is None:
            reason = "its keypoints must be x, y and 0, 1 or 2, again and again; they count as not marked"
            problems.append(Problem(_record(file, i, one), "bad-keypoints", reason))
        things.add(
            row,
            box,
            label,
            bool(one.get("iscrowd")),
            float("nan") if area is None else float(area),
            outline,
            () if keypoints is None else keypoints,
        )


def _record(file: CocoFile, i: int, one: Any) -> str:
    """What an annotation is called in messages."""
    identity = one.get("id") if isinstance(one, dict) else None
    told = f" (id {printable(str(identity))[:40]})" if isinstance(identity, (int, str)) else ""
    return f"{file.path.name} annotations[{i}]{told}"


def _broken(file: CocoFile, i: int, one: Any, rows: dict[Any, int], number: dict[int, int]) -> Problem:
    """What keeps an annotation from being a thing in a picture."""
    record = _record(file, i, one)
    if not isinstance(one, dict):
        return Problem(record, "missing-field", f"it must be an object, got {printable(repr(one)[:60])}")
    for key in ("image_id", "category_id", "bbox"):
        if one.get(key) is None:
            return Problem(record, "missing-field", f"it has no {key}")
    for key, known, kind in (("image_id", rows, "unknown-image"), ("category_id", number, "unknown-class")):
        value = one[key]
        if isinstance(value, (list, dict)) or value not in known:
            what = "picture" if kind == "unknown-image" else "category"
            return Problem(record, kind, f"there is no {what} with the {key} {printable(repr(value)[:40])}")
    got = printable(repr(one["bbox"])[:80])
    reason = f"its bbox must be left, top, width and height, the last two above 0, got {got}"
    return Problem(record, "bad-box", reason)


def _outline(said: Any, size: tuple[int, int]) -> Outline | None:
    """An outline as run lengths or polygons; None where nothing is said.

    Raises:
        DataError, TypeError, ValueError, OverflowError: it is none.
    """
    if not said or said == [[]]:
        return None
    if isinstance(said, dict):
        code = from_coco(said)
        if (code.height, code.width) != size:
            raise DataError(f"its mask is {code.height}x{code.width} (height x width), its picture {size[0]}x{size[1]}")
        return code
    if not isinstance(said, list):
        raise DataError(f"segmentation must be polygons or run lengths, got {repr(said)[:40]}")
    polygons = [
        np.array(polygon, dtype=np.float64).reshape(-1, 2)
        for polygon in said
        if isinstance(polygon, list) and len(polygon) >= 6 and len(polygon) % 2 == 0
    ]
    if not polygons:
        raise DataError("none of its polygons has three corners or more")
    if not all(outline_steps(polygon) <= MOST_STEPS for polygon in polygons):
        raise DataError("a corner of its outline is no place in a picture")
    return polygons


def _keypoints(said: Any) -> np.ndarray | None:
    """x, y in pixels as in boxes, and marks, one behind the other; None if these are no keypoints."""
    try:
        points = np.array(said, dtype=np.float64).reshape(-1, 3)
    except (TypeError, ValueError, OverflowError):
        return None
    marks = points[:, 2]
    if not (np.abs(points) <= 1e9).all() or not np.isin(marks, (0, 1, 2)).all():
        return None
    points[marks > 0, :2] += MIDDLE
    return points.ravel()
