"""Linear interpolation: a new value lies on the straight line between its two old neighbours.

Formula:
    f(x) = f(x₀) + w (f(x₁) - f(x₀)) = (1 - w) f(x₀) + w f(x₁),  w = (x - x₀) / (x₁ - x₀)
    dx[i] = Σ over the o with low(o) = i of (1 - w_o) dy[o]  +  Σ over the o with high(o) = i of w_o dy[o]

Derivation:
    Old pixels stand one apart, so x₀ = ⌊t⌋, x₁ = x₀ + 1 and w = t - ⌊t⌋ for the place t of the new pixel. Beyond
    the outermost old pixels there is no second neighbour, so both are the outermost one: the edge repeats.
    Row o of the matrix y = M x holds 1 - w_o and w_o and nothing else. Backward, Mᵀ, scatters each gradient to the same
    two neighbours with the same two weights. For f(x) = a x + c the line is f itself: affine functions come out exact.
    A new grid coarser than the old one skips pixels; nothing is averaged before.

Source: course notes, interpolation; `torch.nn.functional.interpolate`.
"""

import numpy as np

from pellucid.scratch.interpolation.grid import Resized, Scale, Size, resized_axes
from pellucid.scratch.interpolation.nearest import take_back


class Weights:
    """The matrix M of one axis, of which each row has two entries.

    Attributes:
        low, high: (new,) indices of the two old neighbours of each new pixel.
        w: (new,) weight of the high one.
        old: number of old pixels.
    """

    def __init__(self, axis: Resized, align_corners: bool) -> None:
        place = np.maximum(axis.sources(align_corners), 0)
        self.old = axis.old
        self.low = np.floor(place).astype(np.int64)
        self.high = np.minimum(self.low + 1, self.old - 1)
        self.w = place - self.low

    def apply(self, x: np.ndarray, axis: int) -> np.ndarray:
        """M x along an axis."""
        w = self._along(x, axis)
        return (1 - w) * np.take(x, self.low, axis) + w * np.take(x, self.high, axis)

    def apply_back(self, dout: np.ndarray, axis: int) -> np.ndarray:
        """Mᵀ dout along an axis."""
        w = self._along(dout, axis)
        return take_back((1 - w) * dout, self.low, self.old, axis) + take_back(w * dout, self.high, self.old, axis)

    def _along(self, x: np.ndarray, axis: int) -> np.ndarray:
        """The weights in the type of `x`, shaped to be multiplied along an axis."""
        return self.w.astype(x.dtype).reshape(len(self.w), *(1 for _ in range(x.ndim - 1 - axis)))


LinearCache = list[Weights]


def interpolate_linear_forward(
    x: np.ndarray, size: Size = None, scale: Scale = None, align_corners: bool = False
) -> tuple[np.ndarray, LinearCache]:
    """Signals (N, C, L') of another length.

    Args:
        x: (N, C, L) inputs.
        size: the new length.
        scale: or new pixels an old one.
        align_corners: pixels are points, and the first and last of both grids coincide; else they are areas.

    Returns:
        out, and the weights of the axis.

    Raises:
        DataError: x is not (N, C, L), not just one of size and scale is given, or the new length is below 1.
    """
    weights = [Weights(axis, align_corners) for axis in resized_axes(x, 1, size, scale)]
    return weigh(x, weights), weights


def interpolate_linear_backward(dout: np.ndarray, cache: LinearCache) -> np.ndarray:
    """Gradient dx (N, C, L) from dout (N, C, L')."""
    return weigh_back(dout, cache)


def weigh(x: np.ndarray, weights: list[Weights]) -> np.ndarray:
    """Interpolate along all axes of x (N, C, d1, ..., dk), one after the other."""
    for axis, along in enumerate(weights, start=2):
        x = along.apply(x, axis)
    return x


def weigh_back(dout: np.ndarray, weights: list[Weights]) -> np.ndarray:
    """The adjoint of `weigh`."""
    for axis, along in enumerate(weights, start=2):
        dout = along.apply_back(dout, axis)
    return dout
