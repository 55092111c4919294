"""Bilinear resizing in whole numbers. Letters: h, w before, H, W after."""

from functools import lru_cache

import numpy as np


def resize(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear resize of the last two axes, pixel centres aligned: (..., h, w) uint8 -> (..., height, width) int32.

    Positions are in 1/256 of a pixel; beyond the outer centres the border is repeated.
    """
    above, below, weight = _positions(planes.shape[-2], height)
    planes = planes.astype(np.int32)
    planes = planes[..., above, :] * (256 - weight)[:, None] + planes[..., below, :] * weight[:, None]  # (.., H, w)
    left, right, weight = _positions(planes.shape[-1], width)
    both = planes.take(left, axis=-1)  # (..., H, W)
    both *= 256 - weight
    second = planes.take(right, axis=-1)
    second *= weight
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
