"""Bilinear resizing in whole numbers. Letters: h, w before, H, W after."""

from functools import lru_cache

import numpy as np


def resize(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear resize of the last two axes, pixel centres aligned: (..., h, w) uint8 -> (..., height, width) int32.

    Positions are in 1/256 of a pixel; beyond the outer centres the border is repeated.
    """
    left, right, weight = _positions(planes.shape[-1], width)
    planes = planes.astype(np.int32)
    planes = planes.take(left, axis=-1) * (256 - weight) + planes.take(right, axis=-1) * weight  # (..., h, W)
    above, below, weight = _positions(planes.shape[-2], height)
    both = planes.take(above, axis=-2)  # (..., H, W): last what takes whole rows, which is faster
    both *= (256 - weight)[:, None]
    second = planes.take(below, axis=-2)
    second *= weight[:, None]
    both += second
    both += 1 << 15
    both >>= 16
    return both


@lru_cache(maxsize=4096)
def _positions(old: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each new pixel: the old ones on either side, and the weight of the second in 1/256."""
    position = (2 * np.arange(new, dtype=np.int32) + 1) * old * 128 // new - 128
    position = np.clip(position, 0, (old - 1) * 256)
    first = position >> 8
    return first, np.minimum(first + 1, old - 1), position & 255
