"""Trilinear interpolation: linear along three axes in turn.

Formula:
    f(P₀₀) = (1 - w_x) f(C₀₀₀) + w_x f(C₁₀₀), and so for P₁₀, P₀₁, P₁₁: four edges of the cell along x
    f(P₀)  = (1 - w_y) f(P₀₀) + w_y f(P₁₀), and so for P₁
    f(P)   = (1 - w_z) f(P₀) + w_z f(P₁)

Derivation:
    Eight corners become four points, then two, then one. Each corner weighs a product of three factors, one an
    axis, so the axes may be taken in any order, and all eight sum to (1 - w_x + w_x)(1 - w_y + w_y)(1 - w_z + w_z),
    which is 1. Affine functions of three variables come out exact, as they do along each axis. Backward goes through
    the axes in the same way, each with its transposed matrix.

Source: course notes, interpolation; `torch.nn.functional.interpolate`.
"""

import numpy as np

from pellucid.scratch.interpolation.grid import Scale, Size, resized_axes
from pellucid.scratch.interpolation.linear import Weights, weigh, weigh_back

TrilinearCache = list[Weights]


def interpolate_trilinear_forward(
    x: np.ndarray, size: Size = None, scale: Scale = None, align_corners: bool = False
) -> tuple[np.ndarray, TrilinearCache]:
    """Volumes (N, C, D', H', W') of another size.

    Args:
        x: (N, C, D, H, W) inputs.
        size: new depth, height and width, or one number for all.
        scale: or new voxels an old one, along all axes or each.
        align_corners: voxels are points, and the corners of both grids coincide; else they are little boxes.

    Returns:
        out, and the weights of the three axes.

    Raises:
        DataError: x is not (N, C, D, H, W), not just one of size and scale is given, or a new number is below 1.
    """
    weights = [Weights(axis, align_corners) for axis in resized_axes(x, 3, size, scale)]
    return weigh(x, weights), weights


def interpolate_trilinear_backward(dout: np.ndarray, cache: TrilinearCache) -> np.ndarray:
    """Gradient dx (N, C, D, H, W) from dout (N, C, D', H', W')."""
    return weigh_back(dout, cache)
