"""Masks that a network gave on the grid of their boxes, brought to the pixels of the file. n things, S x S grid."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pellucid.ops.masks.paste import paste_masks
from pellucid.ops.masks.rle import Rle, encode_part


@dataclass(frozen=True)
class Part:
    """A mask that is False but in a window: `pixels` (h, w) bool, from row `top` and column `left` on."""

    pixels: np.ndarray
    top: int
    left: int


def paste(mask: Tensor, box_xyxy: Sequence[float], size: tuple[int, int]) -> Part:
    """One mask, made in the window of its box alone; see `ops.masks.paste` for which pixels belong to it.

    Args:
        mask: (S, S) in 0..1, on a grid that fills the box.
        box_xyxy: in pixels of the file, possibly reaching over the border.
        size: (H, W) of the file.
    """
    left, top = max(0, math.floor(box_xyxy[0])), max(0, math.floor(box_xyxy[1]))
    width, height = min(size[1], math.ceil(box_xyxy[2])) - left, min(size[0], math.ceil(box_xyxy[3])) - top
    if width <= 0 or height <= 0:
        return Part(np.zeros((0, 0), dtype=bool), 0, 0)
    box = mask.new_tensor(box_xyxy) - mask.new_tensor([left, top, left, top])
    return Part(paste_masks(mask[None], box[None], (height, width))[0].cpu().numpy(), top, left)


def united(parts: Sequence[Part], size: tuple[int, int]) -> Rle:
    """Run lengths of the whole picture (H, W) of what lies in any of the parts."""
    parts = [part for part in parts if part.pixels.size]
    if not parts:
        return encode_part(np.zeros((0, 0), dtype=bool), 0, 0, size)
    if len(parts) == 1:
        return encode_part(parts[0].pixels, parts[0].top, parts[0].left, size)
    top, left = min(part.top for part in parts), min(part.left for part in parts)
    bottom = max(part.top + part.pixels.shape[0] for part in parts)
    right = max(part.left + part.pixels.shape[1] for part in parts)
    whole = np.zeros((bottom - top, right - left), dtype=bool)
    for part in parts:
        rows, columns = part.pixels.shape
        whole[part.top - top :, part.left - left :][:rows, :columns] |= part.pixels
    return encode_part(whole, top, left, size)
