"""How near one picture is to another, in decibels."""

import math

import torch

from pellucid.core.config import require
from pellucid.core.errors import DataError
from pellucid.ops.pictures import Pictures, as_planes


def psnr(a: Pictures, b: Pictures, peak: float | None = None) -> float:
    """Peak signal-to-noise ratio: 10 log10(peak^2 / mean squared difference), over all pixels of all pictures.

    Args:
        a, b: pictures of the same shape and type.
        peak: the largest value a pixel can have; None takes 255 for uint8 and 1 for floating point.

    Returns:
        dB; larger is nearer, and infinity is equal.

    Raises:
        DataError: a or b is no picture, or they differ in shape or type.
        ConfigError: peak is not positive.
    """
    first, second = as_planes(a, "a").tensor, as_planes(b, "b").tensor
    if tuple(a.shape) != tuple(b.shape) or first.dtype != second.dtype:
        raise DataError(
            f"a and b must be of one shape and type, got {tuple(a.shape)} {first.dtype} and {tuple(b.shape)} "
            f"{second.dtype}."
        )
    if peak is None:
        peak = 255.0 if first.dtype == torch.uint8 else 1.0
    number = isinstance(peak, (int, float)) and not isinstance(peak, bool)
    require(number and 0 < peak < math.inf, "peak", "a number above 0", peak)
    difference = first.to(torch.float64) - second.to(first.device, torch.float64)
    mean_square = float(difference.square_().mean())
    return math.inf if mean_square == 0 else 20 * math.log10(peak) - 10 * math.log10(mean_square)
