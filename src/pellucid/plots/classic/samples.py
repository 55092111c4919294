"""The same pictures after each of several preparations: one row a preparation, one column a picture."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from pellucid.core.config import require
from pellucid.core.errors import DataError
from pellucid.plots.grid import grid

# N pictures of D = C x H x W values


def samples(rows: Mapping[str, Any], shape: tuple[int, ...]) -> Image.Image:
    """Draw prepared pictures below each other: as they are, centred, whitened, rebuilt from few components.

    Values have no common range any more, so every picture is scaled by itself, its least value black and its greatest
    white: rows can be compared by what they show, not by how bright it is.

    Args:
        rows: name of the preparation -> (N, D) values, the same pictures in each row.
        shape: of one picture: (H, W), or (C, H, W) with 1 or 3 channels.

    Returns:
        RGB image; the name of a row stands below its first picture.

    Raises:
        DataError: rows of unlike numbers of pictures, of another size than `shape`, or with NaN or infinity.
        ConfigError: a shape that is no picture's.
    """
    shape = tuple(shape)
    good = len(shape) in (2, 3) and min(shape) >= 1 and (len(shape) == 2 or shape[0] in (1, 3))
    require(good, "shape", "(H, W), (1, H, W) or (3, H, W)", shape)
    size, count, images, captions = int(np.prod(shape)), None, [], []
    for name, values in rows.items():
        values = np.asarray(values, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != size or count not in (None, len(values)):
            wanted = f"({'N' if count is None else count}, {size})"
            raise DataError(f"samples: row {name!r} must be {wanted} for pictures {shape}, got shape {values.shape}.")
        if not np.isfinite(values).all():
            raise DataError(f"samples: row {name!r} holds NaN or infinity.")
        count = len(values)
        images += [Image.fromarray(each) for each in as_pictures(values, shape)]
        captions += [name if first else "" for first in np.arange(count) == 0]
    return grid(images, columns=max(count or 1, 1), captions=captions)


def as_pictures(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(N, H, W) or (N, H, W, 3) uint8 of values (N, D), each scaled by itself; a flat picture is mid-grey."""
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    middle, half = (low + high) / 2, (high - low) / 2
    flat = half <= 1e-12 * np.abs(middle)  # what rounding left
    share = np.where(flat, 0, (values - middle) / np.where(flat | (half == 0), 1, half))  # -1..1
    pictures = np.round(127.5 + 127.5 * share).astype(np.uint8).reshape(len(values), *shape)
    if len(shape) == 2:
        return np.asarray(pictures)
    return np.asarray(pictures[:, 0] if shape[0] == 1 else pictures.transpose(0, 2, 3, 1))
