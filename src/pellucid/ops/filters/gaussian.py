"""The Gaussian: as a table of weights, and as a filter that smooths.

    g(x, y) = exp(-(x^2 + y^2) / (2 sigma^2)) / (2 pi sigma^2)

The rule for its size: three sigma to each side. Beyond lies less than 0.3 % of the weight of an axis.
"""

import math
from functools import lru_cache

import numpy as np

from pellucid.core.config import require
from pellucid.ops.filters.separable import separable_filter
from pellucid.ops.pictures import Pictures, as_planes

LARGEST = 10_000.0  # sigma in pixels; by the rule of three sigma, 60,001 taps


def gaussian_kernel(size: int | None = None, sigma: float = 1.0, normalise: bool = True) -> np.ndarray:
    """The Gaussian as a kernel for `convolve2d`.

    Args:
        size: of each side, odd; None takes 2 * ceil(3 sigma) + 1.
        sigma: standard deviation in pixels.
        normalise: make the sum 1. Otherwise the values are those of the density, whose sum on the grid is only near 1:
            it loses what lies outside, and pictures become darker by that.

    Returns:
        (size, size) float64.

    Raises:
        ConfigError: size is even or not positive, or sigma is not positive.
    """
    line = gaussian_taps(sigma, size)
    if not normalise:
        offsets = np.arange(len(line)) - len(line) // 2
        line = np.exp(-((offsets / sigma) ** 2) / 2) / (math.sqrt(2 * math.pi) * sigma)
    return np.outer(line, line)


def gaussian_taps(sigma: float, size: int | None = None) -> np.ndarray:
    """One line of the kernel, of sum 1: the kernel is the product of two such lines.

    Returns:
        (size,) float64; size None takes 2 * ceil(3 sigma) + 1.

    Raises:
        ConfigError: size is even or not positive, or sigma is not positive.
    """
    return np.array(_taps(sigma, size))


def _taps(sigma: float, size: int | None) -> tuple[float, ...]:
    require_sigma(sigma)
    if size is None:
        size = 2 * math.ceil(3 * sigma) + 1
    whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
    require(whole and size > 0 and size % 2 == 1, "size", "an odd whole number of pixels, or None", size)
    return _line(float(sigma), int(size))


@lru_cache(maxsize=32)  # asked for again with every picture: as much time as a picture of 28x28 takes
def _line(sigma: float, size: int) -> tuple[float, ...]:
    offsets = np.arange(size) - size // 2
    with np.errstate(over="ignore"):  # a sigma next to nothing: infinitely many of them to the neighbour
        weights = np.exp(-((offsets / sigma) ** 2) / 2)
    return tuple((weights / weights.sum()).tolist())


def require_sigma(sigma: float) -> None:
    """Refuse a sigma that is no width in pixels.

    Raises:
        ConfigError: it is not a number above 0.
    """
    number = isinstance(sigma, (int, float, np.integer, np.floating)) and not isinstance(sigma, bool)
    require(number and 0 < sigma <= LARGEST, "sigma", f"a number of pixels above 0, up to {LARGEST:.0f}", sigma)


def gaussian_filter(x: Pictures, sigma: float, size: int | None = None, border: str = "reflect") -> Pictures:
    """Smooth pictures with a Gaussian, each channel alone.

    Args:
        x: (H, W), (C, H, W) or (N, C, H, W), uint8 or floating point.
        sigma: standard deviation in pixels.
        size: of the window, odd; None takes 2 * ceil(3 sigma) + 1.
        border: beyond the edge: "reflect", "replicate" or "zero", which darkens the rim.

    Returns:
        As x, of the same size. uint8 is computed in float32 and then rounded half up: a value that lies within 1e-4 of
        a half may come out as the other neighbour.

    Raises:
        DataError: x is of a wrong rank or type, empty, or not finite.
        ConfigError: sigma or size is no width, or an unknown border.
    """
    taps = _taps(sigma, size)
    planes = as_planes(x)
    return planes.back(separable_filter(planes.tensor, taps, taps, border, rounded=True))
