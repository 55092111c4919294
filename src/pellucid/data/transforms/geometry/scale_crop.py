"""Scale jitter: the picture at a random size, and a window of it.

He, Zhang, Ren, Sun 2015 (arXiv 1512.03385), section 3.4, after VGG (arXiv 1409.1556): the picture is resized so that
its shorter side is L, drawn from 256 to 480, and a 224x224 crop is taken at a random place.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.data.transforms.batch import Batch, draw_whole
from pellucid.data.transforms.geometry.crop import cut_parts


@dataclass(frozen=True)
class ScaleCrop:
    """A window of `size` at a random place of the picture whose shorter side was resized to L.

    To resize only what is kept, a part of size * S / L pixels is cut from the canvas, whose shorter side is S, and
    resized. Parts are whole pixels, never larger or smaller than the ends of `short_side` allow, so that L is hit
    within half a pixel of the part. At most `shapes` different L are drawn for a batch and dealt out evenly.

    Attributes:
        short_side: smallest and largest L, both included; at least the longer side of `size`.

    Raises:
        ConfigError: a window does not fit into the resized picture.
    """

    size: tuple[int, int]
    short_side: tuple[int, int] = (256, 480)
    shapes: int = 8

    def __post_init__(self) -> None:
        low, high = self.short_side
        if not max(self.size) <= low <= high:
            raise ConfigError(
                f"short_side must be two numbers from {max(self.size)} (the window) up, the smaller first, "
                f"got {low} {high}."
            )

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return self.cut(batch, torch.arange(len(batch["image"])), generator)

    def cut(self, batch: Batch, rows: Tensor, generator: torch.Generator) -> Batch:
        short = min(batch["image"].shape[2:])
        low, high = self.short_side
        drawn = low + draw_whole(torch.full((min(len(rows), self.shapes),), high - low), generator)  # (K,)
        window = torch.tensor(self.size, dtype=torch.float64) * short
        parts = (window / drawn[:, None]).round()  # (K, 2)
        parts = parts.maximum((window / high).ceil()).minimum((window / low).floor()).clamp(min=1)
        return cut_parts(batch, rows, parts.long(), self.size, generator)
