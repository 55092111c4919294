"""Outlines of the things in packed pictures: kept as runs of pixels, drawn when a batch is made.

Letters: N pictures, M places for things, h, w the canvas, R runs in all, H, W a picture's file.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.core.preprocess import Fit
from pellucid.data.canvas import Layout, layout
from pellucid.data.objects import Objects
from pellucid.ops import buffers
from pellucid.ops.masks.rle import Rle, decode


@dataclass(frozen=True)
class Outlines:
    """Which pixels of N canvases belong to which thing.

    Attributes:
        starts, ends: (R,) int64, the first pixel of each run and the one behind it, counted line by line through the
            (M, h, w) masks of its picture.
        first: (N + 1,) int64, where the runs of each picture begin.
        shape: M, h, w.
    """

    starts: np.ndarray
    ends: np.ndarray
    first: np.ndarray
    shape: tuple[int, int, int]

    def draw(self, rows: np.ndarray) -> Tensor:
        """(len(rows), M, h, w) bool: the masks of these pictures."""
        out = buffers.empty((len(rows), *self.shape), torch.bool).zero_()
        counts = self.first[rows + 1] - self.first[rows]
        runs = _spread(self.first[rows], counts)
        starts = self.starts[runs] + np.repeat(np.arange(len(rows)) * int(np.prod(self.shape)), counts)
        out.view(-1).numpy()[_spread(starts, self.ends[runs] - self.starts[runs])] = True
        return out


def outlines_of(
    objects: Sequence[Objects],
    labels: np.ndarray,
    original_hw: np.ndarray,
    names: Sequence[str],
    size: tuple[int, int],
    fit: Fit,
) -> Outlines:
    """The masks of N pictures, brought onto their canvases by the nearest pixel, as masks of classes are.

    Args:
        objects: of N pictures, in pixels of their files.
        labels: (N, M) int64; masks of things that are not there (-1) are left out.
        original_hw: (N, 2), sizes of the files' pictures.
        names: of the pictures, for messages.
        size, fit: of the canvas; see `canvas.layout`.

    Raises:
        DataError: a mask has another size than its picture.
    """
    n, m = labels.shape
    height, width = size
    starts, ends, first = [], [], np.zeros(n + 1, dtype=np.int64)
    for row, things in enumerate(objects):
        file_hw = (int(original_hw[row, 0]), int(original_hw[row, 1]))
        picked: list[tuple[int, Rle]] = [
            (place, mask) for place, mask in enumerate(things.masks or ()) if labels[row, place] >= 0
        ]
        for place, mask in picked:
            if (mask.height, mask.width) != file_hw:
                raise DataError(
                    f"{names[row]}: the mask of thing {place} is {mask.height}x{mask.width} pixels but its picture is "
                    f"{file_hw[0]}x{file_hw[1]}; they must be equal."
                )
            begin, end = _runs(_placed(decode(mask), layout(file_hw, size, fit), size))
            starts.append(begin + place * height * width)
            ends.append(end + place * height * width)
        first[row + 1] = first[row] + sum(map(len, starts[len(starts) - len(picked) :]))
    nothing = np.zeros(0, dtype=np.int64)
    return Outlines(np.concatenate([nothing, *starts]), np.concatenate([nothing, *ends]), first, (m, height, width))


def _placed(mask: np.ndarray, where: Layout, size: tuple[int, int]) -> np.ndarray:
    """(H, W) bool -> (h, w) bool."""
    if mask.shape == size and where.shown_hw == size and (where.height, where.width) == size:
        return mask
    shown_hw = where.cut_hw or where.shown_hw
    file_hw, starts = (where.height, where.width), (where.top, where.left)
    lines = []
    for axis in (0, 1):
        seen = np.arange(where.cut[axis], where.cut[axis] + shown_hw[axis])
        step = np.float32(file_hw[axis] / where.shown_hw[axis])  # as torch's nearest-exact counts
        source = ((seen.astype(np.float32) + np.float32(0.5)) * step).astype(np.int64)
        lines.append(starts[axis] + source.clip(max=file_hw[axis] - 1))
    placed = np.zeros(size, dtype=bool)
    placed[: shown_hw[0], : shown_hw[1]] = mask[np.ix_(*lines)]
    return placed


def _runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the runs of (h, w) bool begin and end, counted line by line."""
    turns = np.flatnonzero(np.diff(mask.ravel(), prepend=False, append=False))
    return turns[0::2], turns[1::2]


def _spread(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """`[2, 7], [3, 2]` -> `[2, 3, 4, 7, 8]`."""
    before = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) + np.repeat(starts - before, counts)
