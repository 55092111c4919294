"""Random erasing: a rectangle of each picture is painted over.

Zhong, Zheng, Kang, Li, Yang 2017 (arXiv 1708.04896), algorithm 1: an area between 2 and 40 % of the picture's, a ratio
of sides between 0.3 and 1/0.3, anywhere inside, filled with random numbers.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pellucid.data.canvas import IGNORE
from pellucid.data.transforms.batch import Batch, draw_whole

TRIES = 10  # rectangles drawn until one fits, as the paper draws without end
Fill = Literal["noise", "mean"] | int


@dataclass(frozen=True)
class Erase:
    """Paint over one rectangle of each picture, with probability `p`.

    Masks become 255 there: as behind a `Cutout`, nothing is to be seen that could be told. Boxes and keypoints stay,
    as those of an object that stands behind another. Where none of ten rectangles fits, the picture is left whole.

    Attributes:
        p: of a picture to be erased; 0 is none.
        area: of the rectangle, as shares of the picture.
        aspect: smallest and largest ratio of its height to its width, drawn evenly in its logarithm.
        fill: "noise" (each pixel and channel anew, from 0 to 255), "mean" (the picture's mean colour) or a grey.
    """

    p: float = 0.5
    area: tuple[float, float] = (0.02, 0.4)
    aspect: tuple[float, float] = (0.3, 1 / 0.3)
    fill: Fill = "noise"

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        image = batch["image"]
        n, _, height, width = image.shape
        chosen = torch.rand(n, generator=generator) < self.p
        top, left, sides = self.draw_rectangles(n, (height, width), generator)
        return painted(batch, top, left, sides * chosen[:, None], self.fill, generator)

    def draw_rectangles(
        self, n: int, size: tuple[int, int], generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Top (n,), left (n,), and height and width (n, 2), which are 0 where nothing fits; int64."""
        drawn = torch.rand(2, n, TRIES, generator=generator)
        pixels = (self.area[0] + (self.area[1] - self.area[0]) * drawn[0]) * size[0] * size[1]
        low, high = math.log(self.aspect[0]), math.log(self.aspect[1])
        ratio = torch.exp(low + (high - low) * drawn[1])
        sides = torch.stack([(pixels * ratio).sqrt(), (pixels / ratio).sqrt()], -1).round().long()  # (n, TRIES, 2)
        limit = torch.tensor(size)
        fits = (sides <= limit).all(-1)
        sides = sides[torch.arange(n), fits.int().argmax(1)] * fits.any(1, keepdim=True)  # the first that fits
        room = limit - sides
        return draw_whole(room[:, 0], generator), draw_whole(room[:, 1], generator), sides


def painted(batch: Batch, top: Tensor, left: Tensor, sides: Tensor, fill: Fill, generator: torch.Generator) -> Batch:
    """The batch with one rectangle a picture painted over: `top`, `left` (N,), `sides` (N, 2) height and width."""
    out = batch["image"].clone(memory_format=torch.channels_last)
    pixels = out.permute(0, 2, 3, 1)  # (N, H, W, C)
    mask = batch["mask"].clone() if "mask" in batch else None
    areas = sides.prod(1)
    noise = _noise(int(areas.sum()), out, generator) if fill == "noise" else None
    start = 0
    places = torch.stack([top, left, sides[:, 0], sides[:, 1], areas], 1).tolist()
    for row, (y, x, height, width, area) in enumerate(places):  # slices: a tenth of the time of choosing by a mask
        if not area:
            continue
        where = row, slice(y, y + height), slice(x, x + width)
        if noise is not None:
            pixels[where] = noise[start : start + area].view(height, width, -1)
            start += area
        elif fill == "mean":
            pixels[where] = batch["image"][row].mean((1, 2), dtype=torch.float32).round_().to(torch.uint8)
        else:
            pixels[where] = fill  # type: ignore[assignment]
        if mask is not None:
            mask[where] = IGNORE
    return {**batch, "image": out} if mask is None else {**batch, "image": out, "mask": mask}


def _noise(n: int, image: Tensor, generator: torch.Generator) -> Tensor:
    """(n, C) uint8, where the picture is."""
    return torch.randint(0, 256, (n, image.shape[1]), generator=generator, dtype=torch.uint8).to(image.device)
