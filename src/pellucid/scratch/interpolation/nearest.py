"""Nearest-neighbour interpolation: every new pixel copies an old one.

Formula:
    y[o] = x[⌊o · step⌋]            as PyTorch's "nearest"
    y[o] = x[⌊(o + 1/2) · step⌋]    exact: the old pixel whose area holds the centre of the new one
    dx[i] = Σ over the o that copied i of dy[o]

Derivation:
    Along one axis y = G x with a single 1 in each row of G, at the pixel that is copied; backward is Gᵀ, which sums
    what was copied from one place. The copied indices never decrease with o, so equal ones stand together, and Gᵀ
    is a sum over runs. Several axes: one after the other, backward too, because they do not touch each other.

Source: CS231n lecture "Detection and Segmentation", unpooling; `torch.nn.functional.interpolate`.
"""

import numpy as np

from pellucid.scratch.interpolation.grid import Resized, Scale, Size, resized_axes

NearestCache = tuple[tuple[int, ...], list[np.ndarray]]


def interpolate_nearest_forward(
    x: np.ndarray, size: Size = None, scale: Scale = None, exact: bool = False
) -> tuple[np.ndarray, NearestCache]:
    """Copies (N, C, e1, ..., ek) of the pixels of x.

    Args:
        x: (N, C, d1, ..., dk) inputs, any number of axes.
        size: new numbers of pixels, one for all axes or one each.
        scale: or new pixels an old one.
        exact: by the centres of the new pixels, as PyTorch's "nearest-exact"; else by their first corners.

    Returns:
        out, and what backward needs.

    Raises:
        DataError: x has no pixels, not just one of size and scale is given, or a new number is below 1.
    """
    copied = [_copied(axis, exact) for axis in resized_axes(x, None, size, scale)]
    out = x
    for axis, index in enumerate(copied, start=2):
        out = np.take(out, index, axis=axis)
    return out, (x.shape, copied)


def interpolate_nearest_backward(dout: np.ndarray, cache: NearestCache) -> np.ndarray:
    """Gradient dx (N, C, d1, ..., dk) from dout (N, C, e1, ..., ek)."""
    shape, copied = cache
    dx = dout
    for axis, index in enumerate(copied, start=2):
        dx = take_back(dx, index, shape[axis], axis)
    return dx


def take_back(values: np.ndarray, index: np.ndarray, size: int, axis: int) -> np.ndarray:
    """The adjoint of `np.take(x, index, axis)`: what was taken from one place is summed there.

    Args:
        values: array with len(index) entries along the axis.
        index: places they were taken from, never decreasing.
        size: entries of the result along the axis.
        axis: which.
    """
    taken, runs = np.unique(index, return_index=True)
    sums = np.zeros((*values.shape[:axis], size, *values.shape[axis + 1 :]), values.dtype)
    np.moveaxis(sums, axis, -1)[..., taken] = np.moveaxis(np.add.reduceat(values, runs, axis=axis), axis, -1)
    return sums


def _copied(axis: Resized, exact: bool) -> np.ndarray:
    """Index of the old pixel that each new one copies, (new,)."""
    o = np.arange(axis.new)
    centres = o + 0.5 if exact else o
    return np.floor(centres * axis.length / axis.parts).astype(np.int64)
