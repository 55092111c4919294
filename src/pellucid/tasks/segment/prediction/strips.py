"""Logits of another size than their picture, made to fit it a strip at a time.

Letters: K classes, h x w logits, H x W pixels of the picture.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

STRIP = 1 << 22  # values of a strip of enlarged logits: bounds the memory that a large photograph takes


def resized(strips: Iterable[Tensor], height: int, size: tuple[int, int]) -> Iterator[Tensor]:
    """Bilinear interpolation to the size of the picture, as `F.interpolate(align_corners=False)` does it.

    Args:
        strips: (K, rows, w) each, rows from top to bottom.
        height: h, the sum of all their rows.
        size: (H, W) of the picture.

    Yields:
        (K, rows, W); the strips' rows sum to H.
    """
    above, below, share = _places(height, size[0])
    held, first, asked = torch.empty(0), 0, 0  # logits still needed, the row they begin with, the next row to make
    for strip in strips:
        held = torch.cat([held, strip], dim=1) if held.numel() else strip
        ready = int((below < first + held.shape[1]).sum())
        most = max(1, STRIP // (held.shape[0] * size[1]))
        while asked < ready:
            rows = slice(asked, min(asked + most, ready))
            yield _columns(_between(held, above[rows] - first, below[rows] - first, share[rows], 1), size[1])
            asked = rows.stop
        keep = min(int(above[asked]) if asked < size[0] else height, first + held.shape[1])
        held, first = held[:, keep - first :], keep


def _columns(rows: Tensor, width: int) -> Tensor:
    return _between(rows, *_places(rows.shape[2], width), 2)


def _places(source: int, target: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each of `target` places along an axis of `source` cells: the two cells it lies between, and how far along."""
    at = ((torch.arange(target, dtype=torch.float64) + 0.5) * source / target - 0.5).clamp(0, source - 1)
    low = at.floor().long()
    return low, (low + 1).clamp(max=source - 1), (at - low).float()


def _between(values: Tensor, low: Tensor, high: Tensor, share: Tensor, axis: int) -> Tensor:
    low, high, share = (each.to(values.device) for each in (low, high, share))
    if not share.any():
        return values.index_select(axis, low)
    shape = [1, 1, 1]
    shape[axis] = len(low)
    return torch.lerp(values.index_select(axis, low), values.index_select(axis, high), share.view(shape))
