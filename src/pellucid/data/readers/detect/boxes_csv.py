"""A table with one thing a row: `path,x1,y1,x2,y2,class[,crowd][,split][,group]`; without a box: nothing is there.

Corners count from 0, x2 and y2 lie behind the last pixel: the numbers are those of `Objects.boxes_xyxy`.
"""

import csv
import io
from collections.abc import Iterator
from os.path import isfile  # unlike Path's, it is False for impossible names
from pathlib import Path

import numpy as np

from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError, DataError, ImageError
from pellucid.data.image_file import printable
from pellucid.data.readers.checks import role_of, sorted_names, unknown_split
from pellucid.data.readers.csv_table import table_text
from pellucid.data.readers.detect.finish import detection_source
from pellucid.data.readers.detect.pictures import Pictures, read_sizes
from pellucid.data.readers.detect.things import Things, fill_by_centres, is_box
from pellucid.data.readers.listing import Root
from pellucid.data.source import Problem, Source

COLUMNS = {  # what a column is for -> the names it may have
    "path": ("path", "file", "filename", "file_name", "filepath", "image", "image_path"),
    "x1": ("x1", "xmin", "left"),
    "y1": ("y1", "ymin", "top"),
    "x2": ("x2", "xmax", "right"),
    "y2": ("y2", "ymax", "bottom"),
    "class": ("class", "label", "class_name"),
    "crowd": ("crowd", "is_crowd", "iscrowd", "difficult"),
    "split": ("split",),
    "group": ("group",),
}
NEEDED = ("path", "x1", "y1", "x2", "y2", "class")
CORNERS = ("x1", "y1", "x2", "y2")
SIZED = (
    ("x", "y", "w", "h"),
    ("x", "y", "width", "height"),
    ("cx", "cy", "w", "h"),
    ("left", "top", "width", "height"),
)
Row = tuple[str, dict[str, str]]  # what it is called in messages, and its cells by what they are for


def is_boxes_csv(path: Path) -> bool:
    """Whether the header of a table names corners of boxes, most of them at least.

    Raises:
        DataError: it names a corner and a size, or a middle and a size.
    """
    names = _header(text := table_text(path))[0]
    if len(_places(names).keys() & set(CORNERS)) >= 3:
        return True
    if any(set(sizes) <= {name.lower() for name in names} for sizes in SIZED) and len(text.splitlines()) > 1:
        raise DataError(
            f"{path} says boxes by a size ({printable(', '.join(names))[:80]}): write their corners, "
            "path,x1,y1,x2,y2,class, with x2 = x + width and y2 = y + height where x, y is the left upper one."
        )
    return False


def read_boxes_csv(path: Path, group: str = "") -> Source:
    """Read a table of boxes. The header decides, in any case of letters, as in `csv_table`.

    Paths count from the folder of the table and stay in it. Rows of one picture may stand anywhere; one with a path
    alone adds the picture, so that pictures with nothing in them are said too. Classes are sorted.

    Args:
        group: name of the column whose values are groups, or "folder" for the parent folder of each picture;
            "" takes the column `group`, if there is one.

    Raises:
        DataError: a column is missing, a row has another number of cells, or nothing usable is left.
        ConfigError: no column is called `group`.
    """
    problems: list[Problem] = []
    root, pictures, things = Root(path.parent), Pictures(), Things(fill_by_centres)
    rows = list(_rows(path, group))
    at = _pictures(rows, root, pictures, problems)
    found = []
    groups = [""] * len(pictures)
    for record, cells in rows:
        row = at.get(cells["path"], -1)
        if row < 0:
            continue
        groups[row] = groups[row] or cells.get("group", "")
        if any(cells[what] for what in NEEDED[1:]) and (box := _box(record, cells, problems)) is not None:
            found.append((row, box, cells["class"], cells.get("crowd", "").lower() in ("1", "true", "yes")))
    classes = sorted_names(name for _, _, name, _ in found)
    number = {name: label for label, name in enumerate(classes)}
    for row, box, name, is_crowd in found:
        things.add(row, box, number[name], is_crowd)
    said = np.array([each or f"picture {row}" for row, each in enumerate(groups)]) if any(groups) else None
    given = said if group != "folder" else None
    return detection_source(path, root, pictures, things, classes, group if given is None else "", problems, given)


def _pictures(rows: list[Row], root: Root, pictures: Pictures, problems: list[Problem]) -> dict[str, int]:
    """Add every picture once; path in the table -> row, -1 for those that cannot be used."""
    names: dict[str, str] = {}  # path in the table -> name below the root, "" where there is no such file
    known: dict[str, tuple[str, str]] = {}  # name below the root -> split, and the row that said it
    waiting: list[tuple[str, Path]] = []
    for record, cells in rows:
        text, split = cells["path"], cells.get("split", "")
        if text not in names:
            file = root.find(text)
            if file is None or not isfile(file):
                why = ("outside-root", "leads out of") if file is None else ("missing", "is no file in")
                problems.append(Problem(record, why[0], f"{printable(text)[:200]} {why[1]} {root.folder}"))
                names[text] = ""
                continue
            names[text] = root.name(file)
            if names[text] not in known:
                known[names[text]] = (split, record)
                waiting.append((names[text], file))
        name = names[text]
        if name and split and split != known[name][0]:
            reason = f"{printable(text)} is in {split} here, but {known[name][0] or 'in no split'} in {known[name][1]}"
            problems.append(Problem(record, "two-splits", f"{reason}, where it stays"))
    by_name: dict[str, int] = {}
    for (name, file), size in zip(waiting, read_sizes([file for _, file in waiting]), strict=True):
        if isinstance(size, ImageError):
            problems.append(Problem(name, size.kind, str(size)))
        else:
            by_name[name] = pictures.add(name, file, size, role_of(known[name][0]) or "")
    return {text: by_name.get(name, -1) for text, name in names.items()}


def _box(record: str, cells: dict[str, str], problems: list[Problem]) -> tuple[float, float, float, float] | None:
    """The corners of a row; None if they are none."""
    lacking = [what for what in NEEDED if not cells[what]]
    if lacking:
        reason = f"it has no {', '.join(lacking)}; leave all five empty where nothing is in a picture"
        problems.append(Problem(record, "missing-field", reason))
        return None
    try:
        x1, y1, x2, y2 = (float(cells[what]) for what in CORNERS)
        if is_box(x1, y1, x2, y2):
            return x1, y1, x2, y2
        wrong = "x1 must be below x2, and y1 below y2"
    except ValueError:
        wrong = "x1, y1, x2 and y2 must be numbers"
    got = printable(", ".join(cells[what] for what in CORNERS))[:80]
    problems.append(Problem(record, "bad-box", f"{wrong}; got {got}"))
    return None


def _rows(path: Path, group: str) -> Iterator[Row]:
    """The rows of the file, checked as far as that goes without other files."""
    text = table_text(path)
    names, delimiter = _header(text)
    at = _places(names)
    lacking = [what for what in NEEDED if what not in at]
    if lacking:
        raise DataError(
            f"{path} has no column {', '.join(lacking)}: its first line must be path,x1,y1,x2,y2,class; "
            f"got {printable(', '.join(names))[:80]}."
        )
    lower = [name.lower() for name in names]
    if group.lower() in lower:
        at["group"] = lower.index(group.lower())
    elif group and group != "folder":
        raise ConfigError(f"{path}: {unknown(group, names, 'column for group')}")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        next(reader, None)
        for cells in reader:
            cells = [printable(cell.strip()) for cell in cells]
            if not any(cells):
                continue
            record = f"{path.name} row {reader.line_num}"
            if len(cells) != len(names):
                raise DataError(
                    f"{record} has {len(cells)} cells, but the header has {len(names)}: {', '.join(names)}."
                )
            value = {what: cells[column] for what, column in at.items()}
            if not value["path"]:
                raise DataError(f"{record} has an empty path: fill it in or delete the row.")
            if value.get("split") and role_of(value["split"]) is None:
                raise DataError(f"{record}: {unknown_split(value['split'])}")
            yield record, value
    except csv.Error as error:
        raise DataError(f"{path.name} row {reader.line_num} is no CSV: {error}.") from error


def _header(text: str) -> tuple[list[str], str]:
    """Names of the columns, and what separates them."""
    line = next(iter(text.splitlines()), "")
    delimiter = max(",;\t", key=line.count)
    names = next(csv.reader([line], delimiter=delimiter), []) if len(line) < 100_000 else []
    return [printable(name.strip()) for name in names], delimiter


def _places(names: list[str]) -> dict[str, int]:
    """What a column is for -> its place; of several, the first."""
    lower = [name.lower() for name in names]
    return {
        what: next(lower.index(option) for option in options if option in lower)
        for what, options in COLUMNS.items()
        if set(options) & set(lower)
    }
