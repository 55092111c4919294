"""A table with one picture a row: `path,label[,split][,group]`, or `path,mask[,split][,group]`."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from os.path import isfile  # unlike Path's, it is False for impossible names
from pathlib import Path

import numpy as np

from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError, DataError
from pellucid.data.image_file import printable
from pellucid.data.readers.checks import role_of, sorted_names, unknown_split
from pellucid.data.readers.listing import Root, parent_groups
from pellucid.data.readers.masks import Pair, segmentation_source
from pellucid.data.source import Card, Problem, Source

COLUMNS = {  # what a column is for -> the names it may have
    "path": ("path", "file", "filename", "file_name", "filepath", "image", "image_path"),
    "label": ("label", "class"),
    "mask": ("mask", "mask_path"),
    "split": ("split",),
    "group": ("group",),
}


@dataclass(frozen=True)
class Row:
    """One row of the table. `line` is its last line in the file, counted from 1; the header is line 1."""

    line: int
    path: str
    label: str
    mask: str
    role: str
    group: str


def read_csv_table(path: Path, group: str = "") -> Source:
    """Read a table of pictures and their labels or masks. The pictures are not opened (masks are: see `masks`).

    The header decides, in any case of letters: path (file, filename, image), label (class) or mask, and if wanted
    split (train, val, test or empty) and group. Separated by comma, semicolon or tab; UTF-8. Paths count from the
    folder of the table and stay in it. Rows whose file is missing, and pictures that occur with two labels, are
    left out and named. Classes are sorted, as numbers if they all are whole numbers.

    Args:
        group: name of the column whose values are groups, or "folder" for the parent folder of each picture;
            "" takes the column `group`, if there is one.

    Raises:
        DataError: no such file or column; an empty path or label, an unknown split, or a path that leaves the
            folder (each with its row); no picture left.
        ConfigError: no column is called `group`.
    """
    rows = list(_rows(path, group))
    if not rows:
        raise DataError(f"{path} has a header but no rows: add one for each picture.")
    root, problems = Root(path.parent), []
    kept: dict[str, tuple[Row, Path]] = {}
    doubtful: set[str] = set()
    for row in rows:
        where = f"{path.name} row {row.line}"
        file, mask = root.file(row.path, where), root.file(row.mask, where) if row.mask else None
        missing = row.path if not isfile(file) else row.mask if mask is not None and not isfile(mask) else ""
        key = root.name(file)
        if missing:
            problems.append(Problem(where, "missing", f"there is no file {missing}"))
        elif key not in kept:
            kept[key] = (row, file)
        elif (kept[key][0].label, kept[key][0].mask) == (row.label, row.mask):
            problems.append(Problem(where, "duplicate", f"{row.path} is in row {kept[key][0].line} already"))
        else:
            doubtful.add(key)
            first = kept[key][0]
            reason = f"{row.path} is {row.label or row.mask} here but {first.label or first.mask} in row {first.line}"
            problems.append(Problem(where, "two-labels", f"{reason}; it is left out"))
    for key in doubtful:
        del kept[key]
    if not kept:
        raise DataError(
            f"{path}: none of its {len(rows)} rows can be used; {problems[0].record}: {problems[0].reason}. "
            f"Paths count from the folder of the table, {path.parent}."
        )
    return _source(path, root, kept, group, problems)


def _source(path: Path, root: Root, kept: dict[str, tuple[Row, Path]], group: str, problems: list[Problem]) -> Source:
    rows, files = [row for row, _ in kept.values()], [file for _, file in kept.values()]
    groups = _groups(rows)
    if groups is None and group:
        if group != "folder":
            raise DataError(f"{path}: the column {group}, asked for as group, is empty.")
        groups = parent_groups(kept, group)
    roles = np.array([row.role for row in rows], dtype="<U5")
    if rows[0].mask:
        masks = [root.file(row.mask, path.name) for row in rows]
        pairs = [Pair(*item) for item in zip(kept, files, masks, roles.tolist(), strict=True)]
        return segmentation_source(path.parent, pairs, groups, problems)
    classes = sorted_names(row.label for row in rows)
    number = {name: i for i, name in enumerate(classes)}
    labels = np.array([number[row.label] for row in rows], dtype=np.int64)
    return Source(
        name=path.stem,
        images=files,
        names=list(kept),
        classes=classes,
        labels=labels,
        roles=roles,
        groups=groups,
        problems=problems,
        card=Card(title=path.stem, origin=str(path)),
    )


def _groups(rows: list[Row]) -> np.ndarray | None:
    """Group of each row; a row with an empty cell stands for itself. None where no column was asked for."""
    if not any(row.group for row in rows):
        return None
    return np.array([row.group or f"row {row.line}" for row in rows])


def _rows(path: Path, group: str) -> Iterator[Row]:
    """The rows of the file, checked as far as that goes without other files."""
    text = table_text(path)
    header = next(iter(text.splitlines()), "")
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [printable(name.strip()) for name in next(reader, [])]
        at = _columns(path, names, group)
        target = "mask" if "mask" in at else "label"
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            where = f"{path.name} row {reader.line_num}"
            if len(cells) != len(names):
                raise DataError(f"{where} has {len(cells)} cells, but the header has {len(names)}: {', '.join(names)}.")
            value = {what: cells[column] for what, column in at.items()}
            for what in ("path", target):
                if value[what] != printable(value[what]):
                    raise DataError(f"{where} has a line break or control sign in its {what}: is a quote missing?")
                if not value[what]:
                    raise DataError(f"{where} has an empty {what}: fill it in or delete the row.")
            split = printable(value.get("split", ""))
            if split and role_of(split) is None:
                raise DataError(f"{where}: {unknown_split(split)}")
            label, mask = (value["label"], "") if target == "label" else ("", value["mask"])
            yield Row(reader.line_num, value["path"], label, mask, role_of(split) or "", value.get("group", ""))
    except csv.Error as error:
        raise DataError(f"{path.name} row {reader.line_num} is no CSV: {error}.") from error


def table_text(path: Path) -> str:
    """The text of a table.

    Raises:
        DataError: it cannot be read, or is not UTF-8.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: save it as CSV UTF-8.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _columns(path: Path, names: list[str], group: str) -> dict[str, int]:
    """What a column is for -> its place."""
    lower = [name.lower() for name in names]
    at = {}
    for what, options in COLUMNS.items():
        matching = [i for i, name in enumerate(lower) if name in options]
        if len(matching) > 1:
            raise DataError(f"{path} has {len(matching)} columns for {what}: {', '.join(names[i] for i in matching)}.")
        if matching:
            at[what] = matching[0]
    if "path" not in at or ("label" not in at and "mask" not in at):
        lacking = "path" if "path" not in at else "label (or mask)"
        raise DataError(
            f"{path} has no column {lacking}: its first line must name the columns, such as path,label; "
            f"got {', '.join(names)[:80] or 'an empty file'}."
        )
    if group.lower() in lower:
        at["group"] = lower.index(group.lower())
    elif group == "folder":
        at.pop("group", None)
    elif group:
        raise ConfigError(f"{path}: {unknown(group, names, 'column for group')}")
    return at
