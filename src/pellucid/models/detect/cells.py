"""How fine maps have to be, where their cells lie, and what they say, cell by cell.

Letters: N pictures, M feature maps, h x w cells of a map, A cells of all maps, map by map, row by row, B boxes a cell.
"""

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


def by_cell(maps: Tensor, n_numbers: int) -> Tensor:
    """(N, B * numbers, h, w) -> (N, h * w * B, numbers): row by row, cell by cell, box by box."""
    split = maps.unflatten(1, (-1, n_numbers)).flatten(3)  # (N, B, numbers, h*w)
    return split.permute(0, 3, 1, 2).flatten(1, 2)
