"""The colour of a class: the same in every drawing."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.plots.palette import palette


def class_colours(labels: Any, names: Sequence[str], colours: Any = None) -> np.ndarray:
    """(M, 3) uint8: the colour of each label (M,), from `colours` (K, 3) or else the palette's.

    Raises:
        DataError: a label has no name, or there are not as many colours as names.
    """
    labels = np.asarray(labels, dtype=np.int64).reshape(-1)
    outside = labels[(labels < 0) | (labels >= len(names))]
    if len(outside):
        raise DataError(f"There are {len(names)} class names, got label {outside[0]}.")
    colours = palette(len(names)) if colours is None else np.asarray(colours, dtype=np.uint8)
    require_shape(colours, "K three", "colours", K=len(names), three=3)
    return colours[labels]
