"""Transposed convolution: every input pixel stamps the kernel, times its value, onto a larger canvas.

Formula:
    y[f, s·i + u - p, s·j + v - p] += x[c, i, j] · w[c, f, u, v],  then + b[f]
    size = (n - 1) s + k - 2 p + output_padding

Derivation:
    Convolution with stride s and padding p reads  z[c, i, j] = Σ_f Σ_uv w[c, f, u, v] · y[f, s·i + u - p, s·j + v - p];
    it is linear in y, z = A y, and its backward is y = Aᵀ z: each z[c, i, j] goes back to all the pixels it was
    computed from, with the same weights. That is the first line, hence "transposed"; its backward is A, a convolution:
        dx[c, i, j] = Σ_f Σ_uv w[c, f, u, v] dy[f, s·i + u - p, s·j + v - p]
        dw[c, f, u, v] = Σ_n Σ_ij x[c, i, j] dy[f, s·i + u - p, s·j + v - p],  db[f] = Σ dy[f]
    The last stamp begins at (n - 1) s and is k long; p is cut off at both ends. Several input sizes convolve to one
    output size, and output_padding says which of them is meant. Stamps overlap where k > s and are summed there:
    equally often everywhere only if s divides k, else in a checkerboard (`overlap_count`).
    Stride 1 reaches pixel r from input i with the weight w[r - i + p]: an ordinary convolution with the kernel
    turned by 180 degrees, its two channel axes swapped, and padding k - 1 - p.
    Fast: cut canvas and kernel into cells of s x s. Each cell of the kernel falls on one whole cell of the canvas for
    each input pixel, so it takes one matrix product and one addition; there are ⌈k / s⌉² of them, 4 for k = 64, s = 32.

Source: Dumoulin, Visin, "A guide to convolution arithmetic", 2016; Long et al., 2015 (FCN); CS231n, segmentation.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.convolution.size import ConvParam, Pair, transposed_size

Cache = tuple[np.ndarray, np.ndarray, np.ndarray, ConvParam]


def conv_transpose_forward_naive(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam
) -> tuple[np.ndarray, Cache]:
    """The same as `conv_transpose_forward`, one stamp at a time."""
    (down, right), (top, left), (height, width) = _geometry(x, w, b, conv_param)
    out = np.zeros((len(x), w.shape[1], height, width), x.dtype)
    for n, c, i, j in np.ndindex(*x.shape):
        for u, v in np.ndindex(*w.shape[2:]):
            r, s = down * i + u - top, right * j + v - left
            if 0 <= r < height and 0 <= s < width:
                out[n, :, r, s] += x[n, c, i, j] * w[c, :, u, v]
    return out + b[:, None, None], (x, w, b, conv_param)


def conv_transpose_backward_naive(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same as `conv_transpose_backward`, one stamp at a time."""
    x, w, b, conv_param = cache
    (down, right), (top, left), (height, width) = _geometry(x, w, b, conv_param)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for n, c, i, j in np.ndindex(*x.shape):
        for u, v in np.ndindex(*w.shape[2:]):
            r, s = down * i + u - top, right * j + v - left
            if 0 <= r < height and 0 <= s < width:
                dx[n, c, i, j] += np.sum(w[c, :, u, v] * dout[n, :, r, s])
                dw[c, :, u, v] += x[n, c, i, j] * dout[n, :, r, s]
    return dx, dw, dout.sum(axis=(0, 2, 3))


def conv_transpose_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam
) -> tuple[np.ndarray, Cache]:
    """A learnable up-sampling.

    Args:
        x: (N, C, H, W) inputs.
        w: (C, F, HH, WW) kernels, input channels first.
        b: (F,) biases.
        conv_param: "stride" and "pad", in pixels of the output; optional "output_padding", rows and columns more at
            the bottom and the right, less than the stride (default 0). Each is a number or (height, width).

    Returns:
        out (N, F, (H - 1) stride + HH - 2 pad + output_padding, and so for W), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other, or a setting is missing or does not fit.
    """
    (down, right), (top, left), (height, width) = _geometry(x, w, b, conv_param)
    cells = _in_cells(w, conv_param)
    (n, _, h, wide), f, (rows, columns) = x.shape, w.shape[1], cells.shape[:2]
    pixels = _as_rows(x)
    canvas = np.zeros((n, f, h + rows - 1, down, wide + columns - 1, right), np.result_type(x, w))
    for p, q in product(range(rows), range(columns)):
        stamps = (pixels @ cells[p, q]).reshape(n, h, wide, f, down, right)
        canvas[:, :, p : p + h, :, q : q + wide] += stamps.transpose(0, 3, 1, 4, 2, 5)
    out = canvas.reshape(n, f, (h + rows - 1) * down, (wide + columns - 1) * right)
    return out[:, :, top : top + height, left : left + width] + b[:, None, None], (x, w, b, conv_param)


def conv_transpose_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (N, C, H, W), dw (C, F, HH, WW) and db (F,) from dout (N, F, H', W')."""
    x, w, b, conv_param = cache
    (down, right), (top, left), (height, width) = _geometry(x, w, b, conv_param)
    cells = _in_cells(w, conv_param)
    (n, c, h, wide), f, (rows, columns) = x.shape, w.shape[1], cells.shape[:2]
    canvas = np.zeros((n, f, (h + rows - 1) * down, (wide + columns - 1) * right), dout.dtype)
    canvas[:, :, top : top + height, left : left + width] = dout
    canvas = canvas.reshape(n, f, h + rows - 1, down, wide + columns - 1, right)
    pixels, dcells = _as_rows(x), np.empty_like(cells)
    dpixels = np.zeros_like(pixels)
    for p, q in product(range(rows), range(columns)):
        dstamps = canvas[:, :, p : p + h, :, q : q + wide].transpose(0, 2, 4, 1, 3, 5)
        dstamps = dstamps.reshape(n * h * wide, f * down * right)
        dpixels += dstamps @ cells[p, q].T
        dcells[p, q] = pixels.T @ dstamps
    dx = dpixels.reshape(n, h, wide, c).transpose(0, 3, 1, 2)
    dkernel = dcells.reshape(rows, columns, c, f, down, right).transpose(2, 3, 0, 4, 1, 5)
    dw = dkernel.reshape(c, f, rows * down, columns * right)[:, :, : w.shape[2], : w.shape[3]]
    return dx, dw, dout.sum(axis=(0, 2, 3))


def overlap_count(size: tuple[int, int], kernel: tuple[int, int], stride: int, pad: int = 0) -> np.ndarray:
    """How many input pixels reach each output pixel, for inputs (H, W) and kernels (HH, WW): (H', W') numbers.

    Away from the border they are all equal if the stride divides the kernel, and a checkerboard if it does not.
    """
    ones, w = np.ones((1, 1, *size)), np.ones((1, 1, *kernel))
    out, _ = conv_transpose_forward(ones, w, np.zeros(1), {"stride": stride, "pad": pad})
    return out.reshape(out.shape[2:])


def bilinear_kernel(k: int) -> np.ndarray:
    """The kernel (k, k) with which a transposed convolution of stride ⌈k / 2⌉ is a bilinear interpolation: a tent.

    With k = 2 s (or 2 s - 1) the stamps of stride s sum to 1, so a constant stays the same constant, except at the
    border where no neighbour adds its half.
    """
    half = (k + 1) // 2
    centre = (k - 1) / 2
    tent = 1 - np.abs(np.arange(k) - centre) / half
    return np.multiply.outer(tent, tent)


def bilinear_weights(channels: int, k: int) -> np.ndarray:
    """Weights (channels, channels, k, k) that up-sample each channel by itself, as FCN starts its last layer."""
    w = np.zeros((channels, channels, k, k))
    w[np.arange(channels), np.arange(channels)] = bilinear_kernel(k)
    return w


def _in_cells(w: np.ndarray, conv_param: ConvParam) -> np.ndarray:
    """The kernel cut into cells of the size of the stride, each a matrix: (cells down, cells across, C, F · size).

    Zeros fill the last cells, and make the rows and columns of the output padding, which get no stamp but these.
    """
    (down, right), _, more = _settings(conv_param)
    rows, columns = -(-(w.shape[2] + more[0]) // down), -(-(w.shape[3] + more[1]) // right)
    c, f, height, width = w.shape
    padded = np.zeros((c, f, rows * down, columns * right), w.dtype)
    padded[:, :, :height, :width] = w
    cells = padded.reshape(c, f, rows, down, columns, right).transpose(2, 4, 0, 1, 3, 5)
    return cells.reshape(rows, columns, c, f * down * right)


def _as_rows(x: np.ndarray) -> np.ndarray:
    """Pixels (N · H · W, C) of x (N, C, H, W)."""
    n, c, h, wide = x.shape
    return x.transpose(0, 2, 3, 1).reshape(n * h * wide, c)


def _geometry(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam) -> tuple[Pair, Pair, Pair]:
    """Stride, padding and size of the result, its arguments checked."""
    _check(x, w, b, conv_param)
    stride, pad, more = _settings(conv_param)
    height, width = (
        transposed_size(x.shape[2 + a], w.shape[2 + a], stride[a], pad[a], output_padding=more[a]) for a in (0, 1)
    )
    if min(height, width) < 1:
        raise DataError(
            f'conv_transpose: "pad" {conv_param["pad"]} leaves {height} x {width} pixels; it must be smaller.'
        )
    return stride, pad, (height, width)


def _settings(conv_param: ConvParam) -> tuple[Pair, Pair, Pair]:
    """Stride, padding and output padding, each for (height, width)."""
    stride, pad, more = conv_param["stride"], conv_param["pad"], conv_param.get("output_padding", 0)
    return _pair(stride), _pair(pad), _pair(more)


def _pair(setting: int | Pair) -> Pair:
    return (setting, setting) if isinstance(setting, int | np.integer) else setting


def _check(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam) -> None:
    if x.ndim != 4 or w.ndim != 4 or x.shape[1] != w.shape[0]:
        raise DataError(f"conv_transpose: x must be (N, C, H, W) and w (C, F, HH, WW), got {x.shape} and {w.shape}.")
    if b.shape != (w.shape[1],):
        raise DataError(
            f"conv_transpose: w {w.shape} has {w.shape[1]} outputs, so b must be ({w.shape[1]},), got {b.shape}."
        )
    for key in ("stride", "pad"):
        if key not in conv_param:
            raise DataError(f'conv_transpose: conv_param must have "stride" and "pad", "{key}" is missing.')
    stride, pad, more = given = [conv_param.get(key, 0) for key in ("stride", "pad", "output_padding")]
    if not all(isinstance(number, int | np.integer) for setting in given for number in _numbers(setting)) or not all(
        s >= 1 and p >= 0 and 0 <= m < s for s, p, m in zip(*_settings(conv_param), strict=True)
    ):
        raise DataError(
            f'conv_transpose: "stride" must be a whole number from 1, "pad" one from 0 and "output_padding" one from 0'
            f" to stride - 1, or two of them for (height, width), got {stride}, {pad} and {more}."
        )


def _numbers(setting: Any) -> Sequence[Any]:
    return setting if isinstance(setting, tuple | list) and len(setting) == 2 else (setting,)
