"""Filters that are one line of taps down and one across: two passes instead of a window.

Each pass is a matrix product. A few lines of the result, a block, are a banded matrix times the lines they see; the
next few are the same matrix times the lines they see, which overlap with the first. Nothing is copied for that: it is
one batched product on a view. The first and the last lines have matrices of their own, into which the border is folded;
short axes have nothing but one such matrix, which is square.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from pellucid.ops.filters.border import empty, inside

# P planes of H x W pixels, k taps, B lines of a block that sees S lines

SHORT = 32  # pixels, up to which an axis takes a square matrix
LINES = {-2: 8, -1: 16}  # of a block, by axis: more waste products with zeros, fewer do not fill the processor
AT_ONCE = 1 << 18  # pixels of a chunk, which stays near the processor


@dataclass(frozen=True)
class Piece:
    """Lines of the result that come from the same matrix.

    Attributes:
        matrix: (B, S) for the pass down, (S, B) for the pass across.
        start: the first line of the result.
        sees: the first line that it sees.
        count: how many blocks follow each other.
    """

    matrix: Tensor
    start: int
    sees: int
    count: int


@lru_cache(maxsize=32)  # asked for again with every picture of the same size
def _pieces(
    taps: tuple[float, ...], n: int, axis: int, border: str, dtype: torch.dtype, device: torch.device
) -> list[Piece]:
    """Convolution along an axis of n pixels: all lines once. The taps are flipped."""
    k, lines = len(taps), LINES[axis]
    before, after = k // 2, (k - 1) // 2
    seen = inside(n, before, after, border).numpy()  # line i sees seen[i : i + k], -1 where zero stands
    head = -(-before // lines) * lines  # whole blocks, so that all begin where vectors do
    count = (n - head - after) // lines
    last = head + count * lines
    parts = [(0, head, 1), (head, head + lines, count), (last, n, 1)]
    if n <= SHORT or count < 1:
        middle = n // 2 if axis == -2 and n > 2 * k - 2 else n  # halves down, which leave out a third of the zeros
        parts = [(0, middle, 1), (middle, n, 1)]
    found = []
    for start, end, blocks in parts:
        if start == end:
            continue
        under = seen[start : end + k - 1]
        first, sees = int(under[under >= 0].min()), int(np.ptp(under[under >= 0])) + 1
        places = np.where(under >= 0, under - first, sees)  # zeros go to a column of their own, which is dropped
        rows = [np.bincount(places[i : i + k], taps[::-1], sees + 1)[:sees] for i in range(end - start)]
        matrix = torch.from_numpy(np.stack(rows)).to(device, dtype)
        found.append(Piece(matrix if axis == -2 else matrix.T.contiguous(), start, first, blocks))
    return found


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
    is_bytes, device = planes.dtype == torch.uint8, planes.device
    height, width = planes.shape[2:]
    rows = _pieces(tuple(map(float, down)), height, -2, border, work, device)
    columns = _pieces(tuple(map(float, across)), width, -1, border, work, device)
    each = planes.reshape(-1, height, width).contiguous()  # (P, H, W)
    out = empty(each.shape, torch.float32 if is_bytes and not rounded else planes.dtype, device)
    step = max(1, AT_ONCE // (height * width))
    one, other = empty((2, min(step, len(each)), height, width), work, device)
    for start in range(0, len(each), step):
        part, target = each[start : start + step], out[start : start + step]
        n = len(part)
        middle, found = other[:n], target if target.dtype == work else one[:n]
        _along(-2, part if part.dtype == work else one[:n].copy_(part), rows, middle)
        tall = math.gcd(n, 8)  # so many planes below each other are one to the pass across: fewer, larger products
        _along(-1, middle.view(-1, tall * height, width), columns, found.view(-1, tall * height, width))
        if found is not target:
            _convert(found, target)
    return out.view(planes.shape)


def _along(axis: int, seen: Tensor, pieces: list[Piece], out: Tensor) -> None:
    """One pass: contiguous planes (P, H, W) to planes of the same size.

    On the CPU by NumPy: its product is up to twice as fast as torch's for such small matrices, and writes into a view.
    """
    on_cpu = out.device.type == "cpu"
    for piece in pieces:
        b, s = piece.matrix.shape[:: 1 if axis == -2 else -1]
        into = _blocks(out.shape, axis, piece.start, piece.count, b, b)
        under = _blocks(out.shape, axis, piece.sees, piece.count, b, s)
        if on_cpu:
            factors = piece.matrix.numpy(), _strided(seen.numpy(), *under)
            np.matmul(*(factors if axis == -2 else factors[::-1]), out=_strided(out.numpy(), *into))
        else:
            windows = seen.as_strided(*under[:2], seen.storage_offset() + under[2])
            target = out.as_strided(*into[:2], out.storage_offset() + into[2])
            target.copy_(piece.matrix @ windows if axis == -2 else windows @ piece.matrix)


def _blocks(
    shape: Sequence[int], axis: int, start: int, count: int, step: int, length: int
) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Shape, strides and offset of a view of planes (P, H, W): one block of `length` lines every `step` lines."""
    p, height, width = shape
    size, line = ((length, width), width) if axis == -2 else ((height, length), 1)
    return (p, count, *size), (height * width, step * line, width, 1), start * line


def _strided(array: np.ndarray, shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> np.ndarray:
    """`Tensor.as_strided` for a contiguous array, in a third of the time."""
    size = array.itemsize
    return np.ndarray(shape, array.dtype, array, offset * size, tuple(size * step for step in strides))


def _convert(values: Tensor, out: Tensor) -> None:
    """Values in the type of `out`; for uint8 rounded half up, in place, where NumPy is seven times as fast."""
    if out.dtype != torch.uint8:
        out.copy_(values)
    elif out.device.type == "cpu":
        raised = values.numpy()
        np.add(raised, 0.5, out=raised)
        np.copyto(out.numpy(), raised, casting="unsafe")  # the whole part
    else:
        out.copy_(values.add_(0.5))
