"""Turn, shear and stretch, in one resampling."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.data.canvas import IGNORE
from pellucid.data.transforms.batch import Batch, draw, moved, shows
from pellucid.ops import buffers
from pellucid.ops.rounding import round_into

CHUNK = 8  # pictures that are floats at a time
AT_ONCE = 1 << 26  # pixels of masks that are floats at a time: 256 MB, which pictures with hundreds of things exceed


@dataclass(frozen=True)
class Affine:
    """Turn by up to `rotate` degrees, shear by up to `shear` degrees, both ways, and change the ratio of width to
    height by a factor from 1 / (1 + stretch) to 1 + stretch at equal area; all about the middle, the turn last. Then
    move by up to `shift` of the sides, both ways and by any part of a pixel (`Shift` moves by whole ones).

    Pictures are interpolated bilinearly and continued outwards by their edge pixels; masks take the nearest pixel.
    """

    rotate: float = 0.0
    shear: float = 0.0
    stretch: float = 0.0
    shift: float = 0.0

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        n, _, height, width = batch["image"].shape
        return warped(batch, self.draw_back(n, (height, width), generator))

    def draw_back(self, n: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
        """(N, 2, 3) float32, from new to old coordinates."""
        turn = draw(n, -self.rotate, self.rotate, generator) * (math.pi / 180)
        slant = torch.tan(draw(n, -self.shear, self.shear, generator) * (math.pi / 180))
        wider = torch.exp(draw(n, -1, 1, generator) * math.log1p(self.stretch) / 2)
        cos, sin, zero, one = torch.cos(turn), torch.sin(turn), torch.zeros(n), torch.ones(n)
        undo_turn = matrices(cos, sin, -sin, cos)
        undo_shear = matrices(one, -slant, zero, one)
        undo_stretch = matrices(1 / wider, zero, zero, wider)
        linear = undo_stretch @ undo_shear @ undo_turn  # (N, 2, 2)
        back = about_middle(linear, size)
        if self.shift:
            sides = torch.tensor([size[1], size[0]])
            ways = torch.stack([draw(n, -self.shift, self.shift, generator) for _ in size], -1) * sides  # (N, 2)
            back[..., 2] -= (linear @ ways[..., None])[..., 0]
        return back


def warped(batch: Batch, back: Tensor) -> Batch:
    """The batch after `back` (N, 2, 3) float32 on the CPU, from new to old coordinates; the canvas keeps its size."""
    n, _, height, width = batch["image"].shape
    result = {**batch, "image": warp(batch["image"], back)}
    if "mask" in batch:
        result["mask"] = warp_mask(batch["mask"], back)
    if "instance_mask" in batch:
        result["instance_mask"] = warp_things(batch["instance_mask"], back)
    if "valid_hw" in batch:  # edge pixels are drawn outwards, so the whole canvas may show picture
        result["valid_hw"] = torch.tensor([height, width], device=batch["valid_hw"].device).repeat(n, 1)
    return result | moved(result, back, (height, width))


def about_middle(linear: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, 2, 3): the maps (N, 2, 2) with the middle of a canvas of this size kept in place."""
    middle = torch.tensor([size[1] / 2, size[0] / 2])
    return torch.cat([linear, (middle - linear @ middle)[..., None]], dim=-1)


def warp(image: Tensor, back: Tensor) -> Tensor:
    """Sample (N, C, H, W) uint8 at `back` (N, 2, 3) of every pixel centre, bilinearly, edges continued outwards."""
    theta = _unit_coordinates(back, image.shape[2], image.shape[3]).to(image.device)
    out = buffers.empty_like(image)
    step = CHUNK if image.device.type == "cpu" else max(1, len(image))
    for start in range(0, len(image), step):
        part = image[start : start + step].to(torch.float32)
        grid = _grid(theta[start : start + step], image.shape[2], image.shape[3])
        sampled = F.grid_sample(part, grid, mode="bilinear", padding_mode="border", align_corners=False)
        round_into(out[start : start + step], sampled)
    return out


def warp_mask(mask: Tensor, back: Tensor) -> Tensor:
    """Sample (N, H, W) integers at `back` of every pixel centre: the nearest pixel, 255 outside."""
    theta = _unit_coordinates(back, mask.shape[1], mask.shape[2]).to(mask.device)
    grid = _grid(theta, mask.shape[1], mask.shape[2])
    above = mask[:, None].to(torch.float32) + 1  # so that 0 is left for outside
    sampled = F.grid_sample(above, grid, mode="nearest", padding_mode="zeros", align_corners=False)[:, 0] - 1
    return torch.where(sampled < 0, IGNORE, sampled).to(mask.dtype)


def warp_things(masks: Tensor, back: Tensor) -> Tensor:
    """Sample (N, M, H, W) bool at `back` of every pixel centre: the nearest pixel, False outside."""
    theta = _unit_coordinates(back, *masks.shape[2:]).to(masks.device)
    return sample_things(masks, _grid(theta, *masks.shape[2:]))


def sample_things(masks: Tensor, grid: Tensor) -> Tensor:
    """(N, M, H, W) bool at the places (N, H, W, 2), from -1 to 1: the nearest pixel, False outside."""
    out = masks.new_zeros((*masks.shape[:2], *grid.shape[1:3]))
    if not masks.numel():
        return out
    numbers = torch.arange(1, masks.shape[1] + 1, device=masks.device)
    used = int((shows(masks).any(0) * numbers).amax())  # the last places mostly hold no thing
    step = max(1, AT_ONCE // max(1, used * masks[0, 0].numel()))
    for start in range(0, len(masks) if used else 0, step):
        part = slice(start, start + step)
        held = masks[part, :used].to(torch.float32)
        found = F.grid_sample(held, grid[part], mode="nearest", padding_mode="zeros", align_corners=False)
        out[part, :used] = found > 0.5
    return out


def _unit_coordinates(back: Tensor, height: int, width: int) -> Tensor:
    """The same map where both sides of the canvas run from -1 to 1, as torch's sampling wants it."""
    half = torch.tensor([width / 2, height / 2])
    linear = back[..., :2] * half / half[:, None]  # (N, 2, 2)
    offset = (back[..., :2] @ half + back[..., 2]) / half - 1
    return torch.cat([linear, offset[..., None]], dim=-1)


def _grid(theta: Tensor, height: int, width: int) -> Tensor:
    """(N, H, W, 2): where each pixel centre is taken from, by (N, 2, 3) in unit coordinates."""
    x = (torch.arange(width, device=theta.device) * 2 + 1) / width - 1
    y = (torch.arange(height, device=theta.device) * 2 + 1) / height - 1
    across = theta[:, :, 0, None] * x  # (N, 2, W)
    down = theta[:, :, 1, None] * y + theta[:, :, 2, None]  # (N, 2, H)
    grid = theta.new_empty(len(theta), height, width, 2)
    return torch.add(across.transpose(1, 2)[:, None], down.transpose(1, 2)[:, :, None], out=grid)


def matrices(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """(N, 2, 2) of the rows (a, b) and (c, d), each (N,)."""
    return torch.stack([a, b, c, d], dim=-1).view(-1, 2, 2)
