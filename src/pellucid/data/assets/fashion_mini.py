"""The part of Fashion-MNIST that is packaged: `fashion-mnist-mini.xz`, made by `tools/make_fashion_mini.py`.

The file is one xz stream of bare pixels: first the training pictures, then the test pictures. Each part
lists class 0, then class 1, ..., the same number of each, and every picture column by column. That order is
what xz packs best (5 % smaller than rows); labels need no bytes at all.
"""

import lzma
from pathlib import Path

import numpy as np

from pellucid.core.errors import DataError

FILE = Path(__file__).with_name("fashion-mnist-mini.xz")
CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
SIDE = 28
COUNTS = {"train": 12_000, "test": 2_000}


def read(file: Path = FILE) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Role -> (images (N, 28, 28) uint8, labels (N,) int64).

    Labels run 0, 1, ..., 9, 0, 1, ...: any stretch of ten pictures has one of each class.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        pixels = np.frombuffer(lzma.decompress(file.read_bytes()), dtype=np.uint8)
    except (OSError, lzma.LZMAError) as error:
        raise DataError(f"{file} cannot be read ({error}): install pellucid again.") from error
    expected = sum(COUNTS.values()) * SIDE * SIDE
    if pixels.size != expected:
        raise DataError(f"{file} must hold {expected} pixels, got {pixels.size}: install pellucid again.")
    parts = {}
    for role, n in COUNTS.items():
        part, pixels = np.split(pixels, [n * SIDE * SIDE])
        columns = part.reshape(len(CLASSES), n // len(CLASSES), SIDE, SIDE)  # (K, n, W, H)
        images = np.ascontiguousarray(columns.transpose(1, 0, 3, 2)).reshape(n, SIDE, SIDE)  # (N, H, W)
        parts[role] = images, np.tile(np.arange(len(CLASSES)), n // len(CLASSES))
    return parts
