"""CIFAR-10's public binary format: records of one label byte and 3,072 pixels, all red, all green, all blue.

Described at https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from pathlib import Path

import numpy as np

from pellucid.core.errors import DataError

SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE
INNER = "cifar-10-batches-bin"  # the folder inside the published archive
FILES = {"train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test": ("test_batch.bin",)}
NAMES = "batches.meta.txt"


def read_cifar10_folder(folder: Path, classes: tuple[str, ...]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Role -> (images (N, 32, 32, 3) uint8, labels (N,) uint8).

    Args:
        folder: holds the six `.bin` files, or a folder `cifar-10-batches-bin` that does.
        classes: the names that `batches.meta.txt` must list, if it is there.

    Raises:
        DataError: a file is missing or cut, or the names are others.
    """
    if (folder / INNER).is_dir():
        folder = folder / INNER
    _check_names(folder / NAMES, classes)
    parts = {}
    for role, names in FILES.items():
        batches = [read_batch(folder / name) for name in names]
        parts[role] = tuple(np.concatenate(each) for each in zip(*batches, strict=True))
    return parts  # type: ignore[return-value]  # tuple() of a generator has no known length


def read_batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 32, 32, 3) uint8 and labels (N,) uint8 of one `.bin` file.

    Raises:
        DataError: the file is missing, empty, or no whole number of records.
    """
    if not path.is_file():
        raise DataError(f"{path.parent} has no file {path.name}.")
    try:
        content = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    if content.size == 0 or content.size % RECORD:
        raise DataError(f"{path} must be a whole number of records of {RECORD} bytes, got {content.size} bytes.")
    records = content.reshape(-1, RECORD)  # (N, 1 + C*H*W)
    planes = records[:, 1:].reshape(-1, 3, SIDE, SIDE)  # (N, C, H, W)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), records[:, 0].copy()  # (N, H, W, C), (N,)


def _check_names(path: Path, classes: tuple[str, ...]) -> None:
    if not path.is_file():
        return
    names = tuple(path.read_text(encoding="utf-8", errors="replace").split())
    if names != classes:
        raise DataError(f"{path} must list {', '.join(classes)}; got {', '.join(names) or 'nothing'}.")
