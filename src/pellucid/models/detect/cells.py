"""How fine maps have to be, and where their cells lie. Letters: A cells of all maps, map by map, row by row."""

from collections.abc import Mapping

import torch
from torch import Tensor


def strides_for(image_size: tuple[int, int]) -> tuple[int, int]:
    """The finest and the coarsest stride at which a small network looks for things in pictures of this size."""
    side = min(image_size)
    if side < 96:
        return 4, 8
    return 8, 16 if side < 256 else 32


def cell_centres(maps: Mapping[int, Tensor]) -> tuple[Tensor, Tensor]:
    """Centres and sizes of all cells.

    Args:
        maps: pixels between neighbouring cells -> (N, M, h, w).

    Returns:
        (A, 2) float32: x, y in pixels of the picture; (A,) float32: pixels between neighbouring cells.
    """
    centres, strides = [], []
    for stride, each in maps.items():
        h, w = each.shape[-2:]
        y = (torch.arange(h, device=each.device, dtype=torch.float32) + 0.5) * stride
        x = (torch.arange(w, device=each.device, dtype=torch.float32) + 0.5) * stride
        y, x = torch.meshgrid(y, x, indexing="ij")
        centres.append(torch.stack([x, y], -1).flatten(0, 1))  # (h*w, 2)
        strides.append(torch.full((h * w,), float(stride), device=each.device))
    return torch.cat(centres), torch.cat(strides)
