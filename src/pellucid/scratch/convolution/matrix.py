"""Convolution as one matrix, and its transpose.

Formula:
    1-D, taps (x, y, z), stride 1, no padding, four inputs:  M = [x y z 0]     Mᵀ = [x 0]
                                                                 [0 x y z]          [y x]
                                                                                    [z y]
                                                                                    [0 z]
    y = M a,  M[i, S·i + D·u - P] = w[u];   backward da = Mᵀ dy, the transposed convolution

Derivation:
    Convolution is linear, so it is a matrix: row i holds the kernel where window i sees the input, and zeros
    elsewhere. At stride 1 each row is the one above, moved by one: the matrix is constant along its diagonals
    (Toeplitz). In two dimensions, rows and columns numbered by (f, i, j) and (c, p, q), it is Toeplitz in blocks of
    Toeplitz matrices. Backward needs nothing new: da = Mᵀ dy, dM = dy aᵀ, and dw[u] is the sum of dM over all places
    that hold w[u]. The matrix shares few weights and is nearly empty; it is for understanding, not for computing.

Source: Dumoulin, Visin, "A guide to convolution arithmetic", 2016, section 4.1.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from pellucid.scratch.convolution.size import ConvParam, Window, conv_window, output_size

Cache = tuple[np.ndarray, np.ndarray, Window, tuple[int, ...]]


def conv_matrix_1d(w: np.ndarray, size: int, stride: int = 1, pad: int = 0, dilation: int = 1) -> np.ndarray:
    """The matrix (outputs, `size`) of a convolution of `size` numbers with the kernel w (taps,)."""
    out = output_size(size, len(w), stride, pad, dilation)
    matrix = np.zeros((out, size), w.dtype)
    for u, weight in enumerate(w):
        outputs, inputs = _meet(size, out, stride, u * dilation - pad)
        matrix[outputs, inputs] = weight
    return matrix


def conv_matrix(w: np.ndarray, window: Window) -> np.ndarray:
    """The matrix (F·H'·W', C·H·W) of a convolution with the kernels w (F, C, HH, WW)."""
    f, c = w.shape[:2]
    matrix = np.zeros((f, *window.out, c, *window.size), w.dtype)
    for u, v, places in _places(window):
        matrix[places] = w[:, :, u, v]
    return matrix.reshape(f * window.out[0] * window.out[1], c * window.size[0] * window.size[1])


def conv_forward_matrix(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam) -> tuple[np.ndarray, Cache]:
    """As `conv_forward_naive`: x (N, C, H, W), w (F, C, HH, WW), b (F,) -> out (N, F, H', W').

    Raises:
        DataError: the shapes do not fit each other, or a setting is missing or does not fit.
    """
    window = conv_window(x, w, b, conv_param)
    matrix = conv_matrix(w, window)
    pixels = x.reshape(len(x), matrix.shape[1])
    out = (pixels @ matrix.T).reshape(len(x), len(w), *window.out)
    return out + b[:, None, None], (pixels, matrix, window, w.shape)


def conv_backward_matrix(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx, dw and db from dout (N, F, H', W')."""
    pixels, matrix, window, shape = cache
    dy = dout.reshape(len(dout), len(matrix))
    dx = (dy @ matrix).reshape(len(dout), shape[1], *window.size)
    dmatrix = (dy.T @ pixels).reshape(shape[0], *window.out, shape[1], *window.size)
    dw = np.empty(shape, matrix.dtype)
    for u, v, places in _places(window):
        dw[:, :, u, v] = dmatrix[places].sum(axis=(0, 1))
    return dx, dw, dout.sum(axis=(0, 2, 3))


def _meet(size: int, out: int, stride: int, shift: int) -> tuple[np.ndarray, np.ndarray]:
    """Which outputs see a pixel of the picture, and which one, by the tap that lies `shift` from the window's start."""
    outputs = np.arange(out)
    inputs = outputs * stride + shift
    inside = (inputs >= 0) & (inputs < size)
    return outputs[inside], inputs[inside]


def _places(window: Window) -> Iterator[tuple[int, int, tuple[Any, ...]]]:
    """Each tap, and where the matrix (F, H', W', C, H, W) holds its weights: indices, giving (rows, columns, F, C)."""
    everything = slice(None)
    for u, v in product(range(window.kernel[0]), range(window.kernel[1])):
        down = u * window.dilation[0] - window.pad[0]
        right = v * window.dilation[1] - window.pad[1]
        i, p = _meet(window.size[0], window.out[0], window.stride[0], down)
        j, q = _meet(window.size[1], window.out[1], window.stride[1], right)
        yield u, v, (everything, i[:, None], j, everything, p[:, None], q)
