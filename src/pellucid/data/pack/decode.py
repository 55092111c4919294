"""From the records of a source to pixels on canvases, in parallel; broken records are named, not raised."""

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np

from pellucid.core.errors import ImageError
from pellucid.core.preprocess import Fit, Interpolation
from pellucid.core.progress import Advance
from pellucid.data.canvas import IGNORE, Placed, place
from pellucid.data.images import read_image, read_mask
from pellucid.data.pack.file import Rows
from pellucid.data.source import Problem, Source

BLOCK = 16  # records a thread takes at a time


@dataclass(frozen=True)
class Recipe:
    """How pictures get onto their canvas; see `Preprocess`."""

    size: tuple[int, int]
    channels: int
    fit: Fit
    background: tuple[int, int, int]
    interpolation: Interpolation = "bilinear"


@dataclass
class Canvases:
    """Where decoded records go, row by row.

    Attributes:
        images: (N, h, w, C) uint8, in memory or in a file.
        masks: (N, h, w) uint8 likewise, or None.
        valid_hw, original_hw: (N, 2) int64.
        affine: (N, 2, 3) float32.
    """

    images: Rows
    masks: Rows | None
    valid_hw: np.ndarray
    original_hw: np.ndarray
    affine: np.ndarray

    @classmethod
    def around(cls, images: Rows, masks: Rows | None) -> "Canvases":
        """Canvases whose pictures fill them, until told otherwise."""
        n, height, width = images.shape[:3]
        size = np.tile(np.array([height, width], dtype=np.int64), (n, 1))
        affine = np.tile(np.eye(2, 3, dtype=np.float32), (n, 1, 1))
        return cls(images, masks, size, size.copy(), affine)

    def put(self, row: int, placed: Placed) -> None:
        self.images[row] = placed.image
        self.valid_hw[row], self.original_hw[row], self.affine[row] = placed.valid_hw, placed.original_hw, placed.affine
        if self.masks is not None and placed.mask is not None:
            self.masks[row] = placed.mask

    def keep(self, rows: np.ndarray) -> None:
        """Move the given rows (rising) to the front; those of pictures in place, since they may lie in a file."""
        moves = [(new, old) for new, old in enumerate(rows.tolist()) if new != old]
        for store in (self.images, self.masks):
            if store is not None:
                for new, old in moves:
                    store[new] = store[old]
        self.valid_hw, self.original_hw, self.affine = self.valid_hw[rows], self.original_hw[rows], self.affine[rows]


def mask_table(source: Source) -> np.ndarray:
    """(256,) int16: value in a mask's file -> class id, 255 = ignore, -1 = not allowed."""
    table = np.full(256, -1, dtype=np.int16)
    table[IGNORE] = IGNORE
    ids = {k: k for k in range(min(len(source.classes), IGNORE))} if source.mask_ids is None else source.mask_ids
    for value, k in ids.items():
        if 0 <= value < 256:
            table[value] = k if 0 <= k < len(source.classes) or k == IGNORE else -1
    return table


def decode(source: Source, row: int, recipe: Recipe, table: np.ndarray) -> Placed:
    """One record on its canvas.

    Raises:
        ImageError: picture or mask cannot be used; `kind` says in a word why.
    """
    image = read_image(source.images[row], recipe.channels, recipe.background)
    mask = None
    if source.masks is not None:
        size = (image.shape[0], image.shape[1])
        mask = _read_mask(source.masks[row], size, source.names[row], table, source.mask_colours)
    return place(image, recipe.size, recipe.fit, recipe.background, mask, recipe.interpolation)


def decode_all(source: Source, recipe: Recipe, into: Canvases, advance: Advance) -> dict[int, Problem]:
    """Decode every record into its row of `into`, one thread a core. Rows of broken records stay as they are.

    Returns:
        row -> Problem of each broken record, rising.
    """
    table = mask_table(source)

    def block(start: int) -> dict[int, Problem]:
        problems = {}
        for row in range(start, min(start + BLOCK, len(source))):
            try:
                into.put(row, decode(source, row, recipe, table))
            except ImageError as error:
                problems[row] = Problem(source.names[row], error.kind, str(error))
        return problems

    starts = range(0, len(source), BLOCK)
    n_threads = min(_cores(), len(starts))
    found: dict[int, Problem] = {}
    if n_threads < 2:
        for start in starts:
            found |= block(start)
            advance(min(start + BLOCK, len(source)))
        return found
    pool = ThreadPoolExecutor(n_threads)
    try:
        for done, future in enumerate(as_completed([pool.submit(block, start) for start in starts]), start=1):
            found |= future.result()
            advance(min(done * BLOCK, len(source)))
    finally:
        pool.shutdown(cancel_futures=True)  # when interrupted, do not decode the rest first
    return dict(sorted(found.items()))


def to_classes(mask: np.ndarray, name: str, table: np.ndarray) -> np.ndarray:
    """Values of a mask's file as class ids.

    Raises:
        ImageError: of kind `mask-id`, naming the values that are no class, and where the first of them is.
    """
    ids = table[mask]
    wrong = ids < 0
    if wrong.any():
        allowed = ", ".join(_ranges(np.flatnonzero(table[:IGNORE] >= 0)))
        values = _ranges(np.unique(mask[wrong]))
        value, is_no = (
            ("value " + values[0], "is no class")
            if values[0].isdigit() and len(values) == 1
            else ("values " + ", ".join(values), "are no classes")
        )
        row, column = np.argwhere(wrong)[0]
        raise ImageError(
            f"{name}: the mask has the {value} (first at row {row}, column {column}), which {is_no} (allowed: "
            f"{allowed}, and {IGNORE} = ignore). Repair the mask or name its values.",
            "mask-id",
        )
    return ids.astype(np.uint8)


def _read_mask(
    item: object, size: tuple[int, int], name: str, table: np.ndarray, colours: dict[int, int] | None
) -> np.ndarray:
    """(H, W) uint8 class ids; all 255 where a record has no mask."""
    if item is None:
        return np.full(size, IGNORE, dtype=np.uint8)
    values = item if isinstance(item, np.ndarray) else read_mask(item, colours)  # type: ignore[arg-type]
    where = name if isinstance(item, np.ndarray) else str(item)
    if values.shape != size:
        raise ImageError(
            f"{where}: the mask is {values.shape[0]}x{values.shape[1]} pixels but its picture is {size[0]}x{size[1]}. "
            "Save both at one size.",
            "mask-size",
        )
    return to_classes(values, where, table)


def _ranges(values: np.ndarray) -> list[str]:
    """`[0, 1, 2, 5]` as `["0..2", "5"]`."""
    runs = np.split(values, np.flatnonzero(np.diff(values) > 1) + 1)
    return [str(run[0]) if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs if len(run)]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
