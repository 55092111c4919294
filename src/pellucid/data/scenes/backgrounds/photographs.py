"""Pieces of the two photographs that come with scikit-learn, in other colours. Letters: H, W the piece.

They are there wherever pellucid is. Every split shows pieces of the same two.
"""

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np

from pellucid.core.errors import DataError
from pellucid.data.images import read_image
from pellucid.data.scenes.dice import Draws
from pellucid.data.scenes.drawing.resize import resize

FILES = ("china.jpg", "flower.jpg")  # Creative Commons attribution 2.0; scikit-learn names the photographers
HALVINGS = 3
ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))  # of the channels


def photograph(rng: Draws, height: int, width: int, contrast: int = 100) -> np.ndarray:
    """A piece of a photograph (H, W, 3) uint8: any place and scale, mirrored, its colours exchanged and shifted.

    Args:
        contrast: at most how much of the photograph's own contrast is kept, in percent.
    """
    levels = photographs()[rng.integers(len(FILES))]
    fitting = [level for level in levels if level.shape[0] >= height and level.shape[1] >= width]
    source = fitting[rng.integers(len(fitting))] if fitting else levels[0]
    tall, wide = min(height, source.shape[0]), min(width, source.shape[1])
    top, left = (int(rng.integers(free + 1)) for free in (source.shape[0] - tall, source.shape[1] - wide))
    piece = source[top : top + tall, left : left + wide][:, :: 1 - 2 * int(rng.integers(2))]
    order = ORDERS[rng.integers(len(ORDERS))]
    kept = int(rng.integers(contrast // 2, contrast + 1))
    greys = np.arange(256)
    channels = []
    for channel in order:
        middle = int(rng.integers(80, 176))
        curve = np.clip(middle + (greys - 128) * kept // 100, 0, 255).astype(np.uint8)
        channels.append(curve.take(piece[:, :, channel]))
    if not fitting:
        channels = [resize(channel, height, width).astype(np.uint8) for channel in channels]
    return np.stack(channels, axis=2)


@cache
def photographs() -> tuple[tuple[np.ndarray, ...], ...]:
    """Of each photograph, the whole (H, W, 3) uint8 and three times half of the one before.

    Raises:
        DataError: scikit-learn's pictures are not where they should be.
    """
    found = importlib.util.find_spec("sklearn")  # imports nothing: that would take half a second
    folder = Path((found.submodule_search_locations or [""])[0] if found else "") / "datasets" / "images"
    if not all((folder / name).is_file() for name in FILES):
        raise DataError(f"{folder} must hold {' and '.join(FILES)}, of which scenes are made: install scikit-learn.")
    levels = []
    for name in FILES:
        pyramid = [read_image(folder / name)]
        for _ in range(HALVINGS):
            pyramid.append(_half(pyramid[-1]))
        levels.append(tuple(pyramid))
    return tuple(levels)


def _half(image: np.ndarray) -> np.ndarray:
    """The mean of every two by two pixels; an odd last row or column is left out."""
    height, width = (side // 2 * 2 for side in image.shape[:2])
    wide = image[:height, :width].astype(np.uint16)
    total = wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2]
    return ((total + 2) >> 2).astype(np.uint8)
