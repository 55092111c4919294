"""Pascal VOC's folders: `JPEGImages` beside `SegmentationClass`, and `ImageSets/Segmentation` that says who is who.

Everingham, Van Gool, Williams, Winn, Zisserman: The Pascal Visual Object Classes Challenge 2012, Development Kit,
http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/. A mask is a palette PNG whose indices are the ids: 0 is
background, 1 to 20 the classes in alphabetical order, 255 the border of objects, which does not count.
"""

from collections.abc import Container
from pathlib import Path

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.readers.legend import IGNORE, Legend, packed
from pellucid.data.readers.listing import image_files, look, require_folder
from pellucid.data.readers.masks import Pair, segmentation_source
from pellucid.data.source import Problem, Source

IMAGES, MASKS, LISTS = "JPEGImages", "SegmentationClass", "ImageSets"
ROLES = {"train": "train", "val": "val", "test": "test", "trainval": ""}  # list -> split; the last is to be divided
CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


def read_voc(root: Path, group: str = "") -> Source:
    """Pictures with the masks of classes that VOC's segmentation task has, in its splits.

    `root` is a year's folder (`VOC2012`), or one that holds a single such year (`VOCdevkit`, or the folder above it).
    Pictures in none of the lists belong to other tasks and are passed over; without lists, every mask counts. Classes
    are those of VOC unless a file in the year's folder names others (see `legend`), and masks saved as RGB are read by
    VOC's colours. `SegmentationObject` is read for detection, see `detect.voc_boxes`.

    Raises:
        DataError: there are several years, a list names what is not there, or no usable pair is left; see also
            `segmentation_source`.
        ConfigError: a `group`: VOC knows none.
    """
    year = voc_year(require_folder(root))
    if year is None:
        raise DataError(f"{root} must hold {IMAGES}/ and {MASKS}/, as VOCdevkit/VOC2012 does.")
    if group:
        raise ConfigError(f"{root} has the layout of Pascal VOC, which has no groups: leave out group={group}.")
    problems: list[Problem] = []
    images = by_stem(year, IMAGES, problems)
    masks = by_stem(year, MASKS, problems)
    listed = split_lists(year / LISTS / "Segmentation", images)
    if listed is None:
        listed = {stem: "" for stem in masks if stem in images}
        problems += [
            Problem(f"{MASKS}/{stem}", "no-image", "a mask without a picture") for stem in masks.keys() - images
        ]
    pairs = []
    for stem, role in listed.items():
        if stem not in images:
            problems.append(Problem(stem, "missing", f"there is no {IMAGES}/{stem}.jpg, which a list names"))
        elif stem not in masks:
            problems.append(Problem(images[stem][0], "no-mask", f"there is no {MASKS}/{stem}.png"))
        else:
            pairs.append(Pair(images[stem][0], images[stem][1], masks[stem][1], role))
    return segmentation_source(year, pairs, None, problems, voc_legend())


def voc_year(root: Path, beside: str = MASKS) -> Path | None:
    """The folder with the pictures: `root`, `root/VOC2012` or `root/VOCdevkit/VOC2012`; None if there is none.

    Args:
        beside: the folder that must lie beside the pictures.

    Raises:
        DataError: there is more than one.
    """
    found = [folder for folder in _candidates(root) if {IMAGES, beside} <= set(look(folder).folders)]
    if len(found) > 1:
        raise DataError(f"{root} holds {len(found)} years, {', '.join(folder.name for folder in found)}: give one.")
    return found[0] if found else None


def _candidates(root: Path) -> list[Path]:
    """Where a year may lie, the nearest alone if it is one."""
    below = look(root).folders
    if IMAGES in below:
        return [root]
    kits = [root / "VOCdevkit"] if "VOCdevkit" in below else [root]
    return [kit / name for kit in kits for name in look(kit).folders if name.startswith("VOC")]


def voc_colours(n: int = 256) -> list[tuple[int, int, int]]:
    """VOC's colour of each id: bit 3k + c of the id is bit 7 - k of channel c, so ids close by look unlike."""
    return [
        (
            sum((i >> 3 * k & 1) << 7 - k for k in range(8)),
            sum((i >> 3 * k + 1 & 1) << 7 - k for k in range(8)),
            sum((i >> 3 * k + 2 & 1) << 7 - k for k in range(8)),
        )
        for i in range(n)
    ]


def voc_legend() -> Legend:
    """The 21 classes, their colours, and 255 for what does not count."""
    colours = voc_colours()
    ids = (*range(len(CLASSES)), IGNORE)
    return Legend(dict(enumerate(CLASSES)), frozenset(), {packed(colours[i]): i for i in ids})


def by_stem(year: Path, folder: str, problems: list[Problem]) -> dict[str, tuple[str, Path]]:
    """Name without ending -> name below `year`, and path."""
    return {path.stem: (name, path) for name, path in image_files(year / folder, year, problems)}


def split_lists(folder: Path, images: Container[str]) -> dict[str, str] | None:
    """Picture -> split, by the lists; None where there are none. What follows a picture's name in its line is no name.

    Args:
        folder: where `train.txt` and the others lie.
        images: names that pictures have, blanks in them or not.

    Raises:
        DataError: a list cannot be read, or a picture is in two that exclude each other.
    """
    found: dict[str, str] = {}
    there = False
    for name, role in ROLES.items():
        path = folder / f"{name}.txt"
        if not path.is_file():
            continue
        there = True
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read as a list of names: {error}.") from error
        for line in filter(str.strip, lines):
            stem = line.strip() if line.strip() in images else line.split()[0]
            if role and found.get(stem, role) != role:
                raise DataError(f"{path} names {stem}, which {found[stem]}.txt has too: it must be in one of the two.")
            found.setdefault(stem, role)
    return found if there else None
