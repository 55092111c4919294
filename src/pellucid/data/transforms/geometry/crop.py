"""Smaller windows of the canvas: the middle, a random place, or a random place and scale."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pellucid.data.canvas import resize
from pellucid.data.transforms.batch import Batch, back_matrix, draw_whole, moved
from pellucid.data.transforms.geometry.things import move_things, thing_windows
from pellucid.data.transforms.geometry.windows import mask_windows, windows
from pellucid.ops import buffers

TRIES = 10  # shapes drawn until one fits into the canvas


@dataclass(frozen=True)
class CentreCrop:
    """The middle `size` of the canvas, for evaluation. Draws nothing."""

    size: tuple[int, int]

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return self.cut(batch, torch.arange(len(batch["image"])), generator)

    def cut(self, batch: Batch, rows: Tensor, generator: torch.Generator) -> Batch:
        n, (height, width) = len(rows), batch["image"].shape[2:]
        top = torch.full((n,), (height - self.size[0]) // 2)
        left = torch.full((n,), (width - self.size[1]) // 2)
        return _cut(batch, rows, top, left, self.size)


@dataclass(frozen=True)
class Window:
    """A `size` window of a larger canvas, moved from the middle by up to `shift` of its side, in whole pixels.

    The canvas limits the way, so every pixel is a pixel of the picture.
    """

    size: tuple[int, int]
    shift: float = 1.0

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return self.cut(batch, torch.arange(len(batch["image"])), generator)

    def cut(self, batch: Batch, rows: Tensor, generator: torch.Generator) -> Batch:
        n, canvas = len(rows), batch["image"].shape[2:]
        places = []
        for side, room in zip(self.size, canvas, strict=True):
            margin = room - side
            reach = min(margin // 2, round(self.shift * side))
            spare = (margin - margin // 2 - reach) if reach == margin // 2 else 0  # the odd pixel belongs to the end
            places.append(margin // 2 - reach + draw_whole(torch.full((n,), 2 * reach + spare), generator))
        return _cut(batch, rows, places[0], places[1], self.size)


@dataclass(frozen=True)
class RandomCrop:
    """A random part of the picture, scaled to `size`: the "random resized crop" of GoogLeNet (arXiv 1409.4842).

    A part has a share of the canvas's area drawn from `area` and a ratio of width to height, measured against that
    of `size`, drawn evenly in its logarithm from `aspect`; its place is drawn among all that lie inside the picture.
    Sides and places are whole pixels. Each picture has its own place. At most `shapes` different shapes are drawn
    for a batch and dealt out evenly: every picture's shape has the full distribution, but in a large batch some
    pictures share theirs, which lets them be resized together.
    """

    size: tuple[int, int]
    area: tuple[float, float] = (0.25, 1.0)
    aspect: tuple[float, float] = (3 / 4, 4 / 3)
    shapes: int = 8

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return self.cut(batch, torch.arange(len(batch["image"])), generator)

    def cut(self, batch: Batch, rows: Tensor, generator: torch.Generator) -> Batch:
        canvas = batch["image"].shape[2], batch["image"].shape[3]
        part_hw = self._draw_shapes(min(len(rows), self.shapes), canvas, generator)
        return cut_parts(batch, rows, part_hw, self.size, generator)

    def _draw_shapes(self, k: int, canvas: tuple[int, int], generator: torch.Generator) -> Tensor:
        """(k, 2) int64 heights and widths that fit into the canvas."""
        drawn = torch.rand(2, k, TRIES, generator=generator)
        pixels = (self.area[0] + (self.area[1] - self.area[0]) * drawn[0]) * canvas[0] * canvas[1]
        low, high = math.log(self.aspect[0]), math.log(self.aspect[1])
        ratio = torch.exp(low + (high - low) * drawn[1]) * self.size[1] / self.size[0]
        sides = torch.stack([(pixels / ratio).sqrt(), (pixels * ratio).sqrt()], -1).round().long()  # (k, TRIES, 2)
        limit = torch.tensor(canvas)
        first = (sides <= limit).all(-1).int().argmax(1)  # the first that fits; the very first if none does
        return sides[torch.arange(k), first].clamp(min=1).minimum(limit)


def cut_parts(batch: Batch, rows: Tensor, part_hw: Tensor, size: tuple[int, int], generator: torch.Generator) -> Batch:
    """Parts of the pictures `rows` (N,), each at a random place inside its picture, scaled to `size`.

    Args:
        part_hw: (K, 2) int64: heights and widths, dealt out to the pictures like cards.
    """
    image = batch["image"]
    n, (height, width) = len(rows), image.shape[2:]
    own_hw = part_hw.repeat(-(-n // max(1, len(part_hw))), 1)[:n]  # (N, 2)
    valid = batch["valid_hw"].cpu() if "valid_hw" in batch else torch.tensor([[height, width]]).expand(n, 2)
    room = (valid - own_hw).clamp(min=0)  # (N, 2)
    top, left = draw_whole(room[:, 0], generator), draw_whole(room[:, 1], generator)
    result = {**batch, "image": _image_parts(image, rows, part_hw, top, left, size)}
    if "mask" in batch:
        result["mask"] = _mask_parts(batch["mask"], rows, part_hw, top, left, size)
    if "instance_mask" in batch:
        result["instance_mask"] = thing_parts(batch, part_hw, top, left, size)
    scale = own_hw / torch.tensor(size)  # (N, 2)
    result |= moved(result, back_matrix(scale[:, 1], scale[:, 0], left.float(), top.float()), size)
    if "valid_hw" in batch:
        seen = (valid - torch.stack([top, left], 1)) / scale
        result["valid_hw"] = _limited(seen.ceil().long(), size).to(batch["valid_hw"].device)
    return result


def _image_parts(
    image: Tensor, rows: Tensor, part_hw: Tensor, top: Tensor, left: Tensor, size: tuple[int, int]
) -> Tensor:
    shape = (len(rows), *size, image.shape[1])
    on_cpu = image.device.type == "cpu"
    out = buffers.empty(shape, image.dtype) if on_cpu else image.new_empty(shape)
    for deal, part_size in dealt(len(rows), part_hw):
        part = windows(image, rows[deal], top[deal], left[deal], part_size)
        out[deal] = resize(part, size).permute(0, 2, 3, 1)
    return out.permute(0, 3, 1, 2)


def _mask_parts(
    mask: Tensor, rows: Tensor, part_hw: Tensor, top: Tensor, left: Tensor, size: tuple[int, int]
) -> Tensor:
    out = mask.new_empty((len(rows), *size))
    for deal, part_size in dealt(len(rows), part_hw):
        part = mask_windows(mask, rows[deal], top[deal], left[deal], part_size)
        out[deal] = nearest(part, size)
    return out


def thing_parts(batch: Batch, part_hw: Tensor, top: Tensor, left: Tensor, size: tuple[int, int]) -> Tensor:
    """Of the masks (N, M, H, W) of things, which are those of the batch already."""

    def move(masks: Tensor, places: Tensor, rows: Tensor) -> Tensor:
        out = masks.new_empty((len(places), *size))
        for number, (height, width) in enumerate(part_hw.tolist()):
            mine = (rows % len(part_hw) == number).nonzero()[:, 0]
            part = mask_windows(masks, places[mine], top[rows[mine]], left[rows[mine]], (height, width))
            out[mine.to(out.device)] = nearest(part, size)
        return out

    return move_things(batch, size, move)


def dealt(n: int, part_hw: Tensor) -> Iterator[tuple[slice, tuple[int, int]]]:
    """The places in the batch that get each shape, and the shape: dealt out like cards."""
    for k, (height, width) in enumerate(part_hw.tolist()):
        yield slice(k, n, len(part_hw)), (height, width)


def _cut(batch: Batch, rows: Tensor, top: Tensor, left: Tensor, size: tuple[int, int]) -> Batch:
    """A window of every picture, without scaling."""
    result = {**batch, "image": windows(batch["image"], rows, top, left, size)}
    if "mask" in batch:
        result["mask"] = mask_windows(batch["mask"], rows, top, left, size)
    if "instance_mask" in batch:
        result["instance_mask"] = thing_windows(batch, top, left, size)
    if "valid_hw" in batch:
        valid = batch["valid_hw"]
        result["valid_hw"] = _limited(valid - torch.stack([top, left], 1).to(valid.device), size)
    still = torch.ones(len(top))
    return result | moved(result, back_matrix(still, still, left.float(), top.float()), size)


def _limited(valid_hw: Tensor, size: tuple[int, int]) -> Tensor:
    return valid_hw.clamp(min=0).minimum(torch.tensor(size, device=valid_hw.device))


def nearest(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """(..., H, W) -> (..., h, w): the pixel under the centre of each new pixel, for any integers."""
    down, across = (
        ((torch.arange(new, device=mask.device) + 0.5) * (old / new)).long()
        for new, old in zip(size, mask.shape[-2:], strict=True)
    )
    if mask.device.type == "cpu":  # half the time of torch's
        lines = np.take(mask.numpy(), down.numpy(), axis=-2)
        return torch.from_numpy(np.take(lines, across.numpy(), axis=-1))
    return mask.index_select(-2, down).index_select(-1, across)
