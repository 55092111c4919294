"""What the values of masks mean: class names by id or by colour, from a file beside the masks.

| file | one class |
|---|---|
| `classes.txt` | a name a line; line 1 is id 0 |
| `classes.json` | `["sky", "road"]` or `{"0": "sky"}`; in colours `{"sky": [r, g, b]}` or `[{"name", "r", "g", "b"}]` |
| `classes.csv`, `class_dict.csv` | a row below the header `name,r,g,b` |
| `label_colors.txt` | `r g b name` a line, as CamVid has it |
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.core.errors import DataError

IGNORE = 255
LISTS = ("classes.txt", "classes.json")
TABLES = ("classes.csv", "class_dict.csv", "label_colors.txt")
NOT_A_CLASS = ("ignore", "void")  # rows of a table of colours that say which pixels do not count
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Legend:
    """What the values in the files of masks mean.

    Attributes:
        names: id -> class name.
        ignored: ids that do not count, beside 255.
        colours: 0xRRGGBB -> id, for masks that are pictures in colours; None for masks that hold ids.
    """

    names: Mapping[int, str]
    ignored: frozenset[int] = frozenset()
    colours: Mapping[int, int] | None = None


def read_legend(root: Path) -> Legend | None:
    """The first of the files above that lies in `root`; None if none does.

    In a table of colours the rows count up from id 0. Those called `ignore` or `void` are no class: their pixels
    are left out of the loss and of all numbers.

    Raises:
        DataError: the file cannot be read as such, or a name or a colour occurs twice.
    """
    path = next((root / name for name in (*LISTS, *TABLES) if (root / name).is_file()), None)
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = None
        if path.name == "classes.txt":
            named = dict(enumerate(line.strip() for line in text.strip().splitlines()))
        elif path.suffix == ".json":
            named, rows = _of_json(json.loads(text))
        else:
            named, rows = {}, _of_csv(text) if path.suffix == ".csv" else _of_lines(text)
    except (OSError, ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        raise DataError(f"{path} must hold {_form(path)}; got an error: {error}.") from error
    if rows is not None:
        return _of_colours(rows, path)
    if not named or not all(0 <= value <= IGNORE for value in named) or not all(named.values()):
        raise DataError(f"{path} must name ids from 0 to 255, each with a word, got {listed(named)}.")
    _refuse_twice(named.values(), path)
    return Legend(named)


def listed(ids: Iterable[int]) -> str:
    """Ids in words: `0..20`, or `0, 7, 9`."""
    ids = sorted(ids)
    if len(ids) > 2 and ids == list(range(ids[0], ids[-1] + 1)):
        return f"{ids[0]}..{ids[-1]}"
    return ", ".join(map(str, ids)) or "none"


def packed(colour: Colour) -> int:
    """0xRRGGBB."""
    return colour[0] << 16 | colour[1] << 8 | colour[2]


def _of_colours(rows: list[tuple[str, Colour]], path: Path) -> Legend:
    """The legend that a table of colours is."""
    if not rows or len(rows) > IGNORE:
        raise DataError(f"{path} must hold {_form(path)}, for 1 to {IGNORE} classes; got {len(rows)}.")
    colours: dict[int, int] = {}
    names: dict[int, str] = {}
    ignored = set()
    for i, (name, colour) in enumerate(rows):
        if not name or not all(0 <= value <= 255 for value in colour):
            raise DataError(f"{path} must hold {_form(path)}, colours from 0 to 255; got {name!r} {colour}.")
        if packed(colour) in colours:
            first = rows[colours[packed(colour)]][0]
            raise DataError(f"{path} gives the colour {_said(colour)} to {first} and to {name}: one of them is wrong.")
        colours[packed(colour)] = i
        if name.lower() in NOT_A_CLASS:
            ignored.add(i)
        else:
            names[i] = name
    _refuse_twice(names.values(), path)
    return Legend(names, frozenset(ignored), colours)


def _of_json(content: Any) -> tuple[dict[int, str], list[tuple[str, Colour]] | None]:
    """Names by id, or rows of names and colours."""
    if isinstance(content, list) and content and all(isinstance(item, dict) for item in content):
        return {}, [(str(item["name"]), _colour([item[key] for key in "rgb"])) for item in content]
    if isinstance(content, dict) and content and all(isinstance(value, list) for value in content.values()):
        return {}, [(str(name), _colour(value)) for name, value in content.items()]
    pairs = enumerate(content) if isinstance(content, list) else content.items()
    return {int(value): _word(name) for value, name in pairs}, None


def _word(name: Any) -> str:
    if not isinstance(name, (str, int)):
        raise ValueError(f"a name cannot be {name!r:.40}")
    return str(name)


def _of_csv(text: str) -> list[tuple[str, Colour]]:
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
    return [(row["name"].strip(), _colour([row[key] for key in "rgb"])) for row in rows]


def _of_lines(text: str) -> list[tuple[str, Colour]]:
    """`r g b name`; names may hold blanks."""
    lines = [line.split(maxsplit=3) for line in text.splitlines() if line.strip()]
    if short := next((line for line in lines if len(line) < 4), None):
        raise ValueError(f"the line {' '.join(short)!r} has no name")
    return [(line[3].strip(), _colour(line[:3])) for line in lines]


def _colour(values: list[Any]) -> Colour:
    r, g, b = (int(value) for value in values)
    return r, g, b


def _said(colour: Colour) -> str:
    return " ".join(map(str, colour))


def _form(path: Path) -> str:
    """What such a file looks like, for messages."""
    if path.suffix == ".csv":
        return "the header name,r,g,b and a row a class, such as road,128,64,128"
    if path.name == "label_colors.txt":
        return "a class a line, such as 128 64 128 road"
    return 'one class name a line, or as JSON {"0": "road", "1": "sky"} or {"road": [128, 64, 128]}'


def _refuse_twice(names: Iterable[str], path: Path) -> None:
    held = list(names)
    if len(set(held)) < len(held):
        twice = next(name for name in held if held.count(name) > 1)
        raise DataError(f"{path} has the class name {twice!r} twice.")
