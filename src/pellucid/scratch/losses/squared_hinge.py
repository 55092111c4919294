"""Squared hinge loss: as the support vector machine's, but one large violation costs more than several small ones.

Formula:
    L_n = Σ_{j ≠ y_n} max(0, s_nj - s_n,y_n + δ)²
    L   = (1/N) Σ_n L_n,  for a linear classifier s = X W:  L + λ Σ W²

Derivation:
    With m_nj = max(0, s_nj - s_n,y_n + δ), the derivative of m² is 2 m times that of the line inside, +1 for s_nj
    and -1 for s_n,y_n:
        ∂L_n/∂s_nj    = 2 m_nj                for j ≠ y_n
        ∂L_n/∂s_n,y_n = -Σ_{j ≠ y_n} 2 m_nj
    2 m goes to 0 where the hinge begins, so unlike the plain hinge there is no kink.

Source: CS231n notes, "Linear classification"; Tang, "Deep learning using linear support vector machines", 2013.
"""

import numpy as np

from pellucid.scratch.losses.penalties import l2_penalty
from pellucid.scratch.losses.svm import svm_margins
from pellucid.scratch.losses.targets import require_labels, require_linear


def squared_hinge_loss(x: np.ndarray, y: np.ndarray, delta: float = 1.0) -> tuple[float, np.ndarray]:
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
    dx = 2 * margins
    dx[np.arange(len(x)), y] = -dx.sum(axis=1)
    return float(np.sum(margins * margins)) / n, dx / n


def squared_hinge_loss_vectorized(
    W: np.ndarray, X: np.ndarray, y: np.ndarray, reg: float, delta: float = 1.0
) -> tuple[float, np.ndarray]:
    """The loss of a linear classifier, penalty included, and its gradient.

    Args:
        W: (D, C) weights.
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
    loss, dscores = squared_hinge_loss(X @ W, y, delta)
    penalty, dpenalty = l2_penalty(W, reg)
    return loss + penalty, X.T @ dscores + dpenalty


def squared_hinge_loss_naive(
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
            margin = max(0.0, float(scores[j] - scores[y[i]]) + delta)
            loss += margin**2 / n
            dW[:, j] += 2 * margin * X[i] / n
            dW[:, y[i]] -= 2 * margin * X[i] / n
    return loss + reg * float(np.sum(W * W)), dW + 2 * reg * W
