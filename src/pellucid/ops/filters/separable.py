"""Filters that are one line of taps down and one across: two passes instead of a window."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from pellucid.ops.filters.border import inside

# P planes of H x W pixels

LINES = 32  # a band gives: more waste multiplications with zeros, fewer do not fill the processor
AT_ONCE = 1 << 20  # pixels; blocks of a large batch stay near the processor


@dataclass(frozen=True)
class Band:
    """What lines first..last-1 of a filtered axis are made of.

    Attributes:
        matrix: (last - first, end - start): times lines start..end-1 of the picture. The border is folded into it.
    """

    first: int
    last: int
    start: int
    end: int
    matrix: Tensor


@lru_cache(maxsize=64)  # matrices of a few dozen kilobytes, asked for again with every picture of the same size
def _bands(taps: tuple[float, ...], n: int, border: str, dtype: torch.dtype, device: torch.device) -> list[Band]:
    """Convolution of a line of n pixels with taps, as banded matrices."""
    k = len(taps)
    seen = inside(n, k // 2, (k - 1) // 2, border)
    weights = torch.tensor(taps[::-1], dtype=torch.float64)  # convolution: the kernel is flipped
    bands = []
    for first in range(0, n, LINES):
        last = min(first + LINES, n)
        at = seen[first : last + k - 1].unfold(0, k, 1)  # (lines, k): the pixel under each tap
        there = at >= 0
        start, end = (int(at[there].min()), int(at[there].max()) + 1)
        matrix = torch.zeros(last - first, end - start, dtype=torch.float64)
        matrix.scatter_add_(1, (at - start).clamp_min(0), torch.where(there, weights, 0.0))
        bands.append(Band(first, last, start, end, matrix.to(device, dtype)))
    return bands


def separable_filter(
    planes: Tensor, down: Sequence[float], across: Sequence[float], border: str, rounded: bool = False
) -> Tensor:
    """Convolve planes with the kernel down[:, None] * across[None, :], keeping their size.

    Args:
        planes: (N, C, H, W), uint8 or floating point.
        down, across: taps; of an even number, as mode "same" of `convolve2d`.
        border: "zero", "reflect" or "replicate".
        rounded: uint8 stays uint8: rounded half up and held within 0..255.

    Returns:
        As planes, but float32 for uint8 that is not rounded.

    Raises:
        ConfigError: an unknown border.
    """
    work = planes.dtype if planes.dtype in (torch.float32, torch.float64) else torch.float32
    kind = torch.float32 if planes.dtype == torch.uint8 and not rounded else planes.dtype
    height, width = planes.shape[2:]
    rows = _bands(tuple(map(float, down)), height, border, work, planes.device)
    columns = _bands(tuple(map(float, across)), width, border, work, planes.device)
    each = planes.reshape(-1, height, width)  # (P, H, W)
    out = torch.empty(each.shape, dtype=kind, device=planes.device)
    step = max(1, AT_ONCE // (height * width))
    for start in range(0, len(each), step):
        block = each[start : start + step].to(work)
        middle = torch.empty_like(block, memory_format=torch.contiguous_format)
        result = out[start : start + step] if kind == work else torch.empty_like(middle)
        for band in rows:
            seen, matrix = block[:, band.start : band.end], band.matrix.expand(len(block), -1, -1)
            torch.bmm(matrix, seen, out=middle[:, band.first : band.last])
        lines, target = middle.view(-1, width), result.view(-1, width)
        for band in columns:
            torch.mm(lines[:, band.start : band.end], band.matrix.T, out=target[:, band.first : band.last])
        if kind == torch.uint8:
            result.add_(0.5).clamp_(0, 255.499)  # as `as_before`, without another copy
        if kind != work:
            out[start : start + step] = result
    return out.view(planes.shape)
