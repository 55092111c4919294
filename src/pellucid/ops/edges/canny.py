"""Canny's edge detector: lines one pixel wide where brightness changes most.

    1. smooth with a Gaussian and differentiate, which together is the derivative of a Gaussian
    2. strength and direction of the change at each pixel
    3. keep a pixel only if none is stronger one step ahead or behind in that direction
    4. keep a line only if some of its pixels are strong: a low threshold for the others, a high one for those

Canny, "A Computational Approach to Edge Detection", 1986. As in scikit-image and OpenCV, the derivative is Sobel's of
the smoothed picture. The pictures of a batch lie behind each other in one flat list with a frame around each, so
a step down is a shift of that list and every pass runs over all pictures at once; from the third step on, only the few
per cent of the pixels that reach the low threshold are looked at.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.core.config import require
from pellucid.ops.colour import rgb_to_grey
from pellucid.ops.edges.components import join_runs, positions
from pellucid.ops.filters.border import empty
from pellucid.ops.filters.gaussian import gaussian_taps, require_sigma
from pellucid.ops.filters.separable import separable_filter
from pellucid.ops.pictures import Pictures, as_planes

# N pictures, H x W pixels, T places of the flat list, K pixels that are looked at

AT_ONCE = 1 << 20  # pixels; what is worked on between two passes stays in the cache
FEW = 1 << 15  # pixels; small enough for the allocator to keep the memory of what is computed of them
TIE = 1e-5  # strengths that differ by less are equal: rounding must not decide which side of a step an edge is on
FLOOR = 1e-5  # of the range of values: rounding alone makes slopes up to here


def canny(x: Pictures, sigma: float = 1.0, low: float = 0.1, high: float = 0.2, quantiles: bool = False) -> Any:
    """Find edges.

    Args:
        x: (H, W), (C, H, W) or (N, C, H, W), uint8 or floating point, grey or RGB, which is made grey.
        sigma: of the Gaussian, in pixels: small for fine edges, large for coarse ones.
        low, high: how strong the pixels of an edge must be, all of them and one of them. In units of Sobel's operator
            (a slope of 1 per pixel counts 8) and of the range of values, which is 255 for uint8 and 1.0 for floating
            point: `low=0.1` is 25.5 for scikit-image and OpenCV on uint8 pictures.
        quantiles: `low` and `high` are shares of each picture's pixels instead: 0.9 is the strength that 90 % of them
            do not reach.

    Returns:
        bool, (H, W) of a single picture or (N, H, W), in the container and on the device of `x`. Where two
        neighbours are equally strong, the left or upper one is the edge. Beyond the rim nothing
        counts: the Gaussian's weights inside make up for those outside. The outermost pixels, whose neighbours are not
        known, are never edges.

    Raises:
        DataError: x is no picture, has other than 1 or 3 channels, is empty or not finite.
        ConfigError: sigma is no width, a threshold is negative (or, of quantiles, above 1), or `low` is above `high`.
    """
    require_sigma(sigma)
    allowed = "a share from 0 to 1" if quantiles else "a number of at least 0"
    for name, level in (("low", low), ("high", high)):
        require(0 <= level <= (1 if quantiles else float("inf")), name, allowed, level)
    require(low <= high, "low", f"at most high ({high!r})", low)
    planes = as_planes(x, "picture", channels=(1, 3))
    grey = planes.tensor if planes.tensor.shape[1] == 1 else rgb_to_grey(planes.tensor)
    n, _, height, width = grey.shape
    edges = torch.zeros((n, height, width), dtype=torch.bool, device=grey.device)
    unit = 255.0 if grey.dtype == torch.uint8 else 1.0
    step = max(1, AT_ONCE // (height * width))
    if height > 2 and width > 2:
        for start in range(0, n, step):
            _mark(grey[start : start + step], sigma, (low, high), unit, quantiles, edges[start : start + step])
    return planes.back_each(edges)


def _mark(grey: Tensor, sigma: float, levels: tuple[float, float], unit: float, quantiles: bool, edges: Tensor) -> None:
    """Set the edges (N, H, W) of pictures (N, 1, H, W)."""
    n, height, width = edges.shape
    shape = (n, height + 2, width + 2)
    across, down, strength = _slopes(grey, sigma)
    laid_out = strength.view(shape)[:, :height, :width]
    if quantiles:
        low, high = _quantiles(laid_out.reshape(n, -1), levels).clamp_(min=FLOOR * unit)  # (N,) each
    else:
        low, high = (strength.new_full((1,), max(level, FLOOR) * unit) for level in levels)
    found = torch.zeros(shape, dtype=torch.bool, device=grey.device)
    inner = (slice(None), slice(1, height - 1), slice(1, width - 1))  # the outermost pixels are left out
    _compare(laid_out[inner], low[:, None, None], found[inner])
    places = positions(found.view(-1))
    found.zero_()
    if strength.numel() < 2**31:
        places = places.to(torch.int32)
    ridges = [_ridges(some, across, down, strength, width + 2) for some in places.split(FEW)]
    places, peaks = (torch.cat(parts) for parts in zip(*ridges, strict=True))
    if quantiles:
        high = high[(places // (shape[1] * shape[2])).long()]
    marks, is_strong = found.view(-1), _compare(peaks, high, torch.empty_like(peaks, dtype=torch.bool))
    marks.index_fill_(0, places.index_select(0, positions(is_strong)).long(), True)
    weak = places.index_select(0, positions(~is_strong))
    marks.index_fill_(0, _linked(weak, marks, width + 2), True)
    edges.copy_(found[:, :height, :width])


def _slopes(grey: Tensor, sigma: float) -> tuple[Tensor, Tensor, Tensor]:
    """Sobel's derivatives across and down of smoothed pictures (N, 1, H, W), and their norm.

    Returns:
        three flat lists (T,) of N * (H + 2) * (W + 2) numbers, of which those of pixel (y, x) of picture i lie at
        [i, y, x], and the others mean nothing.
    """
    n, _, height, width = grey.shape
    shape = (n, height + 2, width + 2)
    values = grey if grey.dtype in (torch.uint8, torch.float64) else grey.to(torch.float32)
    taps = _taps(sigma)
    smooth = separable_filter(values, taps, taps, "zero")[:, 0]
    a, b, c, d = empty((4, n * shape[1] * shape[2]), smooth.dtype, grey.device)
    framed = a.view(shape)  # the smooth pictures with one pixel more around them, the nearest one again
    framed[:, 1:-1, 1:-1] = smooth
    _make_up_for_outside(framed[:, 1:-1, 1:-1], sigma)
    for line, nearest in ((0, 1), (-1, -2)):
        framed[:, :, line] = framed[:, :, nearest]
        framed[:, line] = framed[:, nearest]
    stride = shape[2]
    length = len(a) - 2 * stride  # Sobel: (1, 2, 1) or (-1, 0, 1) down, then the other across
    above, middle, below = (a[step * stride : step * stride + length] for step in range(3))
    change = torch.sub(below, above, out=b[:length])
    weighted = torch.add(above, below, out=c[:length]).add_(middle, alpha=2)
    length -= 2
    down = torch.add(change[:-2], change[2:], out=d[:length]).add_(change[1:-1], alpha=2)
    across = torch.sub(weighted[2:], weighted[:-2], out=a[:length])
    torch.mul(across, across, out=b[:length]).addcmul_(down, down).sqrt_()
    return a, d, b


@lru_cache(maxsize=8)
def _taps(sigma: float) -> tuple[float, ...]:
    """The Gaussian, to four sigma."""
    return tuple(gaussian_taps(sigma, 2 * math.floor(4 * sigma + 0.5) + 1).tolist())


def _make_up_for_outside(smooth: Tensor, sigma: float) -> None:
    """Divide smoothed planes (N, H, W) by the weight that the taps had inside, which is less than 1 near the rim."""
    for axis in (1, 2):
        for start, inside in _weights_inside(sigma, smooth.shape[axis], smooth.dtype, smooth.device):
            smooth.narrow(axis, start, len(inside)).div_(inside if axis == 2 else inside[:, None])


@lru_cache(maxsize=16)
def _weights_inside(sigma: float, n: int, dtype: torch.dtype, device: torch.device) -> list[tuple[int, Tensor]]:
    """The parts of a line of n pixels around which the taps reach outside: first pixel, and weight inside of each."""
    taps = _taps(sigma)
    radius = len(taps) // 2
    sums = torch.tensor([0.0, *taps], dtype=torch.float64).cumsum(0)
    parts = []
    for start, end in ((0, radius), (n - radius, n)) if n > 2 * radius else ((0, n),):
        at = torch.arange(start, end)
        inside = sums[(n + radius - at).clamp(max=len(taps))] - sums[(radius - at).clamp(min=0)]
        parts.append((start, inside.to(device, dtype)))
    return parts


def _quantiles(strength: Tensor, shares: tuple[float, float]) -> Tensor:
    """(2, N): the strengths that such shares of the pixels (N, H*W) do not reach, interpolated."""
    rising = strength.sort(dim=1).values
    at = torch.tensor(shares, dtype=torch.float64) * (rising.shape[1] - 1)
    before = at.floor().long()
    after = (before + 1).clamp_(max=rising.shape[1] - 1)
    part = (at - before).to(rising)[:, None]
    return torch.lerp(rising.T[before.to(rising.device)], rising.T[after.to(rising.device)], part)


def _compare(values: Tensor, least: Tensor, out: Tensor) -> Tensor:
    """`values >= least`. NumPy's comparison is five times as fast as torch's."""
    if values.device.type == "cpu":
        np.greater_equal(values.numpy(), least.numpy(), out=out.numpy())
        return out
    return torch.ge(values, least, out=out)


def _ridges(places: Tensor, across: Tensor, down: Tensor, strength: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Which of the places (K,) are as strong as what lies ahead and stronger than what lies behind.

    The line along the gradient meets the ring of the eight neighbours between two of them: one beside or below, one at
    a corner. The strength there is interpolated between the two.

    Returns:
        the places, and how strong they are.
    """
    peak = strength.index_select(0, places)
    dx, dy = across.index_select(0, places), down.index_select(0, places)
    slant = (dx * dy).sign_()  # 1: the gradient points down to the right, or up to the left
    dx, dy = dx.abs_(), dy.abs_()
    is_flat = torch.ge(dx, dy, out=torch.empty_like(dx))  # 1: nearer to the rows than to the columns
    toward = torch.minimum(dx, dy).div_(torch.maximum(dx, dy))  # the corner's weight
    beside = is_flat.mul_(1 - stride).add_(stride)  # steps as floats, in which the arithmetic is faster: 1 or stride
    corner = (1 + stride - beside).mul_(slant).add_(beside)
    beside, corner = beside.to(places.dtype), corner.to(places.dtype)
    ahead = strength.index_select(0, places + beside).lerp_(strength.index_select(0, places + corner), toward)
    behind = strength.index_select(0, places - beside).lerp_(strength.index_select(0, places - corner), toward)
    rivals = torch.maximum(ahead.mul_(1 - TIE), behind.mul_(1 + TIE))
    stays = positions(_compare(peak, rivals, torch.empty_like(peak, dtype=torch.bool)))
    return places.index_select(0, stays), peak.index_select(0, stays)


def _linked(weak: Tensor, strong: Tensor, stride: int) -> Tensor:
    """Those of the weak places (K,), rising, that hang together with a strong one through others.

    Strong pixels stay anyway, so only the weak ones are joined: their components must touch a strong pixel somewhere.

    Args:
        strong: (T,) bool.

    Returns:
        int64.
    """
    if len(weak) == 0:
        return weak.long()
    touches = strong.index_select(0, weak - 1)
    for step in (1, *(side * stride + shift for side in (-1, 1) for shift in (-1, 0, 1))):
        touches |= strong.index_select(0, weak + step)
    opens = torch.ones_like(touches)  # the first pixel of a run
    torch.ne(weak[1:], weak[:-1] + 1, out=opens[1:])
    first = positions(opens)
    last = torch.cat([first[1:] - 1, first.new_full((1,), len(weak) - 1)])
    weak = weak.long()
    component = join_runs(weak.index_select(0, first), weak.index_select(0, last) + 1, stride)
    of_pixel = component.index_select(0, torch.cumsum(opens, 0) - 1)
    stays = torch.zeros(len(first), dtype=torch.bool, device=weak.device)
    stays.index_fill_(0, of_pixel.index_select(0, positions(touches)), True)
    return weak.index_select(0, positions(stays.index_select(0, of_pixel)))
