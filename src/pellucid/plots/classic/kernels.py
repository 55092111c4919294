"""Sheets of filters and of the edges they find at several scales."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.plots.classic.templates import as_pictures
from pellucid.plots.grid import grid

# F filters of k x k numbers


def kernels(bank: Any, captions: Sequence[str] | None = None, columns: int = 8) -> Image.Image:
    """A sheet with one enlarged picture a filter: mid-grey is 0, brighter positive, darker negative.

    Args:
        bank: (F, k, k), or a sequence of filters (h, w) of several sizes; smaller ones get a grey border.
        captions: one short text a filter.
        columns: filters in a row.

    Returns:
        RGB image.

    Raises:
        DataError: a filter has not two dimensions or holds a number that is none, or captions do not match.
    """
    filters = [np.asarray(each, dtype=np.float64) for each in bank]
    for number, each in enumerate(filters):
        require_shape(each, "h w", f"filter {number}")
    tall, wide = (max((each.shape[axis] for each in filters), default=1) for axis in (0, 1))
    pictures = []
    for each in filters:
        room = np.zeros((tall, wide))
        top, left = (tall - each.shape[0]) // 2, (wide - each.shape[1]) // 2
        room[top : top + each.shape[0], left : left + each.shape[1]] = each
        pictures.append(Image.fromarray(as_pictures(room.reshape(1, -1), (tall, wide))[0]))
    return grid(pictures, columns, captions=captions)


def edges(picture: Any, found: Mapping[float, Any], columns: int = 4) -> Image.Image:
    """A sheet with a picture, and its edges at several scales, the finest first.

    Args:
        picture: (H, W) or (H, W, 3) uint8.
        found: sigma -> (H, W) edges: booleans, or strengths from 0 up, each scaled to its own largest.
        columns: pictures in a row.

    Returns:
        RGB image; edges are black on white.

    Raises:
        DataError: sizes do not fit, or a strength is negative or no number.
    """
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] != 3):
        raise DataError(f"picture must be (H, W) or (H, W, 3) uint8, got {picture.shape} of {picture.dtype}.")
    sheet, captions = [Image.fromarray(picture)], ["picture"]
    for sigma in sorted(found):
        strength = np.asarray(found[sigma], dtype=np.float64)
        require_shape(strength, "H W", f"edges at sigma {sigma:g}", H=picture.shape[0], W=picture.shape[1])
        if not np.isfinite(strength).all() or strength.min() < 0:
            raise DataError(f"edges at sigma {sigma:g} must be numbers from 0 up, or booleans.")
        ink = strength / (strength.max() or 1.0)
        sheet.append(Image.fromarray(np.round(255 * (1 - ink)).astype(np.uint8)))
        captions.append(f"sigma {sigma:g}")  # the built-in font has no σ
    return grid(sheet, columns, captions=captions)
