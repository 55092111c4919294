"""The pictures that annotations speak of: are they there, inside of the root, and how large."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pellucid.core.errors import ImageError
from pellucid.data.images import read_size
from pellucid.data.source import Problem

BLOCK = 64  # headers a thread reads at a time


@dataclass
class Pictures:
    """N pictures as a reader meets them, each with what it is called, where it lies, its size and its split."""

    names: list[str] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    def add(self, name: str, path: Path, size: tuple[int, int], role: str) -> int:
        """One picture more; returns its row."""
        self.names.append(name)
        self.paths.append(path)
        self.sizes.append(size)
        self.roles.append(role)
        return len(self.names) - 1

    @property
    def sizes_hw(self) -> np.ndarray:
        """(N, 2) int64, height and width."""
        return np.array(self.sizes, dtype=np.int64).reshape(-1, 2)


def read_sizes(paths: Sequence[Path]) -> list[tuple[int, int] | ImageError]:
    """Height and width of each picture as it stands upright, from its header; or why it cannot be had."""

    def block(start: int) -> list[tuple[int, int] | ImageError]:
        return [_size(path) for path in paths[start : start + BLOCK]]

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return [size for part in pool.map(block, range(0, len(paths), BLOCK)) for size in part]


def size_problem(name: str, said: tuple[int, int], found: tuple[int, int], where: str) -> Problem:
    """What is said of a picture whose annotation speaks of another size; boxes in it would be wrong."""
    turned = " (sides swapped, as where EXIF turns a picture: save it upright)" if said == found[::-1] else ""
    reason = (
        f"the picture is {found[0]}x{found[1]} (height x width){turned}, {where} says {said[0]}x{said[1]}: its boxes "
        "belong to another picture"
    )
    return Problem(name, "size-mismatch", reason)


def _size(path: Path) -> tuple[int, int] | ImageError:
    try:
        return read_size(path)
    except ImageError as error:
        return error
