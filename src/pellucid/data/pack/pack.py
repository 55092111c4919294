"""What a pack holds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pellucid.data.pack.outlines import Outlines
from pellucid.data.source import Problem


@dataclass
class Pack:
    """N pictures on canvases of one size, with their targets. All arrays are read only.

    Attributes:
        images: (N, h, w, C) uint8; an array, or a file mapped into memory.
        targets: arrays whose first side is N too: `label` (N,) int64 and `mask` (N, h, w) uint8 as far as the
            source has them, and always `valid_hw` (N, 2) int64, `original_hw` (N, 2) int64 and
            `canvas_affine` (N, 2, 3) float32 (see `canvas.Placed`).
        names: N record names.
        rows: (N,) int64, which records of the source these are, rising.
        problems: the records that were left out here, and why.
        path: the file, or None when the pack lives in memory.
        note: what a person should know about how it was made; "" mostly.
        outlines: of the things in the pictures, where a network wants them.
    """

    images: np.ndarray
    targets: dict[str, np.ndarray]
    names: list[str]
    rows: np.ndarray
    problems: list[Problem]
    path: Path | None = None
    note: str = ""
    outlines: Outlines | None = None

    def __len__(self) -> int:
        return len(self.images)
