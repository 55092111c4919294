"""Convolution as one matrix product: every window becomes a column (im2col).

Formula:
    columns[(c, u, v), (i, j)] = x[c, S·i + D·u - P, S·j + D·v - P],  a matrix of C·HH·WW x H'·W'
    y = W · columns + b,  W = w as F x C·HH·WW

Derivation:
    A dot product of w[f] with each window is a product of a row with a matrix whose columns are the windows; all
    kernels together are a matrix. So it is the affine layer, and its backward too: dW = dy · columnsᵀ and
    dcolumns = Wᵀ · dy. im2col only copies, x[r] to all the places where a window sees it. Its adjoint (col2im)
    therefore sums from all those places: <im2col(x), m> = <x, col2im(m)> for all x and m.
    The price: each pixel is copied up to HH·WW times. 32 x 32 x 3 under 5 x 5 windows gives 75 x 784 numbers.

Source: CS231n notes, "Convolutional Networks"; Chellapilla et al., "High Performance Convolutional Neural Networks
    for Document Processing", 2006.
"""

from itertools import product

import numpy as np

from pellucid.scratch.convolution.size import ConvParam, Window, conv_window

Cache = tuple[np.ndarray, np.ndarray, Window]


def im2col(x: np.ndarray, window: Window) -> np.ndarray:
    """Pictures (N, C, H, W) -> the windows of each as columns, (N, C·HH·WW, H'·W')."""
    (top, left), (n, c) = window.pad, x.shape[:2]
    padded = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))
    columns = np.empty((n, c, *window.kernel, *window.out), x.dtype)
    for u, v in product(range(window.kernel[0]), range(window.kernel[1])):
        columns[:, :, u, v] = padded[_seen(u, v, window)]
    return columns.reshape(n, c * window.kernel[0] * window.kernel[1], window.out[0] * window.out[1])


def col2im(columns: np.ndarray, window: Window) -> np.ndarray:
    """The adjoint of `im2col`: (N, C·HH·WW, H'·W') -> (N, C, H, W), each pixel the sum over all windows that see it."""
    (top, left), (height, width) = window.pad, window.size
    n, c = len(columns), columns.shape[1] // (window.kernel[0] * window.kernel[1])
    columns = columns.reshape(n, c, *window.kernel, *window.out)
    padded = np.zeros((n, c, *window.padded), columns.dtype)
    for u, v in product(range(window.kernel[0]), range(window.kernel[1])):
        padded[_seen(u, v, window)] += columns[:, :, u, v]
    return padded[:, :, top : top + height, left : left + width]


def conv_forward_im2col(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam) -> tuple[np.ndarray, Cache]:
    """As `conv_forward_naive`: x (N, C, H, W), w (F, C, HH, WW), b (F,) -> out (N, F, H', W').

    Raises:
        DataError: the shapes do not fit each other, or a setting is missing or does not fit.
    """
    window = conv_window(x, w, b, conv_param)
    columns = im2col(x, window)
    out = w.reshape(len(w), columns.shape[1]) @ columns + b[:, None]  # (N, F, H'·W')
    return out.reshape(len(x), len(w), *window.out), (columns, w, window)


def conv_backward_im2col(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx, dw and db from dout (N, F, H', W')."""
    columns, w, window = cache
    dy = dout.reshape(*dout.shape[:2], columns.shape[2])
    dw = (dy @ columns.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dx = col2im(w.reshape(len(w), columns.shape[1]).T @ dy, window)
    return dx, dw, dy.sum(axis=(0, 2))


def _seen(u: int, v: int, window: Window) -> tuple[slice, ...]:
    """The pixels that tap (u, v) sees, in all windows: every S-th one, as many as there are outputs."""
    slices = [slice(None), slice(None)]
    for tap, dilation, stride, out in zip((u, v), window.dilation, window.stride, window.out, strict=True):
        first = tap * dilation
        slices.append(slice(first, first + stride * (out - 1) + 1, stride))
    return tuple(slices)
