"""A large matrix as a small picture: one pixel a cell."""

from typing import Any

import numpy as np
from PIL import Image

from pellucid.core.shapes import require_shape

COLOUR = (27, 138, 153)  # readable on white and on black
WRONG = (209, 69, 59)
LARGEST = 512


def heat_map(shares: Any, diagonal: bool = True) -> Image.Image:
    """Draw shares as opacity, so that the picture fits light and dark pages alike.

    Args:
        shares: (R, C) in 0..1; NaN counts as 0. Above 512 rows or columns, a pixel is the largest of a block.
        diagonal: draw cells off the diagonal in the colour of errors.

    Returns:
        RGBA, C x R pixels (less for large ones). Opacity is the square root of the share, which
        keeps rare confusions visible.

    Raises:
        DataError: `shares` has not two dimensions.
    """
    shares = np.asarray(shares, dtype=np.float64)
    require_shape(shares, "R C", "heat map")
    shares = np.clip(np.nan_to_num(shares), 0, 1)
    rows, columns = np.indices(shares.shape)
    own = (rows == columns) | (not diagonal)
    right, wrong = _shrink(np.where(own, shares, 0)), _shrink(np.where(own, 0, shares))
    opacity = np.sqrt(np.maximum(right, wrong))
    colour = np.where((right >= wrong)[..., None], COLOUR, WRONG)
    pixels = np.concatenate([colour, np.round(255 * opacity)[..., None]], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


def _shrink(values: np.ndarray) -> np.ndarray:
    """Largest value of each block, with blocks just big enough that at most `LARGEST` are left a side."""
    for axis in (0, 1):
        block = -(-values.shape[axis] // LARGEST)
        if block > 1:
            values = np.maximum.reduceat(values, np.arange(0, values.shape[axis], block), axis=axis)
    return values
