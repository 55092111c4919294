"""Dilated convolution, two ways: a kernel with holes, or samples that lie apart.

Formula:
    y[i, j] = b + Σ_uv w[u, v] · x[S·i + D·u - P, S·j + D·v - P],  reach D (F - 1) + 1

Derivation:
    Holes: put D - 1 zeros between neighbouring taps, w'[D·u, D·v] = w[u, v]; the ordinary convolution with the
    larger w' is the formula, as all other terms are zero. Its backward gives dw' for every place, and those of
    the zeros are dropped: dw[u, v] = dw'[D·u, D·v].
    Samples: never touch the zeros. Tap (u, v) of all windows at once is a strided slice of the picture, and
        y += w[:, :, u, v] · slice;  dw[:, :, u, v] = Σ dy · slice;  dslice += w[:, :, u, v]ᵀ · dy
    which costs no more than without dilation. Stacked with D = 1, 2, 4, ... 2^(L-1), layers of 3 x 3 see a field of
    2^(L+1) - 1 pixels, each of them: 3, 7, 15, 31. With the same D > 1 throughout they miss most (gridding).

Source: Yu, Koltun, "Multi-Scale Context Aggregation by Dilated Convolutions", 2016.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from pellucid.scratch.convolution.im2col import conv_backward_im2col, conv_forward_im2col
from pellucid.scratch.convolution.size import ConvParam, Pair, Window, conv_window, effective_size

SampledCache = tuple[np.ndarray, np.ndarray, Window]


def conv_forward_dilated(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam
) -> tuple[np.ndarray, SampledCache]:
    """By samples that lie apart: x (N, C, H, W), w (F, C, HH, WW), b (F,) -> out (N, F, H', W').

    Raises:
        DataError: the shapes do not fit each other, or a setting is missing or does not fit.
    """
    window = conv_window(x, w, b, conv_param)
    padded = _pad(x, window)
    n, c, places = *x.shape[:2], window.out[0] * window.out[1]
    out = np.zeros((n, len(w), places), x.dtype)
    for u, v, seen in _samples(padded, window):
        out += w[:, :, u, v] @ seen.reshape(n, c, places)
    return out.reshape(n, len(w), *window.out) + b[:, None, None], (x, w, window)


def conv_backward_dilated(dout: np.ndarray, cache: SampledCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx, dw and db from dout (N, F, H', W')."""
    x, w, window = cache
    padded = _pad(x, window)
    dpadded, dw = np.zeros_like(padded), np.empty_like(w)
    n, c, places = *x.shape[:2], window.out[0] * window.out[1]
    dy = dout.reshape(n, len(w), places)
    pairs = zip(_samples(padded, window), _samples(dpadded, window), strict=True)
    for (u, v, seen), (_, _, dseen) in pairs:
        dw[:, :, u, v] = (dy @ seen.reshape(n, c, places).swapaxes(1, 2)).sum(axis=0)
        dseen += (w[:, :, u, v].T @ dy).reshape(seen.shape)
    (top, left), (height, width) = window.pad, window.size
    return dpadded[:, :, top : top + height, left : left + width], dw, dout.sum(axis=(0, 2, 3))


def conv_forward_holes(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam) -> tuple[np.ndarray, Any]:
    """By a kernel with holes, the same result as `conv_forward_dilated`.

    Raises:
        DataError: the shapes do not fit each other, or a setting is missing or does not fit.
    """
    window = conv_window(x, w, b, conv_param)
    out, cache = conv_forward_im2col(x, with_holes(w, window.dilation), b, {**conv_param, "dilation": 1})
    return out, (cache, window.dilation)


def conv_backward_holes(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx, dw and db from dout (N, F, H', W')."""
    inner, dilation = cache
    dx, dholes, db = conv_backward_im2col(dout, inner)
    return dx, dholes[:, :, :: dilation[0], :: dilation[1]], db


def with_holes(w: np.ndarray, dilation: Pair) -> np.ndarray:
    """(F, C, HH, WW) -> (F, C, D (HH - 1) + 1, D (WW - 1) + 1), the taps D apart and zeros between."""
    reach = (effective_size(k, d) for k, d in zip(w.shape[2:], dilation, strict=True))
    holes = np.zeros((*w.shape[:2], *reach), w.dtype)
    holes[:, :, :: dilation[0], :: dilation[1]] = w
    return holes


def _pad(x: np.ndarray, window: Window) -> np.ndarray:
    (top, left) = window.pad
    return np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))


def _samples(padded: np.ndarray, window: Window) -> Iterator[tuple[int, int, np.ndarray]]:
    """Each tap, and a view (N, C, H', W') of what it sees in all windows."""
    (height, width), (down, right) = window.out, window.stride
    for u, v in product(range(window.kernel[0]), range(window.kernel[1])):
        top, left = u * window.dilation[0], v * window.dilation[1]
        yield u, v, padded[:, :, top : top + down * height : down, left : left + right * width : right]
