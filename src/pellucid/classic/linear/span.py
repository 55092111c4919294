"""More features than samples: look for the weights where they must lie, in the span of the samples.

Formula:
    X = Z Qᵀ with Qᵀ Q = 1,  so  X V = Z (Qᵀ V)  and, for V = Q A,  Σ V² = Σ A²

A part of V that stands at right angles to all samples changes no score and only adds to the penalty, so the optimum has
none (the representer theorem): it is V = Q A, with A found among N numbers a class in place of D.

Source: Kimeldorf and Wahba, "Some results on Tchebycheffian spline functions", 1971.
"""

import numpy as np

MANY = 2  # times as many features as samples, from which the turn costs less than it saves


def in_span(X: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Samples (N, D) as (N, N) in the directions they span, and these directions (D, N); unchanged when D is small."""
    n, d = X.shape
    if d <= MANY * n:
        return X, None
    directions, lengths = np.linalg.qr(X.T)
    return np.ascontiguousarray(lengths.T), directions


def out_of_span(W: np.ndarray, directions: np.ndarray | None) -> np.ndarray:
    """Weights (N, K) in these directions as weights (D, K) of the features; rows behind them, the bias, stay."""
    if directions is None:
        return W
    n = directions.shape[1]
    return np.concatenate([directions.astype(W.dtype, copy=False) @ W[:n], W[n:]])
