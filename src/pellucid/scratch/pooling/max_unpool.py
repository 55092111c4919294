"""Max unpooling: every value goes back to where its maximum was found, zeros elsewhere; and bed of nails.

Formula:
    max unpooling    out[pos_a] = Σ over the outputs a with that position of x_a,  0 elsewhere
    bed of nails     out[s·i, s·j] = x_ij,  0 elsewhere

Derivation:
    Both copy numbers to known places, so each is a matrix of zeros and ones, U, and backward reads the gradient
    at those places: dx = Uᵀ dout, dx_a = dout[pos_a]. For the positions that max pooling found, the derivative of
    pooling is P = Uᵀ, it picks; its backward is therefore Pᵀ = U: max unpooling is what max pooling does to
    gradients. Where windows overlap they may share a maximum. Then U adds, as a backward has to, where PyTorch's
    unpooling keeps one of the values.

Source: Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks", 2014; Noh et al., 2015; CS231n.
"""

import numpy as np

from pellucid.core.errors import DataError

UnpoolCache = np.ndarray
NailsCache = int


def max_unpool_forward(x: np.ndarray, positions: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, UnpoolCache]:
    """Maps (N, C, H, W) of the size before pooling, with each value at its position.

    Args:
        x: (N, C, H', W') values.
        positions: (N, C, H', W') integers, row · W + column of each in its map, as `max_pool_positions` returns them.
        size: (H, W) of the result.

    Returns:
        out (N, C, H, W), and the index of each value in it.

    Raises:
        DataError: `x` and `positions` differ in shape, or a position lies outside.
    """
    height, width = size
    if x.ndim != 4 or positions.shape != x.shape:
        raise DataError(f"max_unpool: x and positions must both be (N, C, H, W), got {x.shape} and {positions.shape}.")
    if positions.size and (positions.min() < 0 or positions.max() >= height * width):
        raise DataError(
            f"max_unpool: positions must be 0 to {height * width - 1} in maps of {height} x {width},"
            f" got {positions.min()} to {positions.max()}."
        )
    n, c = x.shape[:2]
    maps = np.arange(n * c).reshape(n, c, 1, 1)
    index = maps * (height * width) + positions  # in the result as one long row
    out = np.zeros((n, c, height, width), x.dtype)
    np.add.at(out.ravel(), index.ravel(), x.ravel())  # `out` is contiguous, so the first one is a view of it
    return out, index


def max_unpool_backward(dout: np.ndarray, cache: UnpoolCache) -> np.ndarray:
    """Gradient dx (N, C, H', W') from dout (N, C, H, W): what stands at the positions."""
    index = cache
    return dout.ravel()[index]


def bed_of_nails_forward(x: np.ndarray, scale: int) -> tuple[np.ndarray, NailsCache]:
    """Maps (N, C, H·scale, W·scale) with each value in the upper left corner of its cell of scale x scale.

    Raises:
        DataError: `x` is not (N, C, H, W), or `scale` is below 1.
    """
    if x.ndim != 4 or scale < 1:
        raise DataError(f"bed_of_nails: x must be (N, C, H, W) and scale 1 or more, got {x.shape} and {scale}.")
    n, c, height, width = x.shape
    out = np.zeros((n, c, height * scale, width * scale), x.dtype)
    out[:, :, ::scale, ::scale] = x
    return out, scale


def bed_of_nails_backward(dout: np.ndarray, cache: NailsCache) -> np.ndarray:
    """Gradient dx (N, C, H, W) from dout (N, C, H·scale, W·scale)."""
    scale = cache
    return dout[:, :, ::scale, ::scale].copy()
