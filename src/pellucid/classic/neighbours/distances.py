"""All distances between two sets of rows, in the three forms of the course: two loops, one loop, none.

They hold all N x M distances and compute in floating point: to learn from and to check by. `search` is for work.
"""

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist

from pellucid.core.choose import choose
from pellucid.core.errors import DataError

# N rows of X, M rows of memory, D numbers each


def _l2(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sqrt(np.square(a - b).sum(axis=-1))


def _l1(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a - b).sum(axis=-1)


BETWEEN: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {"l2": _l2, "l1": _l1}


def compute_distances_two_loops(X: np.ndarray, memory: np.ndarray, distance: str = "l2") -> np.ndarray:
    """One pair at a time.

    Args:
        X: (N, D); integers are computed in float64, floats in their own type.
        memory: (M, D).
        distance: "l2" Euclidean, "l1" sum of absolute differences.

    Returns:
        (N, M).

    Raises:
        ConfigError: an unknown distance.
        DataError: shapes that do not fit.
    """
    between = choose(distance, BETWEEN, "distance")
    X, memory = _as_floats(X, memory)
    distances = np.empty((len(X), len(memory)), X.dtype)
    for i in range(len(X)):
        for j in range(len(memory)):
            distances[i, j] = between(X[i], memory[j])
    return distances


def compute_distances_one_loop(X: np.ndarray, memory: np.ndarray, distance: str = "l2") -> np.ndarray:
    """One row of X at a time, with all of memory: as `compute_distances_two_loops`."""
    between = choose(distance, BETWEEN, "distance")
    X, memory = _as_floats(X, memory)
    distances = np.empty((len(X), len(memory)), X.dtype)
    for i in range(len(X)):
        distances[i] = between(X[i], memory)
    return distances


def compute_distances_no_loops(X: np.ndarray, memory: np.ndarray, distance: str = "l2") -> np.ndarray:
    """All at once: as `compute_distances_two_loops`; L2 by one matrix product, |a|² + |b|² - 2ab.

    Between rows that are equal or nearly so the three terms cancel, and what is left is rounding: about 1e-16 (float64)
    or 1e-7 (float32) of |a|², with either sign. A negative one has no root, so it is set to 0 first; and in float32
    such small distances are not to be trusted.
    """
    choose(distance, BETWEEN, "distance")
    X, memory = _as_floats(X, memory)
    if distance == "l1":
        return cdist(X, memory, "cityblock").astype(X.dtype, copy=False)
    squares = squared_by_product(X, memory)
    return np.sqrt(np.maximum(squares, 0, out=squares), out=squares)


def squared_by_product(X: np.ndarray, memory: np.ndarray) -> np.ndarray:
    """|a|² + |b|² - 2ab, (N, M), as it comes out of the rounding: it can be a little below 0."""
    squares = X @ memory.T
    squares *= -2
    squares += np.square(X).sum(axis=1)[:, None]
    squares += np.square(memory).sum(axis=1)
    return squares


def _as_floats(X: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both in one floating-point type: unsigned pixels would wrap around below 0."""
    X, memory = np.asarray(X), np.asarray(memory)
    if X.ndim != 2 or memory.ndim != 2 or X.shape[1] != memory.shape[1]:
        raise DataError(f"X and memory must be (N, D) and (M, D), got {X.shape} and {memory.shape}.")
    both = np.result_type(X, memory)
    dtype = both if np.issubdtype(both, np.floating) else np.float64
    return X.astype(dtype, copy=False), memory.astype(dtype, copy=False)
