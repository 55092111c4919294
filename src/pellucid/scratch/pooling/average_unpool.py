"""Average unpooling: each value is spread evenly over the window it came from.

Formula:
    keep = "sum"     out_r = Σ over the windows a that hold r of x_a / (F · F)
    keep = "mean"    out_r = Σ over the windows a that hold r of x_a

Derivation:
    Average pooling is a matrix A with entries 1 / F². The first line is Aᵀ x: the adjoint of average pooling, what its
    backward does to gradients, and its own backward is A. Each window shares out x_a, so the sum over a map is
    kept. The second line is F² Aᵀ x. Where windows do not overlap the rows of A are orthogonal with squared length
    F² · 1/F⁴, so A Aᵀ = I / F² and A (F² Aᵀ) x = x: average pooling takes it back, the mean of each window is kept.
    With F = S it is nearest-neighbour up-sampling.

Source: CS231n lecture "Detection and Segmentation", unpooling; Dumoulin, Visin, "A guide to convolution arithmetic".
"""

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import DataError
from pellucid.scratch.convolution.size import transposed_size
from pellucid.scratch.pooling.average import AverageCache, average_pool_backward, average_pool_forward, counted
from pellucid.scratch.pooling.window import PoolParam, both_axes, pool_axes

AverageUnpoolCache = tuple[AverageCache, np.ndarray | int]
KEEP = {"sum": False, "mean": True}  # whether each value is copied whole


def average_unpool_forward(
    x: np.ndarray, pool_param: PoolParam, size: tuple[int, int] | None = None, keep: str = "sum"
) -> tuple[np.ndarray, AverageUnpoolCache]:
    """Maps of the size before pooling.

    Args:
        x: (N, C, H', W') values.
        pool_param: of the average pooling; padding always counts ("count_include_pad" is not looked at).
        size: (H, W) before pooling, where several give (H', W'); else the smallest, (H' - 1) S + F without padding.
        keep: "sum" or "mean", what remains of each value when windows do not overlap.

    Returns:
        out (N, C, H, W), and what backward needs.

    Raises:
        DataError: pooling maps of `size` would not give the size of `x`, or `size` is needed.
        ConfigError: `keep` is an unknown word.
    """
    if x.ndim != 4:
        raise DataError(f"average_unpool: x must be (N, C, H, W), got {x.shape}.")
    whole, size = choose(keep, KEEP, "keep"), size or _smallest(x, pool_param)
    shape, pooling = (*x.shape[:2], *size), {**pool_param, "count_include_pad": True}
    rows, columns = pool_axes(shape, pooling)
    if (rows.out, columns.out) != x.shape[2:]:
        raise DataError(
            f"average_unpool: pooling maps of {size} gives {(rows.out, columns.out)}, but x is {x.shape[2:]}."
        )
    factor = counted(rows, columns, pooling, x.dtype) if whole else 1
    out = average_pool_backward(x * factor, (shape, pooling))
    return out, ((shape, pooling), factor)


def average_unpool_backward(dout: np.ndarray, cache: AverageUnpoolCache) -> np.ndarray:
    """Gradient dx (N, C, H', W') from dout (N, C, H, W): average pooling of it, times F · F if means were kept."""
    (_, pooling), factor = cache
    dx, _ = average_pool_forward(dout, pooling)
    return dx * factor


def _smallest(x: np.ndarray, pool_param: PoolParam) -> tuple[int, int]:
    strides, pads, dilations = (both_axes(pool_param, *each) for each in (("stride",), ("pad", 0), ("dilation",)))
    windows, sizes = (pool_param["pool_height"], pool_param["pool_width"]), []
    for size, window, stride, pad, dilation in zip(x.shape[2:], windows, strides, pads, dilations, strict=True):
        if isinstance(pad, str) and pad != "valid":
            raise DataError(
                f'average_unpool: several sizes give {x.shape[2:]} with pad "{pad}", so size must be given.'
            )
        sizes.append(transposed_size(size, window, stride, 0 if isinstance(pad, str) else pad, dilation))
    return sizes[0], sizes[1]
