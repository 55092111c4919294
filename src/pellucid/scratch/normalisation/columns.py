"""Columns: the passes over a table (N, D) that batch norm is made of, with one number a column.

Formula:
    μ = k + Σ_n c_n / N,  σ² = Σ_n c_n² / N - (Σ_n c_n / N)²,  c_n = x_n - k,  y_n = a x_n + b

Derivation:
    Any k gives the same μ and σ², and one pass over x gives both sums. With k = 0 it is Σ x² / N - μ², which far from
    zero is the small difference of two large numbers. With k the mean of the first rows, c is about as large as σ, and
    the difference loses nothing.
    A sum down the columns is the product of a row of ones and the table. The rows are taken some at a time, so that the
    next step finds them in the cache, and the sums of the blocks are added in float64. A number a column is first
    written out as a table of that height: NumPy walks through two tables of one shape as through two long rows, where
    it would start anew at each row of the table.

Source: Chan, Golub and LeVeque, "Algorithms for Computing the Sample Variance", 1983, for the shift.
"""

from collections.abc import Iterator

import numpy as np

from pellucid.scratch.normalisation.rows import block_height, blocks, mean_type

TABLE = 2**16  # numbers at a time: 256 KB in float32


def column_moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (D,) of the columns of x (N, D); of an empty column they are 0."""
    n, d = max(len(x), 1), x.shape[1]
    scratch = np.empty((height(x), d), mean_type(x))
    first, ones = x[: len(scratch)], np.ones(len(scratch), scratch.dtype)
    guess = (ones[: len(first)] @ first) / len(scratch)
    guesses = table(guess, x)
    total, squares = np.zeros(d), np.zeros(d)
    for part in column_blocks(x):
        k = len(x[part])
        c = np.subtract(x[part], guesses[:k], out=scratch[:k])
        total += ones[:k] @ c
        c *= c
        squares += ones[:k] @ c
    shift = total / n
    var = np.maximum(squares / n - shift * shift, 0.0)  # rounding can make a zero negative
    return (guess + shift).astype(scratch.dtype), var.astype(scratch.dtype)


def column_sums(dout: np.ndarray, x: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Σ dout and Σ dout (x - mean), both (D,), of the columns of dout and x (N, D)."""
    means = table(mean, x)
    ones, scratch = np.ones(len(means), dout.dtype), np.empty(means.shape, dout.dtype)
    s, t = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for part in column_blocks(x):
        k = len(x[part])
        product = np.subtract(x[part], means[:k], out=scratch[:k])
        product *= dout[part]
        s += ones[:k] @ dout[part]
        t += ones[:k] @ product
    return s.astype(dout.dtype), t.astype(dout.dtype)


def column_line(x: np.ndarray, mean: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Scale · (x - mean) + shift (N, D), with numbers (D,)."""
    out = np.empty(x.shape, mean_type(x))
    means, scales, shifts = table(mean, x), table(scale, x), table(shift, x)
    for part in column_blocks(x):
        k, y = len(x[part]), out[part]
        np.subtract(x[part], means[:k], out=y)
        y *= scales[:k]
        y += shifts[:k]
    return out


def column_combine(
    dout: np.ndarray, scale: np.ndarray, x: np.ndarray, slope: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """Scale · dout + slope · x + shift (N, D), with numbers (D,)."""
    total = np.empty(dout.shape, dout.dtype)
    scales, slopes, shifts = table(scale, x), table(slope, x), table(shift, x)
    scratch = np.empty(slopes.shape, dout.dtype)
    for part in column_blocks(x):
        k = len(x[part])
        line = np.multiply(x[part], slopes[:k], out=scratch[:k])
        line += shifts[:k]
        np.multiply(dout[part], scales[:k], out=total[part])
        total[part] += line
    return total


def column_blocks(x: np.ndarray) -> Iterator[slice]:
    """Slices of the rows of x (N, D), small enough for the cache to hold a block and the tables beside it."""
    return blocks(len(x), x.shape[1], TABLE)


def height(x: np.ndarray) -> int:
    """Rows in the largest of these slices."""
    return block_height(len(x), x.shape[1], TABLE)


def table(row: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The row (D,) under itself, as often as the largest slice of x (N, D) has rows."""
    return np.repeat(row[None], height(x), axis=0)
