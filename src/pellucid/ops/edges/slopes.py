"""How steeply smoothed pictures rise along both diagonals: Sobel's derivatives are the sum and the difference of that.

Sobel's operator is two sums of neighbours, one along each axis, and then one more sum and one difference. The sums of
both axes, which are those of 2 x 2 pixels, become part of the smoothing. With the four that meet at a pixel,

    [p q]    down the diagonal s - p,    up it q - r    across = (s - p) + (q - r),    down = (s - p) - (q - r)
    [r s]

A batch is one sheet: first the first rows of all pictures, side by side, then their second rows. So a step right is one
place further in the flat list of the sheet, a step down is `stride` places, and every pass is one over all pictures.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from pellucid.ops.filters.border import empty
from pellucid.ops.filters.gaussian import gaussian_taps

# N pictures of H x W pixels, T places of the sheet, B lines of a block, which sees S lines

SHORT = 48  # pixels, up to which an axis takes one block
TILE = 256  # columns of a product with one block, whose lines then fit into the nearest cache
BLOCK = 16  # lines of a block, for usual taps: more waste products with zeros, fewer do not fill the processor


@dataclass(frozen=True)
class Slopes:
    """Pixel (y, x) of picture i lies at [y, i, x] of the sheet; places that are no pixel mean nothing.

    Attributes:
        falling, rising: flat (T,), the change down the diagonal to the right and up the other one. Their sum and
            difference are Sobel's derivatives across and down, each times the root of 2.
        strength: (T,), the norm of Sobel's derivatives.
        shape: of the sheet: at least H rows, N, at least W.
    """

    falling: Tensor
    rising: Tensor
    strength: Tensor
    shape: tuple[int, int, int]

    @property
    def stride(self) -> int:
        return self.shape[1] * self.shape[2]


@dataclass(frozen=True)
class Smoothing:
    """A Gaussian along an axis of n pixels and sums of two neighbours, as products with the lines that a block sees.

    Attributes:
        blocks: (blocks, B, S). Block i gives sums B * i and on; sum j is that of lines j - 1 and j, of which those
            outside are the nearest one inside.
        turned: (blocks, S, B), the same laid out for products from the right.
        before: how many lines outside the first block sees.
    """

    blocks: Tensor
    turned: Tensor
    before: int

    @property
    def given(self) -> int:
        return self.blocks.shape[0] * self.blocks.shape[1]

    @property
    def seen(self) -> int:
        return (self.blocks.shape[0] - 1) * self.blocks.shape[1] + self.blocks.shape[2]


def slopes(grey: Tensor, sigma: float) -> Slopes:
    """Smooth pictures (N, 1, H, W) and differentiate them; float64 for float64, else float32.

    Beyond the rim, a Gaussian's weights inside make up for those outside, and Sobel's sees the nearest pixel again.
    """
    sums = _smooth(grey, sigma)
    shape = (sums.shape[0], sums.shape[1], sums.shape[2])
    flat, stride = sums.view(-1), shape[1] * shape[2]
    length = len(flat) - stride - 1
    a, b, c = empty((3, length), flat.dtype, flat.device)
    falling = torch.sub(flat[stride + 1 :], flat[:length], out=a)
    rising = torch.sub(flat[1 : length + 1], flat[stride : stride + length], out=b)
    strength = torch.mul(falling, falling, out=c).addcmul_(rising, rising)
    return Slopes(falling, rising, _root(strength), shape)


def _root(squares: Tensor) -> Tensor:
    """The root, in place. NumPy's takes two thirds of torch's time."""
    if squares.device.type == "cpu":
        np.sqrt(squares.numpy(), out=squares.numpy())
        return squares
    return squares.sqrt_()


def _smooth(grey: Tensor, sigma: float) -> Tensor:
    """(H + 1, N, W + 1 or more): the sheet of sums of 2 x 2 smoothed pixels, times the root of 2.

    Sum (y, x) is that of which pixel (y, x) is the last; the outermost pixels lie around each picture once more.
    """
    n, _, height, width = grey.shape
    dtype = torch.float64 if grey.dtype == torch.float64 else torch.float32
    rows, columns = (_smoothing(sigma, size, dtype, grey.device) for size in (height, width))
    seen = empty((n, height, columns.seen), dtype, grey.device)
    seen[..., columns.before : columns.before + width] = grey[:, 0]
    _clear_around(seen, 2, columns.before, width)
    middle = empty((rows.seen, n, columns.given), dtype, grey.device)
    count, b, s = columns.blocks.shape
    windows = seen.as_strided((count, n, height, s), (b, height * columns.seen, columns.seen, 1))
    pixels = middle[rows.before : rows.before + height].unflatten(2, (count, b)).permute(2, 1, 0, 3)
    _multiply(windows, columns.turned[:, None], pixels)
    _clear_around(middle, 0, rows.before, height)
    count, b, s = rows.blocks.shape
    line = n * columns.given
    sums = empty((rows.given, n, columns.given), dtype, grey.device)
    tile = TILE if line % TILE == 0 else line
    windows = middle.as_strided((count, line // tile, s, tile), (b * line, tile, line, 1))
    _multiply(rows.blocks[:, None], windows, sums.view(count, b, line // tile, tile).transpose(1, 2))
    return sums[: height + 1]


def _clear_around(lines: Tensor, axis: int, start: int, count: int) -> None:
    """Zeros outside the lines start .. start + count - 1: no weight meets them, but nothing infinite may lie there."""
    lines.narrow(axis, 0, start).zero_()
    lines.narrow(axis, start + count, lines.shape[axis] - start - count).zero_()


def _multiply(a: Tensor, b: Tensor, out: Tensor) -> None:
    """Batched product. NumPy's goes right to its place; torch's would be laid out apart and copied."""
    if out.device.type == "cpu":
        np.matmul(a.numpy(), b.numpy(), out=out.numpy())
    else:
        out.copy_(torch.matmul(a, b))


@lru_cache(maxsize=16)  # tens of kilobytes, asked for again with every picture of the same size
def _smoothing(sigma: float, n: int, dtype: torch.dtype, device: torch.device) -> Smoothing:
    """The Gaussian, to four sigma, along an axis of n pixels."""
    reach = math.floor(4 * sigma + 0.5)
    radius = min(reach, n - 1)  # taps further out never meet a pixel
    taps = torch.from_numpy(gaussian_taps(sigma, 2 * reach + 1))[reach - radius : reach + radius + 1]
    if n <= SHORT:
        before, lines, sees = 0, n + 1, n
    else:
        before, lines = radius + 1, BLOCK * max(1, min(4, round(len(taps) / 32)))
        sees = lines + 2 * radius + 1
    count = -(-(n + 1) // lines)
    at = torch.arange(count)[:, None, None] * lines - before + torch.arange(sees)  # (blocks, 1, S)
    line = torch.arange(count * lines).view(count, lines, 1)
    weights = torch.zeros(count, lines, sees, dtype=torch.float64)
    for each in (line - 1, line):
        tap = at - each.clamp(0, n - 1) + radius
        is_inside = (at >= 0) & (at < n) & (tap >= 0) & (tap < len(taps))
        near = torch.where(is_inside, taps[tap.clamp(0, len(taps) - 1)], 0.0)
        total = near.sum(2, keepdim=True)
        weights += near / torch.where(total > 0, total, 1.0)  # 0: lines that only fill the last block
    blocks = (weights * 2**0.25).to(device, dtype)  # both axes together: the root of 2, which the strength is to have
    return Smoothing(blocks, blocks.mT.contiguous(), before)
