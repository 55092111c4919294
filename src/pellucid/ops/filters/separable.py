"""Filters that are one line of taps down and one across: two passes instead of a window.

Each pass is a matrix product. A few lines of the result, `BLOCK` of them, are a banded matrix times the lines they see;
the next few are the same matrix times the lines they see, which overlap with the first. Nothing is copied for that: it
is one batched product on a view. Short axes take one square matrix, into which the border is folded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from pellucid.ops.filters.border import empty, extend, inside

# P planes of H x W pixels, k taps, B lines of a block

SHORT = 48  # pixels, up to which an axis takes a square matrix
BLOCK = 16  # lines that a band gives, for usual taps: more waste products with zeros, fewer do not fill the processor
AT_ONCE = 1 << 19  # pixels of a chunk, which stays near the processor


@dataclass(frozen=True)
class Pass:
    """Convolution along an axis of n pixels as a matrix product.

    Attributes:
        matrix: (n, n) where square, else (B, B + k - 1).
        before, after: how many lines the axis is to be extended by.
        square: whether the matrix takes the whole axis at once.
    """

    matrix: Tensor
    before: int
    after: int
    square: bool

    @property
    def lines(self) -> int:
        return self.matrix.shape[0]


@lru_cache(maxsize=64)  # matrices of a few kilobytes, asked for again with every picture of the same size
def _pass(taps: tuple[float, ...], n: int, border: str, dtype: torch.dtype, device: torch.device) -> Pass:
    """The pass for an axis of n pixels. Convolution: the taps are flipped."""
    k = len(taps)
    before, after = k // 2, (k - 1) // 2
    square = n <= SHORT
    lines = n if square else BLOCK * max(1, min(4, round(k / 32)))
    seen = inside(n, before, after, border) if square else torch.arange(lines + k - 1)
    at = seen.unfold(0, k, 1)  # (lines, k): the line under each tap, -1 where zero stands
    weights = torch.where(at >= 0, torch.tensor(taps[::-1], dtype=torch.float64), 0.0)
    matrix = torch.zeros(lines, n if square else lines + k - 1, dtype=torch.float64)
    matrix = matrix.scatter_add_(1, at.clamp_min(0), weights).to(device, dtype)
    return Pass(matrix, 0, 0, True) if square else Pass(matrix, before, after + lines - 1, False)


def separable_filter(
    planes: Tensor, down: Sequence[float], across: Sequence[float], border: str, rounded: bool = False
) -> Tensor:
    """Convolve planes with the kernel down[:, None] * across[None, :], keeping their size.

    Args:
        planes: (N, C, H, W), uint8 or floating point.
        down, across: taps; of an even number, as mode "same" of `convolve2d`.
        border: "zero", "reflect" or "replicate".
        rounded: uint8 stays uint8, rounded half up: for taps that average, so that nothing leaves 0..255.

    Returns:
        As planes, but float32 for uint8 that is not rounded.

    Raises:
        ConfigError: an unknown border.
    """
    work = planes.dtype if planes.dtype in (torch.float32, torch.float64) else torch.float32
    is_bytes = planes.dtype == torch.uint8
    height, width = planes.shape[2:]
    rows = _pass(tuple(map(float, down)), height, border, work, planes.device)
    columns = _pass(tuple(map(float, across)), width, border, work, planes.device)
    each = planes.reshape(-1, height, width)  # (P, H, W)
    out = empty(each.shape, torch.float32 if is_bytes and not rounded else planes.dtype, planes.device)
    step = max(1, AT_ONCE // (height * width))
    for start in range(0, len(each), step):
        target = out[start : start + step]
        margins = (rows.before, rows.after), (columns.before, columns.after)
        seen = extend(each[start : start + step], *margins, border, work)
        middle = _down(seen, rows, height)  # (P, >= H, W and what the next pass sees)
        if is_bytes and rounded:  # by way of int16: what PyTorch has for float to uint8 takes five times as long
            whole = torch.empty_like(target, dtype=torch.int16)
            _across(middle, columns, whole, offset=0.5)
            target.copy_(whole)
        else:
            _across(middle, columns, target)
    return out.view(planes.shape)


def _down(seen: Tensor, rows: Pass, height: int) -> Tensor:
    """The first pass: (P, extended H, W) to (P, H or more, W), of which the first H rows count.

    All planes are one tall picture, of which the rows that mix two planes do not count.
    """
    p, tall, width = seen.shape
    if rows.square:
        return torch.bmm(rows.matrix.expand(p, -1, -1), seen)
    b, sees = rows.matrix.shape
    blocks = -(-((p - 1) * tall + height) // b)
    out = empty((p * tall, width), seen.dtype, seen.device)
    windows = seen.as_strided((blocks, sees, width), (b * width, width, 1))
    torch.bmm(rows.matrix.expand(blocks, -1, -1), windows, out=out[: blocks * b].view(blocks, b, width))
    return out.view(p, tall, width)[:, : height if p == 1 else tall]


def _across(middle: Tensor, columns: Pass, target: Tensor, offset: float = 0.0) -> None:
    """The second pass: (P, H or more, extended W) into target (P, H, W), in its type, with `offset` added."""
    p, tall, wide = middle.shape
    _, height, width = target.shape
    if columns.square:
        found = middle.reshape(p * tall, wide) @ columns.matrix.T
        target.copy_((found.add_(offset) if offset else found).view(p, tall, width)[:, :height])
        return
    b, sees = columns.matrix.shape
    blocks = -(-width // b)
    windows = middle.as_strided((blocks, p * tall, sees), (b, wide, 1))
    found = empty((blocks, p * tall, b), middle.dtype, middle.device)
    torch.bmm(windows, columns.matrix.T.expand(blocks, -1, -1), out=found)
    if offset:
        found.add_(offset)
    ordered = found.view(blocks, p, tall, b)[:, :, :height].permute(1, 2, 0, 3)  # (P, H, blocks, B)
    whole = width // b
    target[..., : whole * b].unflatten(-1, (whole, b)).copy_(ordered[:, :, :whole])
    if whole < blocks:
        target[..., whole * b :] = ordered[:, :, whole, : width - whole * b]
