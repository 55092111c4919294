"""Convolution by plain loops: the formula, line by line.

Formula:
    y[n, f, i, j] = b[f] + Σ_c Σ_uv w[f, c, u, v] · x[n, c, S·i + D·u - P, S·j + D·v - P],  x = 0 outside the picture

Derivation:
    Each output is an affine layer on its window: y = w · window + b, the same weights for all windows. So a window
    gets back dy · w, the weights get dy · window, and both are summed, because windows overlap and share weights:
        dx[n, c, S·i + D·u - P, S·j + D·v - P] += dy[n, f, i, j] · w[f, c, u, v]
        dw[f, c, u, v] += dy[n, f, i, j] · x[n, c, S·i + D·u - P, S·j + D·v - P],  db[f] = Σ_nij dy[n, f, i, j]
    What flows to the zeros around the picture is dropped. (Kernels are not flipped: strictly this is a
    cross-correlation, but for learned weights that is a matter of naming.)

Source: CS231n, assignment 2; CS231n notes, "Convolutional Networks".
"""

import numpy as np

from pellucid.scratch.convolution.size import ConvParam, Window, conv_window

Cache = tuple[np.ndarray, np.ndarray, np.ndarray, ConvParam]


def conv_forward_naive(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam) -> tuple[np.ndarray, Cache]:
    """One output after the other.

    Args:
        x: (N, C, H, W) inputs.
        w: (F, C, HH, WW) kernels.
        b: (F,) biases.
        conv_param: "stride" and "pad", each a number or (height, width); optional "dilation" in the same form
            (default 1) and "strict": refuse windows that leave a rest at the far border (default False).

    Returns:
        out (N, F, H', W') with H' = ⌊(H + 2 pad - dilation (HH - 1) - 1) / stride⌋ + 1, and what backward needs.

    Raises:
        DataError: the shapes do not fit each other, or a setting is missing or does not fit.
    """
    window = conv_window(x, w, b, conv_param)
    padded = _pad(x, window)
    out = np.empty((len(x), len(w), *window.out), x.dtype)
    for n, f, i, j in np.ndindex(*out.shape):
        out[n, f, i, j] = np.sum(padded[n][_under(i, j, window)] * w[f]) + b[f]
    return out, (x, w, b, conv_param)


def conv_backward_naive(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx, dw and db from dout (N, F, H', W')."""
    x, w, b, conv_param = cache
    window = conv_window(x, w, b, conv_param)
    padded = _pad(x, window)
    dpadded, dw, db = np.zeros_like(padded), np.zeros_like(w), np.zeros_like(b)
    for n, f, i, j in np.ndindex(*dout.shape):
        under = _under(i, j, window)
        dpadded[n][under] += dout[n, f, i, j] * w[f]
        dw[f] += dout[n, f, i, j] * padded[n][under]
        db[f] += dout[n, f, i, j]
    (top, left), (height, width) = window.pad, window.size
    return dpadded[:, :, top : top + height, left : left + width], dw, db


def _pad(x: np.ndarray, window: Window) -> np.ndarray:
    (top, left) = window.pad
    return np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))


def _under(i: int, j: int, window: Window) -> tuple[slice, slice, slice]:
    """All channels of the pixels that output (i, j) sees."""
    row, column = i * window.stride[0], j * window.stride[1]
    rows = slice(row, row + window.dilation[0] * window.kernel[0], window.dilation[0])
    columns = slice(column, column + window.dilation[1] * window.kernel[1], window.dilation[1])
    return slice(None), rows, columns
