"""Where the cells of maps lie in a picture. Letters: A cells of all maps together, map by map, row by row."""

from collections.abc import Mapping

import torch
from torch import Tensor


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
