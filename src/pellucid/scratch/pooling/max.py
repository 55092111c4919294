"""Max pooling: of each window the largest value, and the gradient to where it stood.

Formula:
    y_a = max of x_r over the inputs r in window a
    dx_r = Σ over the windows a whose maximum stands at r of dy_a

Derivation:
    Away from ties the maximum is one of its inputs, x_r*, and stays that one when the inputs move a little:
    ∂y_a/∂x_r is 1 at r = r* and 0 elsewhere. Windows that overlap may share r*, and their gradients add. At a tie
    y has a kink: the first of the equal inputs, row by row, gets all of the gradient (PyTorch does so too). Any
    split among them would be as right; giving each of them the whole, as `dout * (x == max)` does, would not.
    Padding counts as -∞, so it is never the maximum. There is nothing to learn: zero parameters.
    Fast: a loop over the F · F places of the window, each for all windows at once as strided views.

Source: CS231n, assignment 2; CS231n notes, "Convolutional Networks", pooling layer.
"""

from itertools import product

import numpy as np

from pellucid.scratch.pooling.max_unpool import max_unpool_forward
from pellucid.scratch.pooling.window import Axis, PoolParam, pool_axes

NaiveCache = tuple[np.ndarray, PoolParam]
FastCache = tuple[np.ndarray, np.ndarray, PoolParam]


def max_pool_forward_naive(x: np.ndarray, pool_param: PoolParam) -> tuple[np.ndarray, NaiveCache]:
    """The same as `max_pool_forward_fast`, one output at a time."""
    rows, columns = pool_axes(x.shape, pool_param)
    n, c = x.shape[:2]
    out = np.empty((n, c, rows.out, columns.out), x.dtype)
    for sample, channel, a, b in np.ndindex(*out.shape):
        r, s = _window(rows, a), _window(columns, b)
        out[sample, channel, a, b] = np.max(x[sample, channel, r, s])
    return out, (x, pool_param)


def max_pool_backward_naive(dout: np.ndarray, cache: NaiveCache) -> np.ndarray:
    """The same as `max_pool_backward_fast`, one output at a time."""
    x, pool_param = cache
    rows, columns = pool_axes(x.shape, pool_param)
    dx = np.zeros_like(x)
    for sample, channel, a, b in np.ndindex(*dout.shape):
        r, s = _window(rows, a), _window(columns, b)
        window = x[sample, channel, r, s]
        i, j = np.unravel_index(np.argmax(window), window.shape)  # the first one of equals
        dx[sample, channel, r.start + i * r.step, s.start + j * s.step] += dout[sample, channel, a, b]
    return dx


def max_pool_forward_fast(x: np.ndarray, pool_param: PoolParam) -> tuple[np.ndarray, FastCache]:
    """The largest value of each window; for any window and stride, overlapping or not.

    Args:
        x: (N, C, H, W) inputs.
        pool_param: "pool_height", "pool_width", "stride"; optional "pad", "dilation", "strict" and "ceil", see
            `pool_axes`.

    Returns:
        out (N, C, H', W'), and what backward needs. A NaN makes the outputs that see it NaN.

    Raises:
        DataError: a setting is missing or does not fit the input.
        ConfigError: "pad" is an unknown word.
    """
    rows, columns = pool_axes(x.shape, pool_param)
    out = np.full((*x.shape[:2], rows.out, columns.out), -np.inf, x.dtype)
    for (r, a), (s, b) in product(rows.places(), columns.places()):
        seen = out[:, :, a, b]
        np.maximum(seen, x[:, :, r, s], out=seen)
    return out, (x, out, pool_param)


def max_pool_backward_fast(dout: np.ndarray, cache: FastCache) -> np.ndarray:
    """Gradient dx (N, C, H, W) from dout (N, C, H', W'): max unpooling of it."""
    x, out, pool_param = cache
    dx, _ = max_unpool_forward(dout, _positions(x, out, *pool_axes(x.shape, pool_param)), (x.shape[2], x.shape[3]))
    return dx


def max_pool_positions(x: np.ndarray, pool_param: PoolParam) -> np.ndarray:
    """Where the maximum of each window stands: (N, C, H', W') integers, row · W + column in the map of its input."""
    out, _ = max_pool_forward_fast(x, pool_param)
    return _positions(x, out, *pool_axes(x.shape, pool_param))


def _positions(x: np.ndarray, out: np.ndarray, rows: Axis, columns: Axis) -> np.ndarray:
    n_places = rows.window * columns.window
    rank = np.zeros(out.shape, np.min_scalar_type(n_places))  # n_places for the first place, 1 for the last
    for place, ((r, a), (s, b)) in enumerate(product(rows.places(), columns.places())):
        is_maximum = ~(x[:, :, r, s] < out[:, :, a, b])  # true for NaN, so that every window has one
        highest = rank[:, :, a, b]
        np.maximum(highest, is_maximum * rank.dtype.type(n_places - place), out=highest)
    width = x.shape[3]
    down, right = np.arange(rows.window) * rows.dilation, np.arange(columns.window) * columns.dilation
    within = np.add.outer(down * width, right).ravel()
    corners = np.add.outer(rows.starts() * width, columns.starts())  # (H', W')
    return corners + within[n_places - rank]  # (N, C, H', W')


def _window(axis: Axis, a: int) -> slice:
    """The inputs in window `a`, without the padding."""
    start = a * axis.stride - axis.before
    end = min(start + axis.dilation * axis.window, axis.size)
    return slice(max(start, start % axis.dilation), end, axis.dilation)
