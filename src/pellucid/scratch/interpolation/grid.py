"""Sampling grid: where the pixels of a resized picture lie among those of the old one.

Formula:
    pixel areas (align_corners=False)    t(o) = (o + 1/2) · step - 1/2,  step = n / n' or 1 / scale
    pixel centres (align_corners=True)   t(o) = o · (n - 1) / (n' - 1),  n' = 1: t = 0

Derivation:
    A pixel can be a little square or a point. Squares: n of them and n' new ones share one stretch of length n,
    so the new centre at o + 1/2 stands at (o + 1/2) n / n' of the old ones, whose indices begin at 1/2. Points: the
    first and last old ones, n - 1 apart, fall on the first and last new ones, n' - 1 apart.
    Resizing is worked out an axis at a time; pictures and volumes are two and three of them in turn.

Source: `torch.nn.functional.interpolate`; course notes, interpolation, w = (x - x₀) / (x₁ - x₀).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np

from pellucid.core.errors import DataError

Size = int | Sequence[int] | None
Scale = float | Sequence[float] | None


@dataclass(frozen=True)
class Resized:
    """One axis before and after.

    Attributes:
        old, new: number of pixels.
        length, parts: `parts` new pixels cover `length` old ones. Two numbers, because to multiply by one and divide
            by the other gives whole numbers where they should be.
    """

    old: int
    new: int
    length: float
    parts: float

    def sources(self, align_corners: bool) -> np.ndarray:
        """t(o) for each new pixel, (new,) float64; outside 0 ... old - 1 near the ends of pixel areas."""
        o = np.arange(self.new)
        if align_corners:
            return o * (self.old - 1) / max(self.new - 1, 1)
        return (o + 0.5) * self.length / self.parts - 0.5


def resized_axes(x: np.ndarray, axes: int | None, size: Size, scale: Scale) -> list[Resized]:
    """What becomes of the last axes of x (N, C, d1, ..., dk).

    Args:
        x: the input.
        axes: k that is wanted; None for any.
        size: the new numbers of pixels, one for all axes or one each.
        scale: or new pixels an old one, one for all axes or one each; the new numbers are rounded down, and the grid
            still steps by 1 / scale, as in PyTorch.

    Raises:
        DataError: x has another rank or no pixels, not just one of size and scale is given, or a new number is
            below 1.
    """
    old = x.shape[2:]
    _check(x, axes)
    if size is not None and scale is None:
        resized = [Resized(n, int(new), n, new) for n, new in zip(old, _each(size, len(old)), strict=True)]
    elif size is None and scale is not None:
        resized = [Resized(n, floor(n * s), 1, s) for n, s in zip(old, _each(scale, len(old)), strict=True)]
    else:
        raise DataError(f"interpolation: give either size or scale, got size {size} and scale {scale}.")
    if min(axis.new for axis in resized) < 1:
        raise DataError(
            f"interpolation: {old} cannot become {tuple(axis.new for axis in resized)}, each must be 1 or more."
        )
    return resized


def _each(given: float | Sequence[float], number: int) -> list[float]:
    values = list(given) if isinstance(given, Sequence) else [given] * number
    if len(values) != number:
        raise DataError(f"interpolation: size or scale must be one number or {number}, got {len(values)}.")
    if min(values) <= 0:
        raise DataError(f"interpolation: size or scale must be above 0, got {given}.")
    return values


def _check(x: np.ndarray, axes: int | None) -> None:
    if x.ndim < 3 or (axes is not None and x.ndim != 2 + axes) or 0 in x.shape[2:]:
        wanted = ", ".join(f"d{axis + 1}" for axis in range(axes)) if axes else "d1, ..., dk"
        raise DataError(f"interpolation: x must be (N, C, {wanted}) with pixels in it, got {x.shape}.")
