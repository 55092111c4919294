"""Global average pooling: each channel becomes one number, its mean over all positions.

Formula:
    y_nc = (1 / P) Σ_p x_ncp,  P positions
    dx_ncp = dy_nc / P

Derivation:
    ∂y_nc/∂x_ncp = 1 / P for every position of the channel, and each input reaches this one output alone.
    P may differ from batch to batch, so a network that ends with it takes pictures of any size, and the affine
    layer behind it needs C · classes weights in place of C · P · classes.

Source: Lin, Chen, Yan, "Network in Network", 2014.
"""

from math import prod

import numpy as np

from pellucid.core.errors import DataError

GlobalAverageCache = tuple[int, ...]


def global_average_pool_forward(x: np.ndarray) -> tuple[np.ndarray, GlobalAverageCache]:
    """Means (N, C) of inputs (N, C, d1, ..., dk) of any rank.

    Raises:
        DataError: there is no position to average over.
    """
    if x.ndim < 3 or prod(x.shape[2:]) == 0:
        raise DataError(f"global_average_pool: x must be (N, C, H, W) with at least one position, got {x.shape}.")
    return x.mean(axis=tuple(range(2, x.ndim))), x.shape


def global_average_pool_backward(dout: np.ndarray, cache: GlobalAverageCache) -> np.ndarray:
    """Gradient dx (N, C, d1, ..., dk) from dout (N, C)."""
    shape = cache
    positions = shape[2:]
    share = dout / prod(positions)
    return np.broadcast_to(share.reshape(*dout.shape, *(1 for _ in positions)), shape).copy()
