"""Targets: what a loss compares the outputs with, and what they must look like.

Formula:
    scores   s (N, C),  labels y (N,) with y_n ∈ {0, ..., C - 1}
    outputs  x (N, ...), targets of the same shape

Derivation:
    A label picks one entry of its row, s[n, y_n]. NumPy would take much for a label that is none: -1 is the last
    class, a column (N, 1) picks an N x N table, and a target of shape (N, 1) beside outputs (N,) spreads to
    N x N differences. All of these train, and wrongly. So labels and targets are looked at before they are used.

Source: CS231n, assignment 1.
"""

import numpy as np

from pellucid.core.errors import DataError


def require_labels(scores: np.ndarray, labels: np.ndarray) -> None:
    """Labels are integers, one for each row of the scores, and each is a column of them.

    Args:
        scores: (N, C).
        labels: (N,) of any integer type.

    Raises:
        DataError: they are not.
    """
    if scores.ndim != 2:
        raise DataError(f"The scores must be (N, C), a row for each sample, got {scores.shape}.")
    n, n_classes = scores.shape
    if labels.shape != (n,):
        raise DataError(
            f"The labels must be ({n},), one for each row of the scores {scores.shape}, got {labels.shape}."
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"The labels must be integers, got {labels.dtype}. Convert them with .astype(np.int64).")
    wrong = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if len(wrong):
        first = wrong[0]
        raise DataError(
            f"Label {labels[first]} of sample {first} is not in 0..{n_classes - 1}: the scores {scores.shape} have "
            f"{n_classes} classes."
        )


def require_linear(W: np.ndarray, X: np.ndarray) -> None:
    """The weights W (D, C) fit the samples X (N, D).

    Raises:
        DataError: they do not.
    """
    if W.ndim != 2 or X.ndim != 2 or X.shape[1] != len(W):
        raise DataError(f"X must be (N, D) and W (D, C) with the same D, got X {X.shape} and W {W.shape}.")


def require_same_shape(x: np.ndarray, target: np.ndarray, name: str = "target") -> np.ndarray:
    """The target in the float type of `x`, if it has the shape of `x`.

    Args:
        x: (N, ...) outputs.
        target: of the same shape, of any type.
        name: what the message calls the target.

    Raises:
        DataError: it has another shape, or `x` has no axis of samples.
    """
    if x.ndim == 0:
        raise DataError("The outputs must have samples along their first axis, got a single number.")
    if x.shape != target.shape:
        raise DataError(f"The {name} must have the shape {x.shape} of the outputs, got {target.shape}.")
    return target.astype(x.dtype, copy=False) if np.issubdtype(x.dtype, np.floating) else target
