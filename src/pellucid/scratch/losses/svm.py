"""Multiclass support vector machine loss: the right class should win by a margin.

Formula:
    L_n = Σ_{j ≠ y_n} max(0, s_nj - s_n,y_n + δ)
    L   = (1/N) Σ_n L_n,  for a linear classifier s = X W:  L + λ Σ W²

Derivation:
    Each term is either 0 or a straight line in two scores. Where it is positive it grows by 1 with s_nj and falls
    by 1 with the score of the right class, so
        ∂L_n/∂s_nj    = 1[s_nj - s_n,y_n + δ > 0]                for j ≠ y_n
        ∂L_n/∂s_n,y_n = -(how many of the others are positive)
    With s = X W the chain rule gives dW = Xᵀ ds + 2 λ W. At exactly 0 the term has a kink; its slope there is
    taken as 0. Once every margin is kept the gradient is exactly 0: this loss stops caring.
    δ and λ are one trade-off: with W = δ V the loss is δ (Σ max(0, s_j - s_y + 1) + λ δ Σ V²), the scores now
    those of V. So δ = 1 will do, and λ alone is searched.

Source: Weston and Watkins, "Support vector machines for multi-class pattern recognition", 1999; CS231n, assignment 1.
"""

import numpy as np

from pellucid.scratch.losses.penalties import l2_penalty
from pellucid.scratch.losses.targets import require_labels, require_linear


def svm_margins(x: np.ndarray, y: np.ndarray, delta: float) -> np.ndarray:
    """By how much each wrong class comes too close to the right one: max(0, s_j - s_y + δ) (N, C), 0 at j = y.

    Args:
        x: (N, C) scores.
        y: (N,) labels, integers in 0..C-1.
        delta: the margin.

    Raises:
        DataError: the labels do not fit the scores.
    """
    require_labels(x, y)
    rows = np.arange(len(x))
    margins = np.maximum(0, x - x[rows, y][:, None] + delta)  # (N, C)
    margins[rows, y] = 0  # the right class against itself would always add δ
    return margins


def svm_loss(x: np.ndarray, y: np.ndarray, delta: float = 1.0) -> tuple[float, np.ndarray]:
    """The mean loss and its gradient with respect to the scores. An empty batch costs 0.

    Args:
        x: (N, C) scores.
        y: (N,) labels, integers in 0..C-1.
        delta: the margin.

    Returns:
        loss, dx (N, C).

    Raises:
        DataError: the labels do not fit the scores.
    """
    margins = svm_margins(x, y, delta)
    n = max(len(x), 1)
    dx = (margins > 0).astype(margins.dtype)
    dx[np.arange(len(x)), y] = -dx.sum(axis=1)
    return float(margins.sum()) / n, dx / n


def svm_loss_vectorized(
    W: np.ndarray, X: np.ndarray, y: np.ndarray, reg: float, delta: float = 1.0
) -> tuple[float, np.ndarray]:
    """The loss of a linear classifier, penalty included, and its gradient.

    Args:
        W: (D, C) weights; a bias is one of its rows, with a 1 in every sample, and is penalised with the rest.
        X: (N, D) samples.
        y: (N,) labels, integers in 0..C-1.
        reg: λ of the penalty λ Σ W², without a half.
        delta: the margin.

    Returns:
        loss, dW (D, C).

    Raises:
        DataError: the shapes do not fit, or a label is no class.
    """
    require_linear(W, X)
    loss, dscores = svm_loss(X @ W, y, delta)
    penalty, dpenalty = l2_penalty(W, reg)
    return loss + penalty, X.T @ dscores + dpenalty


def svm_loss_naive(
    W: np.ndarray, X: np.ndarray, y: np.ndarray, reg: float, delta: float = 1.0
) -> tuple[float, np.ndarray]:
    """The same, sample by sample and class by class, straight from the definition."""
    require_linear(W, X)
    require_labels(np.zeros((len(X), W.shape[1])), y)
    n, loss, dW = len(X), 0.0, np.zeros_like(W)
    for i in range(len(X)):
        scores = X[i] @ W  # (C,)
        for j in range(W.shape[1]):
            if j == y[i]:
                continue
            margin = scores[j] - scores[y[i]] + delta
            if margin > 0:
                loss += float(margin) / n
                dW[:, j] += X[i] / n
                dW[:, y[i]] -= X[i] / n
    return loss + reg * float(np.sum(W * W)), dW + 2 * reg * W
