"""Everything that can be asked of predictions as a keyword of `Run.predict`, so that editors and type checkers know it.

The wishes themselves, their defaults and their meaning are the dataclasses in `tasks.WISHES`; a test holds this list to
them.
"""

from typing import Literal, TypedDict


class Asked(TypedDict, total=False):
    """Keyword of `Run.predict` -> its type. A task takes its own only."""

    top: int
    size: Literal["fit", "native"]
    tile: int
    overlap: float
    scale: float
    probabilities: bool
    regions: Literal["none", "polygons", "rle"]
    min_area: int
    conf: float
    iou: float
    masks: Literal["auto", "on", "off"]
    coco: str
