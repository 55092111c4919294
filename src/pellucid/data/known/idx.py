"""The IDX format of MNIST and its look-alikes: a big-endian header, then the bytes of one array.

Header: two zero bytes, one byte for the type (8 = unsigned byte), one for the number of dimensions, then
each dimension as four bytes. Described at http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from pellucid.core.errors import DataError

UNSIGNED_BYTE = 8
MAX_BYTES = 1 << 30  # a header can claim anything; no set of this format comes near
STEMS = {"train": "train", "test": "t10k"}  # role -> how its files' names begin


def read_idx_folder(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Role -> (images (N, H, W) uint8, labels (N,) uint8) of the four files of such a set, gzipped or not.

    Raises:
        DataError: a file is missing or damaged, or images and labels differ in number.
    """
    parts = {}
    for role, stem in STEMS.items():
        images = read_idx(_find(folder, f"{stem}-images-idx3-ubyte"), n_dimensions=3)
        labels = read_idx(_find(folder, f"{stem}-labels-idx1-ubyte"), n_dimensions=1)
        if len(images) != len(labels):
            raise DataError(f"{folder}: {len(images)} {role} images but {len(labels)} {role} labels.")
        parts[role] = images, labels
    return parts


def read_idx(path: Path, n_dimensions: int) -> np.ndarray:
    """The array of one file; names that end in `.gz` are unpacked on the way.

    Args:
        n_dimensions: how many the array must have; 3 for images, 1 for labels.

    Raises:
        DataError: the file is missing, no IDX file of unsigned bytes, has other dimensions, or holds more or
            fewer bytes than its header says.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            shape = _read_header(path, file.read(4 + 4 * n_dimensions), n_dimensions)
            content = file.read(math.prod(shape) + 1)  # one more than expected, to see that nothing follows
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    if len(content) != math.prod(shape):
        got = f"only {len(content)}" if len(content) < math.prod(shape) else "more"
        raise DataError(f"{path}: its header promises {math.prod(shape)} bytes of shape {shape}, it holds {got}.")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _read_header(path: Path, header: bytes, n_dimensions: int) -> tuple[int, ...]:
    wanted = bytes([0, 0, UNSIGNED_BYTE, n_dimensions])
    if header[:4] != wanted:
        raise DataError(
            f"{path} is no IDX file of unsigned bytes in {n_dimensions} dimensions: "
            f"it must begin with {wanted.hex()}, got {header[:4].hex() or 'nothing'}."
        )
    if len(header) < 4 + 4 * n_dimensions:
        raise DataError(f"{path} ends inside its header, after {len(header)} bytes.")
    shape = struct.unpack(f">{n_dimensions}I", header[4:])
    if math.prod(shape) > MAX_BYTES:
        raise DataError(f"{path}: its header promises {math.prod(shape)} bytes; {MAX_BYTES} are allowed.")
    return shape


def _find(folder: Path, name: str) -> Path:
    """Some copies are unpacked, and some have a dot instead of the second dash."""
    names = [name, name.replace("-idx", ".idx")]
    for candidate in [*names, *(f"{each}.gz" for each in names)]:
        if (folder / candidate).is_file():
            return folder / candidate
    raise DataError(f"{folder} has no file {name} or {name}.gz.")
