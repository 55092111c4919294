"""Fast convolution: the quickest of three ways for each layer, forward and backward.

Formula:
    the same as by loops; for 3 x WW kernels with the rounding of Winograd's convolution

Derivation:
    A 1 x 1 kernel is one matrix product over the channels of each picture: nothing has to be copied (`pointwise`).
    Kernels of three rows at stride 1 need half the products after Winograd, if there are channels enough that the
    products, and not the copies around them, are the work (`winograd`). All else goes by im2col in blocks that fit
    the cache (`blocked`). Time: benchmarks/results/numpy_layers.md.

Source: CS231n, assignment 2, "Fast layers".
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid.scratch.convolution.blocked import conv_backward_blocked, conv_forward_blocked
from pellucid.scratch.convolution.separable import pointwise_backward, pointwise_forward
from pellucid.scratch.convolution.size import ConvParam, Pair, conv_window
from pellucid.scratch.convolution.winograd import conv_backward_winograd, conv_forward_winograd, fits

CHANNELS = 16  # from here on Winograd's convolution is the quicker one

Backward = Callable[[np.ndarray, Any], tuple[np.ndarray, np.ndarray, np.ndarray]]
Cache = tuple[Backward, Any]


def conv_forward_fast(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam) -> tuple[np.ndarray, Cache]:
    """As `conv_forward_naive`: x (N, C, H, W), w (F, C, HH, WW), b (F,) -> out (N, F, H', W').

    Raises:
        DataError: the shapes do not fit each other, or a setting is missing or does not fit.
    """
    window = conv_window(x, w, b, conv_param)
    if window.kernel == (1, 1) and window.pad == (0, 0):
        out, cache = _forward_1x1(x, w, b, window.stride)
        return out, (_backward_1x1, cache)
    if fits(window) and x.shape[1] >= CHANNELS:
        out, winograd = conv_forward_winograd(x, w, b, conv_param)
        return out, (conv_backward_winograd, winograd)
    out, blocked = conv_forward_blocked(x, w, b, conv_param)
    return out, (conv_backward_blocked, blocked)


def conv_backward_fast(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx, dw and db from dout (N, F, H', W')."""
    backward, what_it_needs = cache
    return backward(dout, what_it_needs)


def _forward_1x1(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: Pair) -> tuple[np.ndarray, Any]:
    """With a stride, only every S-th pixel is looked at."""
    seen = np.ascontiguousarray(x[:, :, :: stride[0], :: stride[1]])
    out, cache = pointwise_forward(seen, w[:, :, 0, 0], b)
    return out, (cache, x.shape, stride)


def _backward_1x1(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pixels between get nothing."""
    pointwise, shape, stride = cache
    dseen, dw, db = pointwise_backward(dout, pointwise)
    if stride == (1, 1):
        return dseen, dw[:, :, None, None], db
    dx = np.zeros(shape, dout.dtype)
    dx[:, :, :: stride[0], :: stride[1]] = dseen
    return dx, dw[:, :, None, None], db
