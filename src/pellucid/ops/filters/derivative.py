"""How brightness changes along an axis, on a picture that is smoothed first: noise changes from pixel to pixel.

Smoothing and differentiating are both convolutions, and those are associative. So one convolution with the
derivative of the Gaussian does both:

    d/dx (f * g) = f * (dg/dx),    dg/dx = -x / sigma^2 g(x)

The star is convolution. For the product of two functions no such rule holds.
"""

import numpy as np

from pellucid.core.config import require
from pellucid.ops.filters.gaussian import gaussian_taps
from pellucid.ops.filters.separable import separable_filter
from pellucid.ops.pictures import Pictures, as_planes

DOWN, ACROSS = (0, -2), (1, -1)  # axes of a picture (H, W)


def gaussian_derivative_kernel(size: int | None = None, sigma: float = 1.0, axis: int = 1) -> np.ndarray:
    """The derivative of the Gaussian along an axis, as a kernel for `convolve2d`.

    Args:
        size: of each side, odd; None takes 2 * ceil(3 sigma) + 1.
        sigma: standard deviation in pixels.
        axis: 0 or -2: down the picture; 1 or -1: across it.

    Returns:
        (size, size) float64, of sum 0. Convolution with it is positive where brightness grows along the axis.

    Raises:
        ConfigError: size is even or not positive, sigma is not positive, or no such axis.
    """
    down, across = _lines(sigma, size, axis)
    return np.outer(down, across)


def gaussian_derivative(x: Pictures, sigma: float, axis: int = 1, border: str = "reflect") -> Pictures:
    """The derivative along an axis of pictures smoothed by a Gaussian, each channel alone.

    Args:
        x: (H, W), (C, H, W) or (N, C, H, W), uint8 or floating point.
        sigma: standard deviation in pixels.
        axis: 0 or -2: down the picture; 1 or -1: across it.
        border: "reflect", "replicate" or "zero", which makes an edge of the rim.

    Returns:
        As x, float32 if x is uint8: change of brightness per pixel.

    Raises:
        DataError: x is of a wrong rank or type, empty, or not finite.
        ConfigError: sigma is no width, no such axis, or an unknown border.
    """
    down, across = _lines(sigma, None, axis)
    planes = as_planes(x)
    return planes.back(separable_filter(planes.tensor, down.tolist(), across.tolist(), border))


def sobel(x: Pictures, axis: int = 1, border: str = "reflect") -> Pictures:
    """Sobel's derivative: (1, 2, 1) to smooth across the axis, the difference of the two neighbours along it.

    Args:
        x: (H, W), (C, H, W) or (N, C, H, W), uint8 or floating point.
        axis: 0 or -2: down the picture; 1 or -1: across it.
        border: "reflect", "replicate" or "zero".

    Returns:
        As x, float32 if x is uint8: 8 times the change of brightness per pixel, as everywhere where the weights are
        whole numbers.

    Raises:
        DataError: x is of a wrong rank or type, empty, or not finite.
        ConfigError: no such axis, or an unknown border.
    """
    smooth, change = (1.0, 2.0, 1.0), (1.0, 0.0, -1.0)
    down, across = (change, smooth) if _is_down(axis) else (smooth, change)
    planes = as_planes(x)
    return planes.back(separable_filter(planes.tensor, down, across, border))


def _lines(sigma: float, size: int | None, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Taps down and across."""
    smooth = gaussian_taps(sigma, size)
    offsets = np.arange(len(smooth)) - len(smooth) // 2
    change = -offsets / float(sigma) ** 2 * smooth
    return (change, smooth) if _is_down(axis) else (smooth, change)


def _is_down(axis: int) -> bool:
    require(axis in (*DOWN, *ACROSS), "axis", "0 or -2 (down) or 1 or -1 (across)", axis)
    return axis in DOWN
