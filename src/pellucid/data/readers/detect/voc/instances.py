"""Outlines of Pascal VOC's things: `SegmentationObject/X.png`, whose values 1 to n are the objects of an annotation.

A palette PNG, as `SegmentationClass` has it: 0 is background, 255 the border of objects, which belongs to none. Usually
object i of the annotation has the value i. Where the counts differ, or a mask does not touch its box and another does,
each box gets the mask that fits it best.

Letters: H, W the picture, n objects, B boxes that can be used.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pellucid.core.errors import DataError, ImageError
from pellucid.data.images import read_mask
from pellucid.data.readers.legend import IGNORE
from pellucid.ops.masks.rle import Rle, encode_each

OBJECTS = "SegmentationObject"
TOUCHING = 0.1  # intersection over union of a box and the box around its mask, whose border is no part of it
FITTING = 0.3  # the same, where the number says nothing


@dataclass(frozen=True)
class Boxed:
    """What the annotation of one picture says of its things.

    Attributes:
        mask: the file with their outlines.
        size: height and width of the picture.
        n: how many objects are named.
        places: (B,) which of these, from 0 on, have a box that can be used.
        boxes_xyxy: (B, 4).
    """

    mask: Path
    size: tuple[int, int]
    n: int
    places: Sequence[int]
    boxes_xyxy: Sequence[tuple[float, float, float, float]]


@dataclass(frozen=True)
class Outlined:
    """The mask of each box, and whether they were matched by overlap, as their numbers could not be right."""

    masks: Sequence[Rle]
    by_overlap: bool


def read_outlines(pictures: Sequence[Boxed]) -> list[Outlined | str]:
    """The outlines of the things of each picture, or in words why there are none. Decoded in a thread a core."""
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(_outlines, pictures))


def _outlines(picture: Boxed) -> Outlined | str:
    try:
        ids = read_mask(picture.mask)
    except (DataError, ImageError) as error:
        return str(error)
    if ids.shape != picture.size:
        size = f"{ids.shape[0]}x{ids.shape[1]} (height x width)"
        return f"{OBJECTS}/{picture.mask.name} is {size}, its picture {picture.size[0]}x{picture.size[1]}"
    numbers = [value for value in np.unique(ids).tolist() if value not in (0, IGNORE)]
    masks = encode_each(ids, max(numbers, default=0))
    shown = [masks[number - 1] for number in numbers]
    overlap = _overlap(np.array(picture.boxes_xyxy).reshape(-1, 4), np.array([mask.box_xyxy for mask in shown]))
    own, best = list(picture.places), _best(overlap)
    counts_fit = numbers == list(range(1, picture.n + 1))
    if counts_fit and all(overlap[row, place] >= TOUCHING for row, place in enumerate(own)):
        return Outlined([shown[place] for place in own], by_overlap=False)
    if len(best) == len(own):
        return Outlined([shown[best[row]] for row in range(len(own))], by_overlap=True)
    if counts_fit:
        return Outlined([shown[place] for place in own], by_overlap=False)
    lacking = next(place for row, place in enumerate(own) if row not in best)
    return (
        f"{OBJECTS}/{picture.mask.name} shows {len(shown)} things where {picture.n} objects are named, and none of "
        f"them fits object {lacking + 1}"
    )


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(B, M) intersection over union of boxes (B, 4) and (M, 4)."""
    others = others.reshape(-1, 4)
    low, high = np.maximum(boxes[:, None, :2], others[:, :2]), np.minimum(boxes[:, None, 2:], others[:, 2:])
    shared = (high - low).clip(0).prod(-1)
    areas = [(each[:, 2:] - each[:, :2]).prod(-1) for each in (boxes, others)]
    found: np.ndarray = shared / (areas[0][:, None] + areas[1] - shared)
    return found


def _best(overlap: np.ndarray) -> dict[int, int]:
    """Row -> column, each column once: the largest first, as long as they fit."""
    chosen: dict[int, int] = {}
    for place in np.argsort(-overlap, axis=None, kind="stable"):
        row, column = (int(each) for each in np.unravel_index(place, overlap.shape))
        if overlap[row, column] < FITTING:
            break
        if row not in chosen and column not in chosen.values():
            chosen[row] = column
    return chosen
