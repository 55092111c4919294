"""Canny's edge detector: lines one pixel wide where brightness changes most.

    1. smooth with a Gaussian and differentiate, which together is the derivative of a Gaussian
    2. strength and direction of the change at each pixel
    3. keep a pixel only if none is stronger one step ahead or behind in that direction
    4. keep a line only if some of its pixels are strong: a low threshold for the others, a high one for those

Canny, "A Computational Approach to Edge Detection", 1986. As in scikit-image and OpenCV, the derivative is Sobel's of
the smoothed picture. The pictures of a batch lie side by side in one flat list, so a step down is a shift of that list
and every pass runs over all pictures at once. From the third step on, only pixels that reach the low threshold are
looked at; where those are many, whole passes of minima and maxima, cheap for each pixel, first leave a third of them.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.core.config import require
from pellucid.ops.colour import rgb_to_grey
from pellucid.ops.edges.components import join_runs, positions
from pellucid.ops.edges.slopes import Slopes, slopes
from pellucid.ops.filters.gaussian import require_sigma
from pellucid.ops.pictures import Pictures, as_planes

# N pictures, H x W pixels, T places of the flat list, K pixels that are looked at

AT_ONCE = 1 << 20  # pixels; what is worked on between two passes stays in the cache
FEW = 1 << 16  # pixels; what is computed of so many stays near the processor
MANY = 0.2  # of all places; more are thinned out before they are looked at one by one
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
    slope = slopes(grey, sigma)
    low: Tensor | float
    high: Tensor | float
    low, high = (max(level, FLOOR) * unit for level in levels)
    if quantiles:
        strength = slope.strength.as_strided((n, height, width), (slope.shape[2], slope.stride, 1))
        each = _quantiles(strength.reshape(n, -1), levels).clamp_(min=FLOOR * unit)  # (2, N)
        whose = torch.arange(len(slope.strength), device=grey.device) % slope.stride // slope.shape[2]
        low = each[0].index_select(0, whose)  # of each place
    marks = torch.zeros(slope.shape[0] * slope.stride, dtype=torch.bool, device=grey.device)
    found = marks.view(slope.shape)
    _compare(slope.strength, low, marks[: len(slope.strength)])
    for rim in (found[:1], found[height - 1 :], found[:, :, :1], found[:, :, width - 1 :]):
        rim.zero_()  # the outermost pixels are left out
    if _count(marks) > MANY * len(marks):
        marks[: len(slope.strength)] &= _hopeful(slope)
    places = positions(marks)
    places, peaks = _ridges(places, slope)
    if quantiles:
        high = each[1].index_select(0, whose.index_select(0, places))
    is_strong = _compare(peaks, high, torch.empty_like(peaks, dtype=torch.bool))
    marks.zero_().index_copy_(0, places, is_strong)
    weak = places.index_select(0, positions(~is_strong))
    marks.index_fill_(0, _linked(weak, marks, slope.stride), True)
    edges.copy_(found[:height, :, :width].transpose(0, 1))


def _quantiles(strength: Tensor, shares: tuple[float, float]) -> Tensor:
    """(2, N): the strengths that such shares of the pixels (N, H*W) do not reach, interpolated."""
    rising = strength.sort(dim=1).values
    at = torch.tensor(shares, dtype=torch.float64) * (rising.shape[1] - 1)
    before = at.floor().long()
    after = (before + 1).clamp_(max=rising.shape[1] - 1)
    part = (at - before).to(rising)[:, None]
    return torch.lerp(rising.T[before.to(rising.device)], rising.T[after.to(rising.device)], part)


def _compare(values: Tensor, least: Tensor | float, out: Tensor) -> Tensor:
    """`values >= least`. NumPy's comparison is five times as fast as torch's."""
    if values.device.type == "cpu":
        np.greater_equal(values.numpy(), least.numpy() if isinstance(least, Tensor) else least, out=out.numpy())
        return out
    return torch.ge(values, least, out=out)


def _count(marks: Tensor) -> int:
    """How many are set. NumPy counts ten times as fast as torch."""
    return int(np.count_nonzero(marks.numpy()) if marks.device.type == "cpu" else marks.count_nonzero())


def _hopeful(slope: Slopes) -> Tensor:
    """(T,) bool: false where a look at all places, in whole passes, already shows that `_ridges` would drop them.

    Of the three neighbours on one side, the strength ahead lies between two: it is at least the smallest of the three.
    """
    # The bits of halves, read as whole numbers, keep their order, and passes over them take half the time. One more
    # than its own is more than a place loses by rounding and by ties.
    strength, stride = slope.strength.to(torch.float16).view(torch.int16), slope.stride
    a, b, c = torch.empty((3, len(strength)), dtype=torch.int16, device=strength.device)
    hopeful, beside, is_flat, grows = torch.empty((4, len(strength)), dtype=torch.bool, device=strength.device)
    inner = slice(stride + 1, len(strength) - stride - 1)
    own = torch.add(strength, 1, out=c)[inner]
    for step, along, out in ((1, stride, beside), (stride, 1, hopeful)):
        last = len(strength) - 2 * along
        least = torch.minimum(strength[:last], strength[along : last + along], out=a[:last])
        least = torch.minimum(least, strength[2 * along :], out=least)  # of a place, those `along` before and behind it
        start, count = inner.start - along, len(own)
        behind, ahead = (least[start + side : start + side + count] for side in (-step, step))
        _compare(own, torch.maximum(behind, ahead, out=b[:count]), out[inner])
    # nearer to the rows than to the columns: both diagonals grow, or none
    _compare(slope.falling, 0.0, is_flat).logical_xor_(_compare(slope.rising, 0.0, grows)).logical_not_()
    return hopeful.logical_xor_(beside.logical_xor_(hopeful).logical_and_(is_flat))  # is_flat ? beside : hopeful


def _ridges(places: Tensor, slope: Slopes) -> tuple[Tensor, Tensor]:
    """`_ridges_of_few`, of any number of places (K,)."""
    if len(places) <= FEW:
        return _ridges_of_few(places, slope)
    found = [_ridges_of_few(some, slope) for some in places.split(FEW)]
    places, peaks = (torch.cat(parts) for parts in zip(*found, strict=True))
    return places, peaks


def _ridges_of_few(places: Tensor, slope: Slopes) -> tuple[Tensor, Tensor]:
    """Which of the places (K,) are as strong as what lies ahead and stronger than what lies behind.

    The line along the gradient meets the ring of the eight neighbours between two of them: one beside or below, one at
    a corner. The strength there is interpolated between the two.

    Returns:
        the places, and how strong they are.
    """
    strength, stride = slope.strength, slope.stride
    peak = strength.index_select(0, places)
    falling, rising = slope.falling.index_select(0, places), slope.rising.index_select(0, places)
    is_flat = (falling * rising).ge_(0)  # 1: nearer to the rows than to the columns
    falling, rising = falling.abs_(), rising.abs_()
    slant = falling - rising  # above 0: the gradient points down to the right, or up to the left
    toward = slant.abs().div_(falling.add_(rising))  # the corner's weight
    beside = is_flat.mul_(1 - stride).add_(stride)  # steps as floats, in which the arithmetic is faster: 1 or stride
    corner = (1 + stride - beside).mul_(slant.sign_()).add_(beside)
    beside, corner = beside.to(places.dtype), corner.to(places.dtype)
    ahead = strength.index_select(0, places + beside).lerp_(strength.index_select(0, places + corner), toward)
    behind = strength.index_select(0, places - beside).lerp_(strength.index_select(0, places - corner), toward)
    rivals = torch.maximum(ahead.mul_(1 - TIE), behind.mul_(1 + TIE))
    stays = positions(_compare(peak, rivals, torch.empty_like(peak, dtype=torch.bool)))
    return places.index_select(0, stays), peak.index_select(0, stays)


def _spread(marks: Tensor, step: int) -> Tensor:
    """(T,) bool: what is marked, and the places `step` before and behind. NumPy takes half of torch's time."""
    spread = marks.clone()
    for out, other in ((spread[step:], marks[:-step]), (spread[:-step], marks[step:])):
        if marks.device.type == "cpu":
            np.logical_or(out.numpy(), other.numpy(), out=out.numpy())
        else:
            out.logical_or_(other)
    return spread


def _linked(weak: Tensor, strong: Tensor, stride: int) -> Tensor:
    """Those of the weak places (K,), rising, that hang together with a strong one through others.

    Strong pixels stay anyway, so only the weak ones are joined: their components must touch a strong pixel somewhere.

    Args:
        strong: (T,) bool.

    Returns:
        int64.
    """
    if len(weak) == 0:
        return weak
    # whole passes over bytes take less time than eight looks at each weak place
    around = _spread(_spread(strong, 1), stride)
    touches = around.index_select(0, weak)
    opens = torch.ones_like(touches)  # the first pixel of a run
    torch.ne(weak[1:], weak[:-1] + 1, out=opens[1:])
    first = positions(opens)
    last = torch.cat([first[1:] - 1, first.new_full((1,), len(weak) - 1)])
    root = join_runs(weak.index_select(0, first), weak.index_select(0, last) + 1, stride)
    of_pixel = root.index_select(0, torch.cumsum(opens, 0) - 1)
    stays = torch.zeros(len(first), dtype=torch.bool, device=weak.device)
    stays.index_fill_(0, of_pixel.index_select(0, positions(touches)), True)
    return weak.index_select(0, positions(stays.index_select(0, of_pixel)))
