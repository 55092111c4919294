"""Average pooling: of each window the mean.

Formula:
    y_a = (1 / M_a) Σ_{r in window a} x_r,  M_a = F · F, or the number of inputs in the window
    dx_r = Σ over the windows a that hold r of dy_a / M_a

Derivation:
    y is linear in x: ∂y_a/∂x_r = 1 / M_a for r in window a, else 0. The chain rule sums over the windows that r
    lies in, so backward spreads each gradient evenly over its window: what average unpooling does to values.
    Padding is zeros. Whether they count is a choice: with M_a = F · F a constant picture darkens at its border,
    with the number of real inputs it stays constant. What "ceil" lets a window see beyond the padding never counts.
    Zero parameters.
    A sum over a rectangle is a sum of sums over its rows: F + F additions in place of F · F.

Source: CS231n notes, "Convolutional Networks", pooling layer; `torch.nn.AvgPool2d`, whose flag has the same name.
"""

import numpy as np

from pellucid.scratch.pooling.window import Axis, PoolParam, pool_axes

AverageCache = tuple[tuple[int, ...], PoolParam]


def average_pool_forward_naive(x: np.ndarray, pool_param: PoolParam) -> tuple[np.ndarray, AverageCache]:
    """The same as `average_pool_forward`, one output at a time."""
    rows, columns = pool_axes(x.shape, pool_param)
    n, c, height, width = x.shape
    out = np.empty((n, c, rows.out, columns.out), x.dtype)
    for sample, channel, a, b in np.ndindex(*out.shape):
        total, inputs = 0.0, 0
        places = _window(rows, columns, a, b)
        for r, s in places:
            if 0 <= r < height and 0 <= s < width:
                total += x[sample, channel, r, s]
                inputs += 1
        out[sample, channel, a, b] = total / (len(places) if pool_param.get("count_include_pad", True) else inputs)
    return out, (x.shape, pool_param)


def average_pool_backward_naive(dout: np.ndarray, cache: AverageCache) -> np.ndarray:
    """The same as `average_pool_backward`, one output at a time."""
    shape, pool_param = cache
    rows, columns = pool_axes(shape, pool_param)
    dx = np.zeros(shape, dout.dtype)
    for sample, channel, a, b in np.ndindex(*dout.shape):
        places = _window(rows, columns, a, b)
        inside = [(r, s) for r, s in places if 0 <= r < shape[2] and 0 <= s < shape[3]]
        for r, s in inside:
            counted = len(places) if pool_param.get("count_include_pad", True) else len(inside)
            dx[sample, channel, r, s] += dout[sample, channel, a, b] / counted
    return dx


def average_pool_forward(x: np.ndarray, pool_param: PoolParam) -> tuple[np.ndarray, AverageCache]:
    """The mean of each window.

    Args:
        x: (N, C, H, W) inputs.
        pool_param: "pool_height", "pool_width", "stride"; optional "pad", "dilation", "strict" and "ceil", see
            `pool_axes`; optional "count_include_pad": divide by the whole window also where it reaches into the
            padding (default True).

    Returns:
        out (N, C, H', W'), and what backward needs.

    Raises:
        DataError: a setting is missing or does not fit the input.
        ConfigError: "pad" is an unknown word.
    """
    rows, columns = pool_axes(x.shape, pool_param)
    n, c, _, width = x.shape
    tall = np.zeros((n, c, rows.out, width), x.dtype)
    for r, a in rows.places():
        tall[:, :, a] += x[:, :, r]
    out = np.zeros((n, c, rows.out, columns.out), x.dtype)
    for s, b in columns.places():
        out[:, :, :, b] += tall[:, :, :, s]
    out /= counted(rows, columns, pool_param, x.dtype)
    return out, (x.shape, pool_param)


def average_pool_backward(dout: np.ndarray, cache: AverageCache) -> np.ndarray:
    """Gradient dx (N, C, H, W) from dout (N, C, H', W')."""
    shape, pool_param = cache
    rows, columns = pool_axes(shape, pool_param)
    share = dout / counted(rows, columns, pool_param, dout.dtype)
    n, c, _, width = shape
    tall = np.zeros((n, c, rows.out, width), dout.dtype)
    for s, b in columns.places():
        tall[:, :, :, s] += share[:, :, :, b]
    dx = np.zeros(shape, dout.dtype)
    for r, a in rows.places():
        dx[:, :, r] += tall[:, :, a]
    return dx


def counted(rows: Axis, columns: Axis, pool_param: PoolParam, dtype: np.dtype) -> np.ndarray:
    """What each window is divided by, (H', W')."""
    padded = pool_param.get("count_include_pad", True)
    return np.multiply.outer(rows.counts(padded), columns.counts(padded)).astype(dtype)


def _window(rows: Axis, columns: Axis, a: int, b: int) -> list[tuple[int, int]]:
    """Row and column of everything in the window of output (a, b), padding included."""
    top, left = rows.starts()[a], columns.starts()[b]
    places = [
        (top + i * rows.dilation, left + j * columns.dilation)
        for i in range(rows.window)
        for j in range(columns.window)
    ]
    return [(r, s) for r, s in places if r < rows.size + rows.after and s < columns.size + columns.after]
