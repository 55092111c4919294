"""Masks that were given where pictures were meant, as happens with the folder of a whole data set."""

from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.image_file import opened
from pellucid.data.images import read_mask
from pellucid.data.readers.frames import Frame
from pellucid.tasks.segment.loss import IGNORE

BLACK_AND_WHITE = {0, 255}


def looks_like_a_mask(image: Any, n_classes: int) -> bool:
    """Whether a file holds nothing but numbers of classes (and 255), as a mask does; never of black and white.

    Args:
        image: a path, or anything else, of which nothing is known; frames are no masks.
    """
    if not isinstance(image, (str, Path)) or isinstance(image, Frame):
        return False
    with opened(image) as (header, _, _):
        if header.format != "PNG" or header.mode not in ("P", "L"):
            return False
    found = set(np.unique(read_mask(image)).tolist())
    return not found <= BLACK_AND_WHITE and found <= {*range(n_classes), IGNORE}
