"""Rows: the four passes over the data that every normalisation of feature maps is made of.

Formula:
    μ = Σ_s x_s / S,  σ² = Σ_s (x_s - μ)² / S,  y_s = a x_s + b,  dx_s = a dy_s + c x_s + b,  s along a row

Derivation:
    A row is what is standardised together at least: the S places of one channel in one sample, or the features of one
    word. Along it a normalisation is a straight line, y = a x + b, with a and b from the statistics. Its backward is
    another one, in dy and x (see `standardise`), whose numbers come from two sums, Σ dy and Σ dy x. So whatever the
    sets are, x and dy are read a few times only, and all the rest happens on one number a row.
    The variance takes the mean off first: Σ x² / S - μ² is the same number on paper, but far from zero it is the small
    difference of two large ones. The rows are taken a few at a time, so that the next step finds them in the cache.

Source: Chan, Golub and LeVeque, "Algorithms for Computing the Sample Variance", 1983, for the two passes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

BLOCK = 2**18  # numbers at a time: 1 MB in float32
LONG = 512  # a row from which on NumPy need not copy what it stretches along it


def row_moments(x: np.ndarray, centred: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (R,), variance (R,), and x minus its mean (R, S), of rows x (R, S); of an empty row they are 0.

    The last goes into `centred`, where that is given.
    """
    size = max(x.shape[1], 1)
    ones = np.ones(x.shape[1], x.dtype)  # a product with a vector is the quickest sum
    kind = mean_type(x)
    mean, var = np.empty(len(x), kind), np.empty(len(x), kind)
    centred = np.empty(x.shape, kind) if centred is None else centred
    with broadcasting(size):
        for part in blocks(*x.shape):
            mean[part] = (x[part] @ ones) / size
            np.subtract(x[part], mean[part, None], out=centred[part])
            var[part] = np.vecdot(centred[part], centred[part]) / size
    return mean, var, centred


def scale_and_shift(x: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> None:
    """Turn rows x (R, S) into scale · x + shift, in place, with numbers (R,)."""
    with broadcasting(x.shape[1]):
        for part in blocks(*x.shape):
            x[part] *= scale[part, None]
            x[part] += shift[part, None]


def row_sums(dout: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Σ dout and Σ dout x, both (R,), of rows dout and x (R, S)."""
    ones = np.ones(x.shape[1], x.dtype)
    s, t = np.empty(len(x), dout.dtype), np.empty(len(x), dout.dtype)
    for part in blocks(*x.shape):
        s[part] = dout[part] @ ones
        t[part] = np.vecdot(dout[part], x[part])
    return s, t


def combine(
    dout: np.ndarray,
    scale: np.ndarray,
    x: np.ndarray,
    slope: np.ndarray,
    shift: np.ndarray,
    total: np.ndarray | None = None,
) -> np.ndarray:
    """Scale · dout + slope · x + shift (R, S), of rows dout and x (R, S) and numbers (R,); into `total`, if given."""
    total = np.empty_like(dout) if total is None else total
    scratch = np.empty((block_height(*x.shape), x.shape[1]), total.dtype)
    with broadcasting(x.shape[1]):
        for part in blocks(*x.shape):
            np.multiply(x[part], slope[part, None], out=total[part])
            total[part] += shift[part, None]
            total[part] += np.multiply(dout[part], scale[part, None], out=scratch[: len(x[part])])
    return total


def mean_type(x: np.ndarray) -> np.dtype:
    """The type of a mean of x: its own, or float64 where x holds integers."""
    return x.dtype if np.issubdtype(x.dtype, np.inexact) else np.dtype(np.float64)


def blocks(count: int, size: int, block: int = BLOCK) -> Iterator[slice]:
    """Slices of `count` rows of `size` numbers, together all of them, of about `block` numbers each."""
    step = block_height(count, size, block)
    for start in range(0, count, step):
        yield slice(start, start + step)


def block_height(count: int, size: int, block: int = BLOCK) -> int:
    """Rows in the largest slice of `blocks`; 1 where there is none."""
    return max(min(block // max(size, 1), count), 1)


@contextmanager
def broadcasting(size: int) -> Iterator[None]:
    """Make one number a row times a row of `size` numbers as fast as it can be.

    NumPy writes an operand that it stretches into a buffer first, if the rows are shorter than that buffer of 8192
    numbers: half of the time. A buffer shorter than the rows is not used.
    """
    with np.errstate():  # which puts the size of the buffer back, too
        if size >= LONG:
            np.setbufsize(LONG)
        yield
