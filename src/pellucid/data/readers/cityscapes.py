"""Cityscapes' folders: `leftImg8bit/SPLIT/CITY/X_leftImg8bit.png` with `gtFine/SPLIT/CITY/X_gtFine_labelIds.png`.

Cordts, Omran, Ramos, Rehfeld, Enzweiler, Benenson, Franke, Roth, Schiele 2016, arXiv:1604.01685. The ids and which 19
of them count are those of the authors' `cityscapesscripts/helpers/labels.py` (github.com/mcordts/cityscapesScripts).
"""

from pathlib import Path

from pellucid.core.errors import DataError
from pellucid.data.readers.checks import role_of, unknown_split
from pellucid.data.readers.legend import Legend
from pellucid.data.readers.listing import image_files, look, parent_groups, require_folder
from pellucid.data.readers.masks import Pair, segmentation_source
from pellucid.data.source import Problem, Source

IMAGES, MASKS = "leftImg8bit", "gtFine"
IDS, TRAIN_IDS = "labelIds", "labelTrainIds"  # of these two, files with the published ids come first
N_IDS = 34
CLASSES = {  # id in labelIds -> class that counts; the place here is its id in labelTrainIds
    7: "road",
    8: "sidewalk",
    11: "building",
    12: "wall",
    13: "fence",
    17: "pole",
    19: "traffic light",
    20: "traffic sign",
    21: "vegetation",
    22: "terrain",
    23: "sky",
    24: "person",
    25: "rider",
    26: "car",
    27: "truck",
    28: "bus",
    31: "train",
    32: "motorcycle",
    33: "bicycle",
}


def read_cityscapes(root: Path, group: str = "") -> Source:
    """Street scenes with the masks of 19 classes; all other ids do not count.

    Masks are `_labelIds.png` where they are there, else `_labelTrainIds.png`, the same kind for all pictures. The test
    split of the publisher has masks in which nothing counts; it is left out, and named.

    Args:
        group: "folder" makes a group of each city; "" makes none.

    Raises:
        DataError: a folder of it is no split, or no usable pair is left; see also `segmentation_source`.
        ConfigError: another `group`.
    """
    problems: list[Problem] = []
    if not is_cityscapes(require_folder(root)):
        raise DataError(f"{root} must hold {IMAGES}/ and {MASKS}/, each with train/CITY/ and val/CITY/.")
    waiting = dict(image_files(root / MASKS, root, problems))
    problems[:] = [problem for problem in problems if not problem.record.endswith((".json", ".txt"))]
    kind = IDS if any(name.endswith(f"_{IDS}.png") for name in waiting) else TRAIN_IDS
    pairs = []
    for name, path in image_files(root / IMAGES, root, problems):
        split, _, rest = name.removeprefix(f"{IMAGES}/").partition("/")
        role = role_of(split)
        if role is None:
            raise DataError(
                f"{root / IMAGES}: the folder {unknown_split(split)}" if rest else f"{name} is in no split."
            )
        mask = f"{MASKS}/{split}/{rest.rpartition('.')[0].removesuffix(f'_{IMAGES}')}_{MASKS}_{kind}.png"
        if mask in waiting:
            pairs.append(Pair(name, path, waiting.pop(mask), role))
        else:
            problems.append(Problem(name, "no-mask", f"there is no {mask}"))
    left = [name for name in waiting if name.endswith(f"_{kind}.png")]
    problems += [Problem(name, "no-image", f"a mask without a picture in {IMAGES}/") for name in left]
    groups = parent_groups((pair.name for pair in pairs), group)
    return segmentation_source(root, pairs, groups, problems, cityscapes_legend(kind))


def is_cityscapes(root: Path) -> bool:
    """Whether the two folders are there."""
    return {IMAGES, MASKS} <= set(look(root).folders)


def cityscapes_legend(kind: str = IDS) -> Legend:
    """What the values of `labelIds` or `labelTrainIds` mean."""
    if kind == TRAIN_IDS:
        return Legend(dict(enumerate(CLASSES.values())))
    return Legend(CLASSES, frozenset(range(N_IDS)) - frozenset(CLASSES))
