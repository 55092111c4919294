"""The things of all pictures in a few long arrays, as the rules look at them. Letters: T things in all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.data.objects import Objects


@dataclass(frozen=True)
class Listed:
    """T things, in the order of their pictures.

    Attributes:
        rows: (T,) int64, row of the pack.
        numbers: (T,) int64, which thing of its picture.
        boxes: (T, 4) float64, x1, y1, x2, y2 in pixels of the file.
        labels: (T,) int64.
        crowd: (T,) bool.
        size: (T, 2) float64, width and height of the picture.
        mask_boxes: (T, 4) float64, boxes around the masks; NaN where there is none, zeros for an empty one.
        pictures: how many there are, with and without things.
    """

    rows: np.ndarray
    numbers: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    size: np.ndarray
    mask_boxes: np.ndarray
    pictures: int

    def __len__(self) -> int:
        return len(self.rows)


def list_things(objects: Sequence[Objects], original_hw: np.ndarray) -> Listed:
    """The things of N pictures; `original_hw` (N, 2) are these pictures' sizes."""
    counts = np.array([len(things) for things in objects], dtype=np.int64)
    rows = np.repeat(np.arange(len(objects)), counts)
    own = [things for things in objects if len(things)]
    masks = [
        mask.box_xyxy if mask is not None else (np.nan,) * 4
        for things in own
        for mask in (things.masks or (None,) * len(things))
    ]
    numbers = [np.arange(len(things)) for things in own]
    return Listed(
        rows=rows,
        numbers=np.concatenate([np.zeros(0, np.int64), *numbers]),
        boxes=np.concatenate([np.zeros((0, 4)), *(things.boxes_xyxy for things in own)]).astype(np.float64),
        labels=np.concatenate([np.zeros(0, np.int64), *(things.labels for things in own)]),
        crowd=np.concatenate([np.zeros(0, bool), *(things.is_crowd for things in own if things.is_crowd is not None)]),
        size=original_hw[rows][:, ::-1].astype(np.float64),
        mask_boxes=np.array(masks, dtype=np.float64).reshape(-1, 4),
        pictures=len(objects),
    )
