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

from itertools import product

import numpy as np

from pellucid.scratch.interpolation.grid import Scale, Size, resized_axes
from pellucid.scratch.interpolation.linear import Weights, weigh, weigh_back

TrilinearCache = list[Weights]


def interpolate_trilinear_forward_naive(
    x: np.ndarray, size: Size = None, scale: Scale = None, align_corners: bool = False
) -> tuple[np.ndarray, TrilinearCache]:
    """The same as `interpolate_trilinear_forward`, one new voxel at a time, by the formula."""
    weights = [Weights(axis, align_corners) for axis in resized_axes(x, 3, size, scale)]
    out = np.empty((*x.shape[:2], *(len(along.w) for along in weights)), x.dtype)
    for index in np.ndindex(*out.shape[2:]):
        (z0, z1, w_z), (y0, y1, w_y), (x0, x1, w_x) = _neighbours(weights, index)
        p00 = (1 - w_x) * x[:, :, z0, y0, x0] + w_x * x[:, :, z0, y0, x1]
        p10 = (1 - w_x) * x[:, :, z0, y1, x0] + w_x * x[:, :, z0, y1, x1]
        p01 = (1 - w_x) * x[:, :, z1, y0, x0] + w_x * x[:, :, z1, y0, x1]
        p11 = (1 - w_x) * x[:, :, z1, y1, x0] + w_x * x[:, :, z1, y1, x1]
        p0 = (1 - w_y) * p00 + w_y * p10
        p1 = (1 - w_y) * p01 + w_y * p11
        out[:, :, *index] = (1 - w_z) * p0 + w_z * p1
    return out, weights


def interpolate_trilinear_backward_naive(dout: np.ndarray, cache: TrilinearCache) -> np.ndarray:
    """The same as `interpolate_trilinear_backward`: each gradient goes to its eight corners, one at a time."""
    dx = np.zeros((*dout.shape[:2], *(along.old for along in cache)), dout.dtype)
    for index in np.ndindex(*dout.shape[2:]):
        (z0, z1, w_z), (y0, y1, w_y), (x0, x1, w_x) = _neighbours(cache, index)
        for (z, of_z), (y, of_y), (x, of_x) in product(
            ((z0, 1 - w_z), (z1, w_z)), ((y0, 1 - w_y), (y1, w_y)), ((x0, 1 - w_x), (x1, w_x))
        ):
            dx[:, :, z, y, x] += of_z * of_y * of_x * dout[:, :, *index]
    return dx


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


def _neighbours(weights: list[Weights], index: tuple[int, ...]) -> list[tuple[int, int, float]]:
    """Along each axis the two old neighbours of a new voxel, and the weight of the second."""
    return [(weights[a].low[o], weights[a].high[o], weights[a].w[o]) for a, o in enumerate(index)]
