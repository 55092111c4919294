"""Bilinear interpolation: linear along one axis, then along the other.

Formula:
    f(P₁) = (1 - w_x) f(Q₀₀) + w_x f(Q₁₀)
    f(P₂) = (1 - w_x) f(Q₀₁) + w_x f(Q₁₁)
    f(P)  = (1 - w_y) f(P₁) + w_y f(P₂)

Derivation:
    P₁ and P₂ lie above and below P, on the grid's two rows; the last line goes between the rows. Multiplied out, the
    four corners weigh (1 - w_x)(1 - w_y), w_x (1 - w_y), (1 - w_x) w_y and w_x w_y. They sum to 1, and x and y may
    change places: the order of the axes does not matter. The result is no plane, f = x y comes out exact too.
    Y = M_y X M_xᵀ, so dX = M_yᵀ dY M_x: each axis alone, as in linear interpolation.

Source: course notes, interpolation (whose last line is missing); `torch.nn.functional.interpolate`.
"""

import numpy as np

from pellucid.scratch.interpolation.grid import Scale, Size, resized_axes
from pellucid.scratch.interpolation.linear import Weights, weigh, weigh_back

BilinearCache = list[Weights]


def interpolate_bilinear_forward_naive(
    x: np.ndarray, size: Size = None, scale: Scale = None, align_corners: bool = False
) -> tuple[np.ndarray, BilinearCache]:
    """The same as `interpolate_bilinear_forward`, one new pixel at a time, by the formula."""
    rows, columns = (Weights(axis, align_corners) for axis in resized_axes(x, 2, size, scale))
    out = np.empty((*x.shape[:2], len(rows.w), len(columns.w)), x.dtype)
    for i, j in np.ndindex(*out.shape[2:]):
        top, bottom, w_y = rows.low[i], rows.high[i], rows.w[i]
        left, right, w_x = columns.low[j], columns.high[j], columns.w[j]
        p1 = (1 - w_x) * x[:, :, top, left] + w_x * x[:, :, top, right]
        p2 = (1 - w_x) * x[:, :, bottom, left] + w_x * x[:, :, bottom, right]
        out[:, :, i, j] = (1 - w_y) * p1 + w_y * p2
    return out, [rows, columns]


def interpolate_bilinear_backward_naive(dout: np.ndarray, cache: BilinearCache) -> np.ndarray:
    """The same as `interpolate_bilinear_backward`: each gradient goes to its four corners, one at a time."""
    rows, columns = cache
    dx = np.zeros((*dout.shape[:2], rows.old, columns.old), dout.dtype)
    for i, j in np.ndindex(*dout.shape[2:]):
        top, bottom, w_y = rows.low[i], rows.high[i], rows.w[i]
        left, right, w_x = columns.low[j], columns.high[j], columns.w[j]
        dx[:, :, top, left] += (1 - w_y) * (1 - w_x) * dout[:, :, i, j]
        dx[:, :, top, right] += (1 - w_y) * w_x * dout[:, :, i, j]
        dx[:, :, bottom, left] += w_y * (1 - w_x) * dout[:, :, i, j]
        dx[:, :, bottom, right] += w_y * w_x * dout[:, :, i, j]
    return dx


def interpolate_bilinear_forward(
    x: np.ndarray, size: Size = None, scale: Scale = None, align_corners: bool = False
) -> tuple[np.ndarray, BilinearCache]:
    """Pictures (N, C, H', W') of another size.

    Args:
        x: (N, C, H, W) inputs.
        size: new height and width, or one number for both.
        scale: or new pixels an old one, along both axes or each.
        align_corners: pixels are points, and the corners of both grids coincide; else they are areas.

    Returns:
        out, and the weights of both axes.

    Raises:
        DataError: x is not (N, C, H, W), not just one of size and scale is given, or a new number is below 1.
    """
    weights = [Weights(axis, align_corners) for axis in resized_axes(x, 2, size, scale)]
    return weigh(x, weights), weights


def interpolate_bilinear_backward(dout: np.ndarray, cache: BilinearCache) -> np.ndarray:
    """Gradient dx (N, C, H, W) from dout (N, C, H', W')."""
    return weigh_back(dout, cache)
