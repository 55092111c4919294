"""Mean and covariance of many rows, and shift-then-multiply, a block of rows at a time.

All in float64, whatever the rows are: a whitening divides by small variances, which the digits of float32 do not reach.
"""

from collections.abc import Iterator

import numpy as np

# N rows, D features, K outputs

BLOCK = 1 << 20  # numbers in one block


def blocks(X: np.ndarray) -> Iterator[slice]:
    """Some rows of X (N, D) at a time."""
    step = max(1, BLOCK // X.shape[1])
    for at in range(0, len(X), step):
        yield slice(at, at + step)


def mean_of(X: np.ndarray) -> np.ndarray:
    """The mean row of X (N, D): (D,) float64."""
    return np.asarray(X.mean(axis=0, dtype=np.float64))


def variance_of(X: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Mean squared distance from the mean (divided by N) of each column of X (N, D): (D,) float64."""
    total = np.zeros(X.shape[1])
    for part in blocks(X):
        away = X[part] - mean
        total += np.einsum("nd,nd->d", away, away)
    return total / len(X)


def covariance_of(X: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Covariance (divided by N - 1) of X (N, D): (D, D) float64; beside it only one block is held."""
    total = np.zeros((X.shape[1], X.shape[1]))
    for part in blocks(X):
        away = X[part] - mean
        total += away.T @ away  # NumPy sees that both are one, and computes half of it
    return total / (len(X) - 1)


def shifted_product(X: np.ndarray, shift: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(X - shift) @ matrix for X (N, D) and matrix (D, K): (N, K) in X's type, without a copy of X."""
    out = np.empty((len(X), matrix.shape[1]), X.dtype)
    shift, matrix = shift.astype(X.dtype), matrix.astype(X.dtype, copy=False)
    for part in blocks(X):
        np.matmul(X[part] - shift, matrix, out=out[part])
    return out
