"""Convolution by blocks: the columns of im2col, made a piece at a time and used while they are in the cache.

Formula:
    for each block of output rows:  Y = [W b] · [columns; 1],  columns[(v, u, c), (i, j, n)] as in im2col

Derivation:
    im2col writes HH·WW times the picture to memory and reads it again; both cost more than the matrix product saves.
    Here only a block of about a thousand columns exists at a time, small enough for the cache. What makes filling it
    quick: pictures narrower than 32 pixels are laid out with eight of them innermost, (C, H, W, 8), so that what one
    tap sees is long runs of numbers and not W' numbers at a time. With a stride, the pixels of a row are first sorted
    by their place modulo the stride, so that those which one tap sees are neighbours again. A view with the rows
    of the kernel as an axis of its own lets one copy serve HH taps. And the bias is a weight of a row of ones, so
    that no pass over the output is spent on it.
    Backward, each block:  [dW db] += dY · [columns; 1]ᵀ,  dcolumns = Wᵀ · dY,  and each tap's share is added to where
    it was copied from, first along the row, for all HH rows of the kernel at once, and in the end down the column.
    The columns are made anew: that is quicker than fetching them back from memory.

Source: Goto, van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008, for the blocks.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pellucid.scratch.convolution.size import ConvParam, Window, conv_window, effective_size

TOGETHER = 8  # pictures innermost in memory, where their rows alone are too short
LONG = 32  # pixels: rows that are long enough
PLACES = 1024  # columns of a block

Cache = tuple[np.ndarray, np.ndarray, Window]


def conv_forward_blocked(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam
) -> tuple[np.ndarray, Cache]:
    """As `conv_forward_naive`: x (N, C, H, W), w (F, C, HH, WW), b (F,) -> out (N, F, H', W').

    Raises:
        DataError: the shapes do not fit each other, or a setting is missing or does not fit.
    """
    window = conv_window(x, w, b, conv_param)
    matrix = np.concatenate([w.transpose(0, 3, 2, 1).reshape(len(w), w[:1].size), b[:, None]], axis=1)
    out = np.empty((len(x), len(w), *window.out), x.dtype)
    groups = groups_of(len(x), window.out[1])
    grid = _grid(len(groups), together(groups), x, window)
    for group, pictures in zip(grid, groups, strict=True):
        for inside, pixels in _phases(group, x[pictures], window):
            inside[...] = pixels
    taps, memory = _taps(_under_rows(grid, window), window), _memory(w, window, together(groups))
    for group, pictures in enumerate(groups):
        for rows in blocks(window.out[0], window.out[1] * together(groups)):
            columns = _columns(taps, group, rows, pictures, memory)
            _multiply(matrix, columns, out[pictures, :, rows])
    return out, (grid, w, window)


def conv_backward_blocked(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx, dw and db from dout (N, F, H', W')."""
    grid, w, window = cache
    f, c, height, width = w.shape
    matrix = np.ascontiguousarray(w.transpose(3, 2, 1, 0)).reshape(w[:1].size, f)  # (WW·HH·C, F)
    dmatrix = np.zeros((len(matrix) + 1, f), w.dtype)
    dx = np.empty((len(dout), c, *window.size), dout.dtype)
    groups = groups_of(len(dout), window.out[1])
    under_rows = _under_rows(grid, window)
    taps, memory = _taps(under_rows, window), _memory(w, window, together(groups))
    dgrid, dunder = np.empty((1, *grid.shape[1:]), grid.dtype), np.empty((1, *under_rows.shape[1:]), grid.dtype)
    drows, dtaps = _under_rows(dgrid, window), _taps(dunder, window)
    for group, pictures in enumerate(groups):
        dunder[...] = dgrid[...] = 0
        for rows in blocks(window.out[0], window.out[1] * together(groups)):
            columns = _columns(taps, group, rows, pictures, memory)
            dy = dout[pictures, :, rows].transpose(1, 2, 3, 0).reshape(f, -1)  # (F, rows·W'·N)
            dmatrix += columns @ dy.T  # the larger factor on the left is quicker
            places = dtaps[0][0, :, :, rows, :, : len(dout[pictures])].shape
            for tap, share in zip(dtaps, (matrix @ dy).reshape(width, *places), strict=True):
                tap[0, :, :, rows, :, : places[-1]] += share
        for u in range(height):
            drows[0, u] += dunder[0, u]  # rows under different u overlap, so one after the other
        for inside, pixels in _phases(dgrid[0], dx[pictures], window):
            pixels[...] = inside
    dw = dmatrix[:-1].reshape(width, height, c, f).transpose(3, 2, 1, 0)
    return dx, np.ascontiguousarray(dw), dmatrix[-1]


def groups_of(pictures: int, width: int) -> list[slice]:
    """The pictures that are laid out and worked on together: one if its rows are long, else up to eight."""
    step = 1 if width >= LONG else TOGETHER
    return [slice(first, min(first + step, pictures)) for first in range(0, pictures, step)]


def together(groups: list[slice]) -> int:
    """Pictures of the first group, which is the largest."""
    return groups[0].stop if groups else 1


def blocks(rows: int, row: int) -> list[slice]:
    """`rows` cut into pieces of at most `PLACES` places, if a row has `row`; one row at least."""
    step = max(1, PLACES // row)
    return [slice(first, min(first + step, rows)) for first in range(0, rows, step)]


def _grid(groups: int, pictures: int, x: np.ndarray, window: Window) -> np.ndarray:
    """Zeros for groups of pictures with padding, (groups, S, C, H + 2 P, ⌈(W + 2 P) / S⌉, N).

    Pixel S·q + r of a row is at [:, r, ..., q, :].
    """
    height, width = window.padded
    stride = window.stride[1]
    return np.zeros((groups, stride, x.shape[1], height, -(-width // stride), pictures), x.dtype)


def _phases(grid: np.ndarray, x: np.ndarray, window: Window) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each place modulo the stride: where these pixels are in a group, and in its pictures; (C, H, columns, N)."""
    (top, left), stride, (height, width) = window.pad, window.stride[1], window.size
    for first in range(min(stride, width)):
        place, phase = divmod(first + left, stride)
        pixels = x[..., first::stride].transpose(1, 2, 3, 0)
        yield grid[phase, :, top : top + height, place : place + pixels.shape[2], : len(x)], pixels


def _under_rows(grid: np.ndarray, window: Window) -> np.ndarray:
    """A view (groups, HH, S, C, H', columns, N): for kernel row u and output row i the pixels of row S·i + D·u."""
    reach = effective_size(window.kernel[0], window.dilation[0])
    windows = sliding_window_view(grid, reach, axis=3, writeable=True)  # (groups, S, C, rows, columns, N, reach)
    return np.moveaxis(windows[:, :, :, :: window.stride[0], ..., :: window.dilation[0]], -1, 1)


def _taps(under_rows: np.ndarray, window: Window) -> list[np.ndarray]:
    """For each column of the kernel what it sees: views (groups, HH, C, H', W', N)."""
    places = [divmod(v * window.dilation[1], window.stride[1]) for v in range(window.kernel[1])]
    return [under_rows[:, :, phase, :, :, place : place + window.out[1]] for place, phase in places]


def _memory(w: np.ndarray, window: Window, pictures: int) -> np.ndarray:
    """Ones, for the columns of the largest block."""
    row = window.out[1] * pictures
    most = blocks(window.out[0], row)[0].stop * row
    # 16 more: rows of memory that lie a power of two apart share the same few places of the cache.
    return np.ones((w[:1].size + 1, most + 16), w.dtype)


def _columns(taps: list[np.ndarray], group: int, rows: slice, pictures: slice, memory: np.ndarray) -> np.ndarray:
    """Columns of these output rows, (WW·HH·C + 1, rows·W'·N), the last a row of ones; they overwrite `memory`."""
    number = pictures.stop - pictures.start
    kernel_rows, c, height, width = taps[0][0, :, :, rows].shape[:4]
    columns = memory[:, : height * width * number]
    for tap, share in zip(taps, columns[:-1].reshape(-1, kernel_rows, c, height, width, number), strict=True):
        share[...] = tap[group, :, :, rows, :, :number]
    return columns


def _multiply(matrix: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    """Write matrix · columns to out (N, F, rows, W'), which is in place if there is one picture."""
    n, f, rows, width = out.shape
    if n == 1:
        np.matmul(matrix, columns, out=out.reshape(f, rows * width))  # a view: a kernel's rows lie together
    else:
        out[...] = (matrix @ columns).reshape(f, rows, width, n).transpose(3, 0, 1, 2)
