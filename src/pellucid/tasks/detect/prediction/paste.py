"""Masks that a network gave on the grid of their boxes, brought to the pixels of the file. n things, S x S grid."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.ops.masks.rle import Rle, encode_part

INSIDE = 0.5  # least probability of a pixel that belongs to a thing


def paste(masks: Tensor, boxes_xyxy: np.ndarray, size: tuple[int, int]) -> tuple[Rle, ...]:
    """Run-length codes of the whole picture, each made in the window of its box alone.

    A pixel belongs to a thing if its centre lies in the box and the grid says at least 0.5 there, between the middles
    of its cells linearly, and up to the edge as in the outermost ones.

    Args:
        masks: (n, S, S) in 0..1, on a grid that fills the box.
        boxes_xyxy: (n, 4) in pixels of the file, possibly reaching over the border.
        size: (H, W) of the file.
    """
    return tuple(_one(mask, box, size) for mask, box in zip(masks, boxes_xyxy.tolist(), strict=True))


def _one(mask: Tensor, box: Sequence[float], size: tuple[int, int]) -> Rle:
    xs, ys = _centres(box[0], box[2], size[1]), _centres(box[1], box[3], size[0])  # pixels whose centre lies within
    if not len(xs) or not len(ys):
        return encode_part(np.zeros((0, 0), dtype=bool), 0, 0, size)
    across = (xs + 0.5 - box[0]) / (box[2] - box[0]) * 2 - 1
    down = (ys + 0.5 - box[1]) / (box[3] - box[1]) * 2 - 1
    grid = torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=-1).to(mask)  # (h, w, 2)
    likely = F.grid_sample(mask[None, None], grid[None], padding_mode="border", align_corners=False)
    return encode_part((likely[0, 0] >= INSIDE).cpu().numpy(), int(ys[0]), int(xs[0]), size)


def _centres(low: float, high: float, length: int) -> Tensor:
    """Numbers of the pixels along an axis whose centres lie between the two."""
    pixels = torch.arange(max(0, int(np.floor(low))), min(length, int(np.ceil(high))))
    return pixels[(pixels + 0.5 >= low) & (pixels + 0.5 <= high)]
