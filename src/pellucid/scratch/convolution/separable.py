"""Separable convolution: first space in each channel alone (depthwise), then channels at each pixel (pointwise).

Formula:
    depthwise  y[n, c, i, j] = b[c] + Σ_uv w[c, u, v] · x[n, c, S·i + D·u - P, S·j + D·v - P]
    pointwise  y[n, f, i, j] = b[f] + Σ_c w[f, c] · x[n, c, i, j]
    separable over standard, in weights and in multiply-adds:  1 / F + 1 / (HH·WW)

Derivation:
    A standard layer has a weight for each tap, channel and filter, HH·WW·C·F. Depthwise has one for each tap and
    channel, HH·WW·C; pointwise one for each channel and filter, C·F. Every weight is used once for each pixel of the
    output, so multiply-adds are weights times H'·W' in all three, and the ratio of both is
        (HH·WW·C + C·F) / (HH·WW·C·F) = 1 / F + 1 / (HH·WW)
    Pointwise is the affine layer at every pixel, so its backward is the affine one, summed over the pixels:
        dx = wᵀ dy, dw = Σ_n dy xᵀ, db = Σ dy
    Depthwise: dx[c, S·i + D·u - P, ...] += w[c, u, v] · dy[c, i, j] and dw[c, u, v] = Σ dy · x, as in any convolution.

Source: Howard et al., "MobileNets", 2017; Chollet, "Xception", 2017; Lin et al., "Network in Network", 2014.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.convolution.im2col import col2im, im2col
from pellucid.scratch.convolution.size import ConvParam, Pair, Window, conv_window

DepthwiseCache = tuple[np.ndarray, np.ndarray, Window]
PointwiseCache = tuple[np.ndarray, np.ndarray]


def depthwise_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam
) -> tuple[np.ndarray, DepthwiseCache]:
    """One kernel for each channel, which sees that channel alone.

    Args:
        x: (N, C, H, W) inputs.
        w: (C, HH, WW) kernels.
        b: (C,) biases.
        conv_param: "stride" and "pad"; optional "dilation" and "strict", see `conv_window`.

    Returns:
        out (N, C, H', W'), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other, or a setting is missing or does not fit.
    """
    if w.ndim != 3:
        raise DataError(f"depthwise convolution: w must be (C, HH, WW), got {w.shape}.")
    window = conv_window(x, w[:, None], b, conv_param, groups=len(w))
    n, c = x.shape[:2]
    columns = im2col(x, window).reshape(n, c, w[:1].size, window.out[0] * window.out[1])  # (N, C, HH·WW, H'·W')
    out = w.reshape(c, 1, w[:1].size) @ columns + b[:, None, None]  # (N, C, 1, H'·W')
    return out.reshape(n, c, *window.out), (columns, w, window)


def depthwise_backward(dout: np.ndarray, cache: DepthwiseCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx, dw and db from dout (N, C, H', W')."""
    columns, w, window = cache
    n, c, taps, places = columns.shape
    dy = dout.reshape(n, c, 1, places)
    dw = (columns @ dy.swapaxes(2, 3)).sum(axis=0).reshape(w.shape)
    dcolumns = w.reshape(c, taps, 1) * dy  # (N, C, HH·WW, H'·W')
    return col2im(dcolumns.reshape(n, c * taps, places), window), dw, dout.sum(axis=(0, 2, 3))


def pointwise_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, PointwiseCache]:
    """Mix the channels of each pixel: a 1 x 1 convolution.

    Args:
        x: (N, C, H, W) inputs.
        w: (F, C) weights.
        b: (F,) biases.

    Returns:
        out (N, F, H, W), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    if x.ndim != 4 or w.ndim != 2 or x.shape[1] != w.shape[1] or b.shape != (len(w),):
        raise DataError(
            f"pointwise convolution: x must be (N, C, H, W), w (F, C) and b (F,), got x {x.shape}, w {w.shape} and"
            f" b {b.shape}."
        )
    n, c, height, width = x.shape
    pixels = x.reshape(n, c, height * width)
    out = np.empty((n, len(w), height * width), x.dtype)
    for picture in range(n):  # one at a time, so that the bias finds its output still in the cache
        np.matmul(w, pixels[picture], out=out[picture])
        out[picture] += b[:, None]
    return out.reshape(n, len(w), height, width), (x, w)


def pointwise_backward(dout: np.ndarray, cache: PointwiseCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx, dw and db from dout (N, F, H, W)."""
    x, w = cache
    n, f, height, width = dout.shape
    pixels, dy = x.reshape(n, w.shape[1], height * width), dout.reshape(n, f, height * width)
    dx, dw = np.empty_like(pixels), np.zeros_like(w)
    for picture in range(n):
        np.matmul(w.T, dy[picture], out=dx[picture])
        dw += dy[picture] @ pixels[picture].T
    return dx.reshape(x.shape), dw, dout.sum(axis=(0, 2, 3))


def separable_forward(
    x: np.ndarray,
    w_depth: np.ndarray,
    b_depth: np.ndarray,
    w_point: np.ndarray,
    b_point: np.ndarray,
    conv_param: ConvParam,
) -> tuple[np.ndarray, Any]:
    """Depthwise with w_depth (C, HH, WW) and b_depth (C,), then pointwise with w_point (F, C) and b_point (F,)."""
    between, depthwise = depthwise_forward(x, w_depth, b_depth, conv_param)
    out, pointwise = pointwise_forward(between, w_point, b_point)
    return out, (depthwise, pointwise)


def separable_backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, ...]:
    """Gradients dx, dw_depth, db_depth, dw_point and db_point from dout (N, F, H', W')."""
    depthwise, pointwise = cache
    dbetween, dw_point, db_point = pointwise_backward(dout, pointwise)
    dx, dw_depth, db_depth = depthwise_backward(dbetween, depthwise)
    return dx, dw_depth, db_depth, dw_point, db_point


@dataclass(frozen=True)
class Cost:
    """Weights of a layer, biases left out, and its multiply-adds for one picture."""

    parameters: int
    macs: int


def separable_costs(channels: int, filters: int, kernel: Pair, out: Pair) -> dict[str, Cost]:
    """What each way costs: "standard", "depthwise", "pointwise", and "separable", the sum of the last two.

    Args:
        channels, filters: C and F.
        kernel: (HH, WW).
        out: (H', W') of the output.
    """
    taps, pixels = kernel[0] * kernel[1], out[0] * out[1]
    depthwise, pointwise = taps * channels, channels * filters
    parameters = {
        "standard": taps * channels * filters,
        "depthwise": depthwise,
        "pointwise": pointwise,
        "separable": depthwise + pointwise,
    }
    return {name: Cost(weights, weights * pixels) for name, weights in parameters.items()}
