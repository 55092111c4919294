"""Means of interpolated samples as compiled loops; imported only where numba is installed.

Letters: P rows of C channels (the places of all maps), R regions of p x q bins, S and T taps a bin (down and across):
the places that its samples lie between.
"""

import numpy as np

from pellucid.ops.compiled import kernel

TOGETHER = 4  # taps that are added in one pass over the channels


@kernel
def merge(places: np.ndarray, shares: np.ndarray, scale: float, to: np.ndarray, weights: np.ndarray) -> int:
    """Taps at one place as one: fills `to` and `weights`, and returns how many, a multiple of TOGETHER."""
    n = 0
    for k in range(len(places)):
        share = shares[k] * scale
        if share == 0 and n:
            continue
        if n and to[n - 1] == places[k]:
            weights[n - 1] += share
        elif n > 1 and to[n - 2] == places[k]:
            weights[n - 2] += share
        else:
            to[n], weights[n] = places[k], share
            n += 1
    while n % TOGETHER:
        to[n], weights[n] = to[n - 1], 0
        n += 1
    return n


@kernel
def forward(
    rows: np.ndarray,
    base: np.ndarray,
    y_place: np.ndarray,
    y_share: np.ndarray,
    x_place: np.ndarray,
    x_share: np.ndarray,
    width: int,
    scale: float,
    out: np.ndarray,
    begin: int,
    end: int,
) -> None:
    """Fill channels begin..end of out (R, p, q, C) from rows (P, C).

    base (R,) is the first row of a region's picture; y_place and y_share are (R, p, S), x_place and x_share (R, q, T);
    scale is of the dtype of the rows.
    """
    R, p, S = y_place.shape
    q, T = x_place.shape[1:]
    y_to, y_weight = np.empty(S + TOGETHER, np.int64), np.empty(S + TOGETHER, rows.dtype)
    x_to, x_weight = np.empty((q, T + TOGETHER), np.int64), np.empty((q, T + TOGETHER), rows.dtype)
    x_count = np.empty(q, np.int64)
    one = scale / scale
    for r in range(R):
        for j in range(q):
            x_count[j] = merge(x_place[r, j], x_share[r, j], scale, x_to[j], x_weight[j])
        for i in range(p):
            y_count = merge(y_place[r, i], y_share[r, i], one, y_to, y_weight)
            for j in range(q):
                sums = out[r, i, j]
                sums[begin:end] = 0
                for a in range(y_count):
                    if y_weight[a] == 0:
                        continue
                    line = base[r] + y_to[a] * width
                    for b in range(0, x_count[j], TOGETHER):
                        w0, w1 = y_weight[a] * x_weight[j, b], y_weight[a] * x_weight[j, b + 1]
                        w2, w3 = y_weight[a] * x_weight[j, b + 2], y_weight[a] * x_weight[j, b + 3]
                        f0, f1 = rows[line + x_to[j, b]], rows[line + x_to[j, b + 1]]
                        f2, f3 = rows[line + x_to[j, b + 2]], rows[line + x_to[j, b + 3]]
                        for c in range(begin, end):
                            sums[c] += (w0 * f0[c] + w1 * f1[c]) + (w2 * f2[c] + w3 * f3[c])


@kernel
def backward(
    grad: np.ndarray,
    base: np.ndarray,
    y_place: np.ndarray,
    y_share: np.ndarray,
    x_place: np.ndarray,
    x_share: np.ndarray,
    width: int,
    scale: float,
    rows: np.ndarray,
    begin: int,
    end: int,
    channels_first: bool,
) -> None:
    """Add to channels begin..end of rows (P, C) what grad gives them; the rest as in `forward`.

    grad is (R, p q, C), or (R, C, p q) where channels come first: then it is turned region by region, in the cache.
    """
    R, p, S = y_place.shape
    q, T = x_place.shape[1:]
    y_to, y_weight = np.empty(S + TOGETHER, np.int64), np.empty(S + TOGETHER, rows.dtype)
    x_to, x_weight = np.empty((q, T + TOGETHER), np.int64), np.empty((q, T + TOGETHER), rows.dtype)
    x_count = np.empty(q, np.int64)
    one = scale / scale
    turned = np.empty((p * q, rows.shape[1]), rows.dtype)
    for r in range(R):
        bins = grad[r]
        if channels_first:
            for c in range(begin, end):
                for k in range(p * q):
                    turned[k, c] = grad[r, c, k]
            bins = turned
        for j in range(q):
            x_count[j] = merge(x_place[r, j], x_share[r, j], scale, x_to[j], x_weight[j])
        for i in range(p):
            y_count = merge(y_place[r, i], y_share[r, i], one, y_to, y_weight)
            for j in range(q):
                g = bins[i * q + j]
                for a in range(y_count):
                    line = base[r] + y_to[a] * width
                    for b in range(x_count[j]):
                        w = y_weight[a] * x_weight[j, b]
                        if w != 0:
                            row = rows[line + x_to[j, b]]
                            for c in range(begin, end):
                                row[c] += w * g[c]
