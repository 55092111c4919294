"""The annotation of one picture of Pascal VOC: an XML file with its size and the objects in it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from pellucid.data.image_file import printable
from pellucid.data.readers.detect.things import is_box
from pellucid.data.readers.detect.voc.xml_file import read_xml
from pellucid.data.source import Problem

SIDES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class Found:
    """One object of an annotation: its class, its box, what it is called in messages, and its place, from 0 on."""

    name: str
    box_xyxy: tuple[float, float, float, float]
    is_difficult: bool
    record: str
    place: int


@dataclass(frozen=True)
class Annotated:
    """A picture and its annotation: size as that says it, how many objects it names, and those that can be used."""

    name: str
    path: Path
    role: str
    said: tuple[int, int] | None
    n: int
    found: Sequence[Found]


def read_annotation(file: Path, where: str, name: str, path: Path, role: str, problems: list[Problem]) -> Annotated:
    """What `file` says of the picture `name`, which lies at `path`; `where` is what messages call the file.

    Raises:
        DataError: it cannot be read.
    """
    tree = read_xml(file)
    return Annotated(name, path, role, _size(tree), len(tree.findall("object")), _objects(tree, where, problems))


def _size(tree: Element) -> tuple[int, int] | None:
    """Height and width as the annotation says them; None if it does not, or says 0."""
    try:
        height, width = (int(float(tree.findtext(f"size/{side}") or "0")) for side in ("height", "width"))
    except (ValueError, OverflowError):
        return None
    return (height, width) if height > 0 and width > 0 else None


def _objects(tree: Element, where: str, problems: list[Problem]) -> list[Found]:
    """The objects of one picture; those of their parts (heads, hands, feet) are left out."""
    found = []
    for i, one in enumerate(tree.findall("object"), start=1):
        record = f"{where} object {i}"
        name = printable(" ".join((one.findtext("name") or "").split()))
        said = [one.findtext(f"bndbox/{side}") for side in SIDES]
        lacking = [what for what, value in zip(("name", *SIDES), (name, *said), strict=True) if not value]
        if lacking:
            problems.append(Problem(record, "missing-field", f"it has no {', '.join(lacking)}"))
            continue
        try:
            left, top, right, bottom = (float(value or "nan") for value in said)
        except ValueError:
            left, top, right, bottom = (math.nan,) * 4
        if is_box(left - 1, top - 1, right, bottom):
            is_difficult = (one.findtext("difficult") or "0").strip() not in ("0", "")
            found.append(Found(name, (left - 1, top - 1, right, bottom), is_difficult, record, i - 1))
        else:
            got = printable(", ".join(f"{side} {value}" for side, value in zip(SIDES, said, strict=True)))[:120]
            problems.append(Problem(record, "bad-box", f"xmin must be at most xmax, and ymin at most ymax; got {got}"))
    return found
