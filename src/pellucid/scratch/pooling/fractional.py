"""Fractional max pooling: max pooling by a ratio that is no whole number, over regions drawn at random.

Formula:
    out = ⌊n / ratio⌋
    disjoint      region i = [b_i, b_i+1 - 1],      b_i = ⌊(i + u) α⌋ - ⌊u α⌋,  α = n / out
    overlapping   region i = [a_i, a_i + kernel - 1],  a_i the same with α = (n - kernel) / (out - 1)

Derivation:
    ⌊(i + u) α⌋ climbs by ⌊α⌋ or ⌈α⌉ a step, by α on the average: for 1 < α < 2 a mixture of ones and twos whose
    order hangs on u. Less its first value it starts at 0; out · α = n, so b_out = ⌊n + u α⌋ - ⌊u α⌋ = n and the
    disjoint regions are a partition of the inputs. The overlapping windows all have the size of the kernel, and the
    last one ends at n. Rows and columns are drawn apart. In training u is drawn anew for each sample and channel; in
    use one averages over several draws. Backward is that of max pooling: to the first maximum of each region.

Source: Graham, "Fractional Max-Pooling", 2014; `torch.nn.FractionalMaxPool2d`, which has the overlapping mode.
"""

from collections.abc import Callable
from math import sqrt

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import DataError
from pellucid.scratch.pooling.max_unpool import max_unpool_forward

FractionalCache = tuple[np.ndarray, tuple[int, int]]
Regions = Callable[[np.ndarray, int, int, int], tuple[np.ndarray, np.ndarray]]


def fractional_max_pool_forward(
    x: np.ndarray, u: np.ndarray, ratio: float = sqrt(2), mode: str = "overlapping", kernel: int = 2
) -> tuple[np.ndarray, FractionalCache]:
    """The largest value of each region.

    Args:
        x: (N, C, H, W) inputs.
        u: (N, C, 2) in [0, 1): the draws for the columns and for the rows, in PyTorch's order (`_random_samples`).
        ratio: of the input to the output size, 1 or more.
        mode: "overlapping" or "disjoint".
        kernel: size of the overlapping windows. Inputs between two windows go unseen when it is below ⌈α⌉.

    Returns:
        out (N, C, ⌊H / ratio⌋, ⌊W / ratio⌋), and what backward needs.

    Raises:
        DataError: a shape or `ratio` does not fit.
        ConfigError: `mode` is an unknown word.
    """
    regions = choose(mode, MODES, "mode")
    _check(x, u, ratio, kernel)
    n, c, height, width = x.shape
    top, tall = regions(u[:, :, 1], height, int(height / ratio), kernel)  # (N, C, H') each
    left, wide = regions(u[:, :, 0], width, int(width / ratio), kernel)  # (N, C, W') each
    sample, channel = np.arange(n).reshape(n, 1, 1, 1), np.arange(c).reshape(c, 1, 1)
    out = np.full((n, c, top.shape[2], left.shape[2]), -np.inf, x.dtype)
    positions = top[:, :, :, None] * width + left[:, :, None]  # (N, C, H', W')
    for i, j in np.ndindex(np.max(tall, initial=0), np.max(wide, initial=0)):
        # a smaller region looks at its last row or column again
        row = (top + np.minimum(i, tall - 1))[:, :, :, None]
        column = (left + np.minimum(j, wide - 1))[:, :, None]
        value = x[sample, channel, row, column]  # (N, C, H', W')
        positions = np.where(value > out, row * width + column, positions)
        out = np.maximum(out, value)
    return out, (positions, (height, width))


def fractional_max_pool_backward(dout: np.ndarray, cache: FractionalCache) -> np.ndarray:
    """Gradient dx (N, C, H, W) from dout (N, C, H', W'): max unpooling of it."""
    positions, size = cache
    dx, _ = max_unpool_forward(dout, positions, size)
    return dx


def disjoint_regions(u: np.ndarray, size: int, out: int, kernel: int) -> tuple[np.ndarray, np.ndarray]:
    """First input and number of inputs of each region, (..., out) integers; together they are a partition of all."""
    edges = _climb(u, size / out, out + 1)
    edges[..., out] = size  # which rounding could miss
    return edges[..., :out], np.diff(edges)


def overlapping_regions(u: np.ndarray, size: int, out: int, kernel: int) -> tuple[np.ndarray, np.ndarray]:
    """The same for windows of one size, as PyTorch places them; a single one stands at the end."""
    starts = _climb(u, (size - kernel) / max(out - 1, 1), out)
    starts[..., out - 1] = size - kernel
    return starts, np.full_like(starts, kernel)


def _climb(u: np.ndarray, alpha: float, number: int) -> np.ndarray:
    """⌊(i + u) α⌋ - ⌊u α⌋ for i = 0 ... number - 1, integers (..., number)."""
    first = u[..., None].astype(np.float64)
    return (np.floor((np.arange(number) + first) * alpha) - np.floor(first * alpha)).astype(np.int64)


def _check(x: np.ndarray, u: np.ndarray, ratio: float, kernel: int) -> None:
    if x.ndim != 4 or u.shape != (*x.shape[:2], 2):
        raise DataError(f"fractional_max_pool: x must be (N, C, H, W) and u (N, C, 2), got {x.shape} and {u.shape}.")
    smallest = min(x.shape[2:])
    if not 1 <= ratio <= smallest:
        raise DataError(f"fractional_max_pool: ratio must be 1 to {smallest}, the smaller side of x, got {ratio}.")
    if not 1 <= kernel <= smallest:
        raise DataError(f"fractional_max_pool: kernel must be 1 to {smallest}, the smaller side of x, got {kernel}.")


MODES: dict[str, Regions] = {"overlapping": overlapping_regions, "disjoint": disjoint_regions}
