"""Polygons filled to a mask, pixel for pixel as COCO's own tools do it, so that masks and their AP are those of COCO.

The outline is drawn five times enlarged, along the centres of small pixels; a column of pixels begins or ends where it
crosses the middle of the column (https://github.com/cocodataset/cocoapi, common/maskApi.c, rleFrPoly).

Letters: H, W the mask, P corners of one outline, S small pixels along it.
"""

from collections.abc import Sequence

import numpy as np

from pellucid.core.errors import DataError
from pellucid.ops.masks.rle import Rle, decode, encode

SCALE = 5
MOST_STEPS = 20_000_000  # small pixels along an outline: a picture of 64 million pixels has 40,000 around it


def coco_fill(polygons: Sequence[np.ndarray], height: int, width: int) -> Rle:
    """The pixels inside any of the polygons, as COCO counts them; holes cannot be said in this way.

    Args:
        polygons: (P, 2) or flat (2 * P,) numbers each: x, y, where pixel i covers [i, i + 1]. What reaches outside
            is cut off.

    Raises:
        DataError: fewer than three corners, or one that lies absurdly far away.
    """
    masks = [_fill_one(np.asarray(polygon, dtype=np.float64).reshape(-1, 2), height, width) for polygon in polygons]
    if len(masks) == 1:
        return masks[0]
    together = np.zeros((height, width), dtype=bool)
    for mask in masks:
        together |= decode(mask)
    return encode(together)


def outline_steps(polygon: np.ndarray) -> float:
    """How many small pixels lie along an outline (P, 2): what filling it costs; not finite where a corner is not."""
    to = _next(polygon)
    return float(SCALE * np.abs(to - polygon).max(axis=1).sum() + 2 * len(polygon))


def _fill_one(polygon: np.ndarray, height: int, width: int) -> Rle:
    if len(polygon) < 3 or not outline_steps(polygon) <= MOST_STEPS:
        raise DataError(
            f"An outline has three corners or more, not further apart than a picture is large; got {len(polygon)} "
            f"corners from {polygon.min(initial=np.inf)} to {polygon.max(initial=-np.inf)}."
        )
    u, v = _along(np.trunc(SCALE * polygon + 0.5).astype(np.int64))  # (S,) each
    turns = np.flatnonzero(u[1:] != u[:-1])
    x = (np.minimum(u[turns], u[turns + 1]) + 0.5) / SCALE - 0.5  # the column whose middle is crossed, if it is whole
    y = np.ceil(np.clip((np.minimum(v[turns], v[turns + 1]) + 0.5) / SCALE - 0.5, 0, height))
    crosses = (np.floor(x) == x) & (x >= 0) & (x <= width - 1)
    places = x[crosses].astype(np.int64) * height + y[crosses].astype(np.int64)  # where outside and inside change
    changes, times = np.unique(places, return_counts=True)
    changes = changes[(times % 2 == 1) & (changes < height * width)]
    return Rle(height, width, np.diff(changes, prepend=0, append=height * width))


def _next(corners: np.ndarray) -> np.ndarray:
    """The corner behind each one, (P, 2); much faster than `np.roll`, which data sets ask for a million times."""
    return np.concatenate([corners[1:], corners[:1]])


def _along(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Small pixels along the closed outline of corners (P, 2) int64: u across and v down, (S,) int64 each."""
    to = _next(corners)
    step = to - corners
    far = np.abs(step)
    is_flat = far[:, 0] >= far[:, 1]
    length = far.max(axis=1)
    # The longer way is gone from its smaller end, as rounding depends on where one begins.
    backwards = np.where(is_flat, step[:, 0], step[:, 1]) < 0
    begin = np.where(backwards[:, None], to, corners)
    rise = np.where(is_flat, step[:, 1], step[:, 0]) * np.where(backwards, -1, 1)
    slope = rise / np.maximum(length, 1)
    edge = np.repeat(np.arange(len(corners)), length + 1)  # (S,)
    t = np.arange(len(edge)) - np.repeat(np.cumsum(length + 1) - (length + 1), length + 1)
    t = np.where(backwards[edge], length[edge] - t, t)
    first = np.where(is_flat, begin[:, 0], begin[:, 1])[edge]
    second = np.where(is_flat, begin[:, 1], begin[:, 0])[edge]
    long_way = first + t
    short_way = np.trunc(second + slope[edge] * t + 0.5).astype(np.int64)
    flat = is_flat[edge]
    return np.where(flat, long_way, short_way), np.where(flat, short_way, long_way)
