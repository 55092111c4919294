"""Pascal VOC's boxes: `Annotations/X.xml` beside `JPEGImages/X.jpg`, and `ImageSets/Main` that says who is who.

Everingham, Van Gool, Williams, Winn, Zisserman: The Pascal Visual Object Classes Challenge 2012, Development Kit,
http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/. Pixels count from 1, and the last one belongs to the box:
xmin 1 and xmax 1 is the first column, which here reaches from 0 to 1.
"""

import math
import os
from pathlib import Path
from xml.etree.ElementTree import Element

from pellucid.core.errors import ConfigError, DataError, ImageError
from pellucid.data.image_file import printable
from pellucid.data.readers.checks import sorted_names
from pellucid.data.readers.detect.finish import detection_source
from pellucid.data.readers.detect.pictures import Pictures, read_sizes, size_problem
from pellucid.data.readers.detect.things import Things, fill_by_centres, is_box
from pellucid.data.readers.detect.xml_file import read_xml
from pellucid.data.readers.legend import read_legend
from pellucid.data.readers.listing import Root, look, require_folder
from pellucid.data.readers.voc import CLASSES, IMAGES, LISTS, by_stem, split_lists, voc_year
from pellucid.data.source import Problem, Source

BOXES = "Annotations"
NAMES_OF = {IMAGES: (IMAGES.lower(), "images"), BOXES: (BOXES.lower(),)}  # folder -> what others call it, in lower case
SIDES = ("xmin", "ymin", "xmax", "ymax")
Found = tuple[str, tuple[float, float, float, float], bool, str]  # class, box, difficult, what it is called in messages


def read_voc_boxes(root: Path, group: str = "") -> Source:
    """Pictures with the boxes that VOC's detection task has, in its splits.

    `root` is a year's folder (`VOC2012`), or one that holds a single such year. Without lists every annotation counts.
    A picture whose annotation names no object has nothing in it; one without an annotation is left out. Classes are
    those named in `classes.txt` of the year's folder; without it the 20 of VOC, if there are no others, or else those
    that occur, sorted. Difficult things are marked as crowds: neither a hit nor a miss, as in VOC's own evaluation.

    Raises:
        DataError: there are several years, a list is broken, or nothing usable is left.
        ConfigError: a `group`: VOC knows none.
    """
    year = voc_boxes_year(require_folder(root))
    if year is None:
        raise DataError(f"{root} must hold {IMAGES}/ and {BOXES}/ with XML files, as VOCdevkit/VOC2012 does.")
    if group:
        raise ConfigError(f"{root} has the layout of Pascal VOC, which has no groups: leave out group={group}.")
    problems: list[Problem] = []
    below = Root(year)
    listed, images, annotations = _listed(year, below, problems)
    pictures, things = Pictures(), Things(fill_by_centres)
    read: list[tuple[str, Path, str, tuple[int, int] | None, list[Found]]] = []
    for stem, role in listed.items():
        try:
            tree = read_xml(annotations[stem])
        except DataError as error:
            problems.append(Problem(below.name(annotations[stem]), "unreadable", str(error)))
            continue
        where = below.name(annotations[stem])
        read.append((*images[stem], role, _size(tree), _objects(tree, where, problems)))
    classes = _classes(year, {name for *_, found in read for name, *_ in found})
    number = {name: label for label, name in enumerate(classes)}
    from_zero: list[str] = []
    for (name, path, role, said, found), size in zip(read, read_sizes([path for _, path, *_ in read]), strict=True):
        if isinstance(size, ImageError):
            problems.append(Problem(name, size.kind, str(size)))
            continue
        if said is not None and said != size:
            problems.append(size_problem(name, said, size, "its annotation"))
            continue
        row = pictures.add(name, path, size, role)
        for label, box, is_difficult, record in found:
            if label not in number:
                problems.append(Problem(record, "unknown-class", f"{label!r} is not named in classes.txt"))
                continue
            things.add(row, box, number[label], is_difficult)
            from_zero += [record] * (min(box[:2]) == -1)
    if from_zero:
        reason = f"{len(from_zero):,} boxes begin at 0, but VOC counts from 1: their tool may have counted from 0"
        problems.append(Problem(from_zero[0], "begins-at-zero", f"{reason}, then all are one pixel too far left"))
    return detection_source(root, below, pictures, things, classes, group, problems)


def voc_boxes_year(root: Path) -> Path | None:
    """The folder with pictures and annotations, as `voc_year`; None if there is none with XML files.

    Raises:
        DataError: there is more than one.
    """
    year = voc_year(root, BOXES) or root
    return year if _folder(year, IMAGES) and (boxes := _folder(year, BOXES)) and _stems(year / boxes) else None


def _folder(year: Path, usual: str) -> str:
    """The folder's name as it is on disk; "" if there is none."""
    folders = look(year).folders
    return usual if usual in folders else next((one for one in folders if one.lower() in NAMES_OF[usual]), "")


def _stems(folder: Path) -> list[str]:
    """Names of the XML files, without their ending, sorted."""
    with os.scandir(folder) as entries:
        return sorted(one.name[:-4] for one in entries if one.name.lower().endswith(".xml") and one.name[0] != ".")


def _listed(
    year: Path, root: Root, problems: list[Problem]
) -> tuple[dict[str, str], dict[str, tuple[str, Path]], dict[str, Path]]:
    """Stem -> split of all that can be used; stem -> name and path of the picture; stem -> path of the annotation."""
    images = by_stem(year, _folder(year, IMAGES), problems)
    boxes = _folder(year, BOXES)
    annotations = {stem: root.find(f"{boxes}/{stem}.xml") for stem in _stems(year / boxes)}
    listed = split_lists(year / LISTS / "Main", images)
    if listed is None:
        listed = dict.fromkeys(annotations, "")
        for stem in images.keys() - annotations.keys():
            problems.append(Problem(images[stem][0], "no-annotation", f"there is no {boxes}/{stem}.xml"))
    kept, paths = {}, {}
    for stem, role in listed.items():
        record = f"{boxes}/{printable(stem)}.xml"
        if stem not in images:
            problems.append(Problem(record, "missing", f"there is no picture {IMAGES}/{printable(stem)[:200]}.jpg"))
        elif stem not in annotations:
            problems.append(Problem(images[stem][0], "no-annotation", f"there is no {record}"))
        elif (path := annotations[stem]) is None:
            problems.append(Problem(record, "outside-root", f"a link that leads out of {year}; it was not followed"))
        else:
            kept[stem], paths[stem] = role, path
    return kept, images, paths


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
            found.append((name, (left - 1, top - 1, right, bottom), is_difficult, record))
        else:
            got = printable(", ".join(f"{side} {value}" for side, value in zip(SIDES, said, strict=True)))[:120]
            problems.append(Problem(record, "bad-box", f"xmin must be at most xmax, and ymin at most ymax; got {got}"))
    return found


def _classes(year: Path, found: set[str]) -> tuple[str, ...]:
    """Class names in order. The background that a list for masks begins with is no class of boxes."""
    legend = read_legend(year)
    if legend is None:
        own = CLASSES[1:]
        return own if year.resolve().name.startswith("VOC") and found <= set(own) else sorted_names(found)
    names = [legend.names[value] for value in sorted(legend.names)]
    return tuple(names[1:] if names[0].lower() == CLASSES[0] and names[0] not in found else names)
