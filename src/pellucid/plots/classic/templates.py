"""What a linear classifier looks for: each row of its weights as a picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from pellucid.core.config import require
from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.plots.grid import grid

# K classes, D = C x H x W weights each


def templates(
    weights: Any,
    shape: tuple[int, ...],
    names: Sequence[str] | None = None,
    columns: int = 5,
    common: bool = False,
) -> Image.Image:
    """A sheet with one picture a class.

    Args:
        weights: (K, D), a row for each class, without the bias; D pixels in the order of `shape`.
        shape: of one picture: (H, W), or (C, H, W) with 1 or 3 channels.
        names: captions, one a class.
        columns: pictures in a row.
        common: one scale for all, so that their strengths can be compared; else each fills its own.

    Returns:
        RGB image. Mid-grey is a weight of 0, brighter is for the class, darker is against it.

    Raises:
        DataError: sizes do not fit, or a weight is no number.
        ConfigError: a shape that is no picture's.
    """
    return grid([Image.fromarray(each) for each in as_pictures(weights, shape, common)], columns, captions=names)


def as_pictures(weights: Any, shape: tuple[int, ...], common: bool = False) -> np.ndarray:
    """(K, H, W) or (K, H, W, 3) uint8: 128 is 0, and the largest absolute weight is 1 or 255.

    Args: as `templates`.
    """
    shape = tuple(shape)
    good = len(shape) in (2, 3) and min(shape) >= 1 and (len(shape) == 2 or shape[0] in (1, 3))
    require(good, "shape", "(H, W), (1, H, W) or (3, H, W)", shape)
    weights = np.asarray(weights, dtype=np.float64)
    require_shape(weights, "K D", "weights", D=int(np.prod(shape)))
    pictures = as_bytes(weights, common).reshape(len(weights), *shape)
    if len(shape) == 2:
        return pictures
    return pictures[:, 0] if shape[0] == 1 else pictures.transpose(0, 2, 3, 1)


def as_bytes(weights: np.ndarray, common: bool = False) -> np.ndarray:
    """Weights (K, D) as uint8, in which the sign can be read: 128 is 0, the largest absolute weight is 1 or 255.

    Raises:
        DataError: a weight is no number.
    """
    if not np.isfinite(weights).all():
        raise DataError("weights hold NaN or infinity: training diverged, lower the learning rate.")
    strength = np.abs(weights).max(axis=1, keepdims=True, initial=0.0)
    strength = np.full_like(strength, strength.max(initial=0.0)) if common else strength
    return np.round(128 + 127 * weights / np.where(strength > 0, strength, 1.0)).astype(np.uint8)
