"""Pascal VOC's boxes: `Annotations/X.xml` beside `JPEGImages/X.jpg`, and `ImageSets/Main` that says who is who.

Everingham, Van Gool, Williams, Winn, Zisserman: The Pascal Visual Object Classes Challenge 2012, Development Kit,
http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/. Pixels count from 1, and the last one belongs to the box:
xmin 1 and xmax 1 is the first column, which here reaches from 0 to 1. Outlines are those of `SegmentationObject/X.png`,
see `voc.instances`.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from pellucid.core.errors import ConfigError, DataError, ImageError
from pellucid.data.image_file import printable
from pellucid.data.readers.checks import sorted_names
from pellucid.data.readers.detect.finish import detection_source
from pellucid.data.readers.detect.pictures import Pictures, read_sizes, size_problem
from pellucid.data.readers.detect.things import Things, fill_by_centres
from pellucid.data.readers.detect.voc.annotation import Annotated, read_annotation
from pellucid.data.readers.detect.voc.instances import OBJECTS, Boxed, Outlined, read_outlines
from pellucid.data.readers.legend import read_legend
from pellucid.data.readers.listing import Root, look, require_folder
from pellucid.data.readers.voc import CLASSES, IMAGES, LISTS, by_stem, split_lists, voc_year
from pellucid.data.source import Problem, Source

BOXES = "Annotations"
NAMES_OF = {IMAGES: (IMAGES.lower(), "images"), BOXES: (BOXES.lower(),)}  # folder -> what others call it, in lower case
MAIN, OUTLINED = "Main", "Segmentation"  # folders of lists: of all pictures, and of those whose things have outlines


def read_voc_boxes(root: Path, group: str = "") -> Source:
    """Pictures with the boxes that VOC's detection task has, in its splits.

    `root` is a year's folder (`VOC2012`), or one that holds a single such year. Without lists every annotation counts.
    A picture whose annotation names no object has nothing in it; one without an annotation is left out. Classes are
    those named in `classes.txt` of the year's folder; without it the 20 of VOC, if there are no others, or else those
    that occur, sorted. Difficult things are marked as crowds: neither a hit nor a miss, as in VOC's own evaluation.

    Things have outlines if `SegmentationObject` has them for every picture. Where it has them for some, as in VOC's own
    sets, `VOC2012/ImageSets/Segmentation` as `root` takes the pictures of the lists there, and leaves those out whose
    things have none.

    Raises:
        DataError: there are several years, a list is broken, or nothing usable is left.
        ConfigError: a `group`: VOC knows none.
    """
    above, lists = require_folder(root), MAIN
    if root.parent.name == LISTS:
        above, lists = root.parent.parent, root.name
    year = voc_boxes_year(above)
    if year is None:
        raise DataError(f"{above} must hold {IMAGES}/ and {BOXES}/ with XML files, as VOCdevkit/VOC2012 does.")
    if group:
        raise ConfigError(f"{root} has the layout of Pascal VOC, which has no groups: leave out group={group}.")
    problems: list[Problem] = []
    below = Root(year)
    listed, images, annotations = _listed(year, lists, below, problems)
    read: list[Annotated] = []
    for stem, role in listed.items():
        where = below.name(annotations[stem])
        try:
            read.append(read_annotation(annotations[stem], where, *images[stem], role, problems))
        except DataError as error:
            problems.append(Problem(where, "unreadable", str(error)))
    classes = _classes(year, {one.name for each in read for one in each.found})
    sized = _sized(read, problems)
    outlines = _outlines(year, sized, lists == OUTLINED, problems)
    pictures, things = _joined(sized, outlines, classes, problems)
    return detection_source(root, below, pictures, things, classes, group, problems)


def _sized(read: Sequence[Annotated], problems: list[Problem]) -> list[tuple[Annotated, tuple[int, int]]]:
    """The pictures that can be opened and are of the size that is said, each with its height and width."""
    found = []
    for one, size in zip(read, read_sizes([one.path for one in read]), strict=True):
        if isinstance(size, ImageError):
            problems.append(Problem(one.name, size.kind, str(size)))
        elif one.said is not None and one.said != size:
            problems.append(size_problem(one.name, one.said, size, "its annotation"))
        else:
            found.append((one, size))
    return found


def _outlines(
    year: Path, sized: list[tuple[Annotated, tuple[int, int]]], required: bool, problems: list[Problem]
) -> dict[str, Outlined]:
    """Name of a picture -> the outlines of its things.

    Args:
        sized: where outlines are required, those without are taken out of it.
    """
    masks = by_stem(year, OBJECTS, problems) if OBJECTS in look(year).folders else {}
    full = [(one, size) for one, size in sized if one.found]
    lacking = [one for one, _ in full if one.path.stem not in masks]
    if lacking and not required:
        if len(lacking) < len(full):
            reason = (
                f"{len(lacking):,} of {len(full):,} pictures with things have no {OBJECTS}/, so no outlines are used; "
                f"voc:{LISTS}/{OUTLINED} below the year's folder takes the others alone"
            )
            problems.append(Problem(lacking[0].name, "mixed-outlines", reason))
        return {}
    for one in lacking:
        problems.append(Problem(one.name, "no-outlines", f"there is no {OBJECTS}/{printable(one.path.stem)}.png"))
    there = [(one, size) for one, size in full if one.path.stem in masks]
    asked = [
        Boxed(
            masks[one.path.stem][1],
            size,
            one.n,
            [each.place for each in one.found],
            [each.box_xyxy for each in one.found],
        )
        for one, size in there
    ]
    found: dict[str, Outlined] = {}
    for (one, _), outlined in zip(there, read_outlines(asked), strict=True):
        if isinstance(outlined, Outlined):
            found[one.name] = outlined
        else:
            problems.append(Problem(one.name, "no-outlines", outlined))
    by_overlap = [name for name, outlined in found.items() if outlined.by_overlap]
    if by_overlap:
        reason = f"in {len(by_overlap):,} pictures numbers and objects do not agree: masks went to the boxes they fit"
        problems.append(Problem(by_overlap[0], "outlines-by-overlap", reason))
    if required:
        sized[:] = [(one, size) for one, size in sized if not one.found or one.name in found]
    return found


def _joined(
    sized: Sequence[tuple[Annotated, tuple[int, int]]],
    outlines: dict[str, Outlined],
    classes: tuple[str, ...],
    problems: list[Problem],
) -> tuple[Pictures, Things]:
    """The pictures and their things."""
    pictures, things = Pictures(), Things(fill_by_centres)
    number = {name: label for label, name in enumerate(classes)}
    from_zero: list[str] = []
    for one, size in sized:
        row = pictures.add(one.name, one.path, size, one.role)
        masks = outlines[one.name].masks if one.name in outlines else [None] * len(one.found)
        for each, mask in zip(one.found, masks, strict=True):
            if each.name not in number:
                problems.append(Problem(each.record, "unknown-class", f"{each.name!r} is not named in classes.txt"))
                continue
            things.add(row, each.box_xyxy, number[each.name], each.is_difficult, outline=mask)
            from_zero += [each.record] * (min(each.box_xyxy[:2]) == -1)
    if from_zero:
        reason = f"{len(from_zero):,} boxes begin at 0, but VOC counts from 1: their tool may have counted from 0"
        problems.append(Problem(from_zero[0], "begins-at-zero", f"{reason}, then all are one pixel too far left"))
    return pictures, things


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
    year: Path, lists: str, root: Root, problems: list[Problem]
) -> tuple[dict[str, str], dict[str, tuple[str, Path]], dict[str, Path]]:
    """Stem -> split of all that can be used; stem -> name and path of the picture; stem -> path of the annotation."""
    images = by_stem(year, _folder(year, IMAGES), problems)
    boxes = _folder(year, BOXES)
    annotations = {stem: root.find(f"{boxes}/{stem}.xml") for stem in _stems(year / boxes)}
    listed = split_lists(year / LISTS / lists, images)
    if listed is None and lists != MAIN:
        raise DataError(f"{year / LISTS / lists} holds no train.txt, val.txt or trainval.txt: give {year} instead.")
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


def _classes(year: Path, found: set[str]) -> tuple[str, ...]:
    """Class names in order. The background that a list for masks begins with is no class of boxes."""
    legend = read_legend(year)
    if legend is None:
        own = CLASSES[1:]
        return own if year.resolve().name.startswith("VOC") and found <= set(own) else sorted_names(found)
    names = [legend.names[value] for value in sorted(legend.names)]
    return tuple(names[1:] if names[0].lower() == CLASSES[0] and names[0] not in found else names)
