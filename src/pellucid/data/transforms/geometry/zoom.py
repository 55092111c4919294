"""Scale jitter that goes both ways: a part of the picture enlarged, or all of it smaller, with a border.

Ghiasi et al. 2021, "Simple copy-paste" (arXiv 2012.07177), section 3: standard jitter draws a factor from 0.8 to 1.25,
large jitter from 0.1 to 2. Smaller pictures are what SSD (arXiv 1512.02325, section 3.6) calls zooming out.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.data.canvas import IGNORE, resize
from pellucid.data.transforms.batch import Batch, back_matrix, draw, draw_whole, moved
from pellucid.data.transforms.geometry.crop import dealt, nearest
from pellucid.data.transforms.geometry.things import move_things
from pellucid.data.transforms.geometry.windows import mask_windows, windows
from pellucid.ops import buffers


@dataclass(frozen=True)
class Zoom:
    """Show each picture larger or smaller by a factor that is drawn evenly in its logarithm from `factor`.

    From 1 on a part at a random place inside the picture is scaled to `size`. Below 1 the picture shrinks and lies at a
    random place on `background`. Sides and places are whole pixels. At most `shapes` different factors are drawn for a
    batch and dealt out evenly; pictures that share one below 1 share the place on the background too.

    Attributes:
        size: height and width of what comes out.
        factor: the smallest and the largest, above 0.
        background: RGB; grey pictures take the mean.
    """

    size: tuple[int, int]
    factor: tuple[float, float] = (0.8, 1.25)
    background: tuple[int, int, int] = (255, 255, 255)
    shapes: int = 8

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return self.cut(batch, torch.arange(len(batch["image"])), generator)

    def cut(self, batch: Batch, rows: Tensor, generator: torch.Generator) -> Batch:
        image, n = batch["image"], len(rows)
        canvas, size = torch.tensor(image.shape[2:]), torch.tensor(self.size)
        smallest, largest = map(math.log, self.factor)
        factor = torch.exp(draw(min(n, self.shapes), smallest, largest, generator))[:, None]  # (K, 1)
        wanted = (size / factor).round().long().clamp(min=1)  # (K, 2)
        part_hw = wanted.minimum(canvas)  # of the canvas
        smaller = (part_hw * factor).round().long().clamp(min=1).minimum(size)
        shown_hw = torch.where(wanted <= canvas, size, smaller)  # the same part on what comes out
        corner = torch.stack([draw_whole(room, generator) for room in (size - shown_hw).T], 1)  # (K, 2)
        deal = torch.arange(n) % max(1, len(factor))
        valid = batch["valid_hw"].cpu() if "valid_hw" in batch else canvas.expand(n, 2)
        room = (valid - part_hw[deal]).clamp(min=0)  # (N, 2)
        top, left = draw_whole(room[:, 0], generator), draw_whole(room[:, 1], generator)
        result = {**batch, **self._planes(batch, rows, part_hw, shown_hw, corner, top, left)}
        scale = part_hw[deal] / shown_hw[deal]  # (N, 2), canvas pixels a new pixel
        start = torch.stack([top, left], 1) - corner[deal] * scale
        result |= moved(result, back_matrix(scale[:, 1], scale[:, 0], start[:, 1], start[:, 0]), self.size)
        if "valid_hw" in batch:
            ends = ((valid - start) / scale).ceil().long().clamp(min=0).minimum(size)
            result["valid_hw"] = ends.to(batch["valid_hw"].device)
        return result

    def _planes(
        self, batch: Batch, rows: Tensor, part_hw: Tensor, shown_hw: Tensor, corner: Tensor, top: Tensor, left: Tensor
    ) -> Batch:
        """Pictures and masks, by the windows of each shape."""
        image, n = batch["image"], len(rows)
        shape = (n, *self.size, image.shape[1])  # (N, h, w, C)
        out = buffers.empty(shape, image.dtype) if image.device.type == "cpu" else image.new_empty(shape)
        rgb = self.background
        out[:] = out.new_tensor(rgb if image.shape[1] == 3 else (round(sum(rgb) / 3),) * image.shape[1])
        found = {"image": out.permute(0, 3, 1, 2)}
        if "mask" in batch:
            found["mask"] = batch["mask"].new_full((n, *self.size), IGNORE)
        places = zip(dealt(n, part_hw), shown_hw.tolist(), corner.tolist(), strict=True)
        for (deal, part), (height, width), (y, x) in places:
            at, window = (slice(y, y + height), slice(x, x + width)), (top[deal], left[deal], part)
            pixels = windows(image, rows[deal], *window)
            found["image"][deal, :, *at] = pixels if part == (height, width) else resize(pixels, (height, width))
            if "mask" in batch:
                found["mask"][deal, *at] = nearest(mask_windows(batch["mask"], rows[deal], *window), (height, width))
        if "instance_mask" in batch:
            found["instance_mask"] = self._things(batch, part_hw, shown_hw, corner, top, left)
        return found

    def _things(
        self, batch: Batch, part_hw: Tensor, shown_hw: Tensor, corner: Tensor, top: Tensor, left: Tensor
    ) -> Tensor:
        """(N, M, h, w): masks of things, which are those of the batch already."""

        def move(masks: Tensor, places: Tensor, rows: Tensor) -> Tensor:
            out = masks.new_zeros((len(places), *self.size))
            kinds = zip(part_hw.tolist(), shown_hw.tolist(), corner.tolist(), strict=True)
            for number, (part, (height, width), (y, x)) in enumerate(kinds):
                mine = (rows % len(part_hw) == number).nonzero()[:, 0]
                cut = mask_windows(masks, places[mine], top[rows[mine]], left[rows[mine]], (part[0], part[1]))
                out[mine.to(out.device), y : y + height, x : x + width] = nearest(cut, (height, width))
            return out

        return move_things(batch, self.size, move)
