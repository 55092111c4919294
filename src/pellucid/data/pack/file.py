"""A file of arrays that is complete or absent. Large arrays are written row by row and mapped when read.

Layout: the arrays, each at a multiple of 4096 bytes; an index in JSON; its length (8 bytes, little-endian);
`MAGIC`. The index is written last and the file is put in place as a whole, so a file that can be opened is whole.
"""

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from pellucid.core.files import write_atomic

MAGIC = b"PLCDPACK"
PAGE = 4096

Arrays = dict[str, np.ndarray]


class Rows(Protocol):
    """N uint8 arrays of one shape that can be set and read one by one: an array, or part of a file."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __setitem__(self, row: int, values: np.ndarray) -> None: ...

    def __getitem__(self, row: int) -> np.ndarray: ...


class FileRows:
    """Rows that are written straight into a file. Threads may write different rows at once.

    Plain writes, not a mapping: on a full disk they raise where a mapping would kill the process, and they cost a
    third of the time, since no page has to be brought into the process first.
    """

    def __init__(self, handle: int, offset: int, shape: tuple[int, ...]) -> None:
        self.handle, self.offset, self.shape = handle, offset, shape
        self.n_bytes = math.prod(shape[1:])

    def __setitem__(self, row: int, values: np.ndarray) -> None:
        left, place = np.ascontiguousarray(values).data.cast("B"), self.offset + row * self.n_bytes
        while left:
            written = os.pwrite(self.handle, left, place)
            left, place = left[written:], place + written

    def __getitem__(self, row: int) -> np.ndarray:
        content = os.pread(self.handle, self.n_bytes, self.offset + row * self.n_bytes)
        return np.frombuffer(content, np.uint8).reshape(self.shape[1:])


Fill = Callable[[dict[str, FileRows]], tuple[int, Arrays, dict[str, Any]]]


def write_arrays(path: Path, shapes: Mapping[str, tuple[int, ...]], fill: Fill) -> None:
    """Write a file of arrays.

    Args:
        path: where.
        shapes: name -> shape of the large uint8 arrays. Their space is taken before `fill` starts.
        fill: given those, sets their first n rows and returns n, the small arrays, and plain JSON.

    Raises:
        WriteError: the disk is full, or the place cannot be written; nothing is left behind.
    """

    def write(file: IO[bytes]) -> None:
        large, end = {}, 0
        for name, shape in shapes.items():
            large[name] = FileRows(file.fileno(), end, shape)
            end = -(-(end + math.prod(shape)) // PAGE) * PAGE
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, max(end, 1))  # a disk that is too full says so now, not in an hour
        n_rows, small, info = fill(large)
        index: dict[str, Any] = {name: ["|u1", [n_rows, *rows.shape[1:]], rows.offset] for name, rows in large.items()}
        file.seek(end)
        for name, values in small.items():
            index[name] = [values.dtype.str, list(values.shape), file.tell()]
            file.write(np.ascontiguousarray(values).tobytes())
        text = json.dumps({"arrays": index, "large": list(shapes), "info": info}).encode()
        file.write(text + len(text).to_bytes(8, "little") + MAGIC)

    write_atomic(path, write)


def open_arrays(path: Path) -> tuple[Arrays, dict[str, Any]] | None:
    """Arrays and JSON of a file; None if it is not there, or no such file.

    The large arrays are mapped: what a program writes into them stays in its own memory.
    """
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 16))
            tail = file.read(16)
            length = int.from_bytes(tail[:8], "little")
            if tail[8:] != MAGIC or length > size - 16:
                return None
            file.seek(size - 16 - length)
            content = json.loads(file.read(length))
            arrays: Arrays = {}
            for name, (dtype, shape, offset) in content["arrays"].items():
                if name in content["large"]:
                    arrays[name] = np.memmap(path, dtype, "c", offset, tuple(shape))
                else:
                    file.seek(offset)
                    arrays[name] = np.frombuffer(
                        bytearray(file.read(math.prod(shape) * np.dtype(dtype).itemsize)), dtype
                    )
                    arrays[name] = arrays[name].reshape(shape)
    except (OSError, ValueError, KeyError):
        return None
    return arrays, content["info"]
