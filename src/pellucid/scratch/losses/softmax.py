"""Softmax loss: scores become probabilities, and the loss is -log of the probability of the right class.

Formula:
    p_nj = exp(s_nj) / Σ_k exp(s_nk)
    L_n  = -ln p_n,y_n = ln Σ_k exp(s_nk) - s_n,y_n
    L    = (1/N) Σ_n L_n,  for a linear classifier s = X W:  L + λ Σ W²

Derivation:
    ∂/∂s_j ln Σ_k exp(s_k) = exp(s_j) / Σ_k exp(s_k) = p_j, and ∂s_y/∂s_j = 1[j = y], so
        ∂L_n/∂s_nj = p_nj - 1[j = y_n]
    which is never 0: there is always some probability left to win. The sum over a row is 0.
    exp overflows from 710 on (88 in float32), but a number added to every score of a row changes nothing:
    exp(s_j + c) / Σ exp(s_k + c) = p_j. With c = -max s the largest exponential is 1. The logarithm is never taken
    of p itself, which may have become 0, but as s_y - max s - ln Σ exp(s_k - max s).
    The sum of the losses is -ln of the product of the probabilities: the smallest loss is the largest likelihood.

Source: Bridle, "Probabilistic interpretation of feedforward network outputs", 1990; CS231n, assignment 1.
"""

import numpy as np

from pellucid.scratch.losses.penalties import l2_penalty
from pellucid.scratch.losses.targets import require_labels, require_linear


def softmax(x: np.ndarray) -> np.ndarray:
    """Probabilities over the last axis, of the shape of `x` (..., C); scores of -inf get 0."""
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def log_sum_exp(x: np.ndarray) -> np.ndarray:
    """The logarithm of Σ exp over the last axis, a smooth maximum: (..., C) becomes (...)."""
    top = x.max(axis=-1, keepdims=True)
    return np.log(np.exp(x - top).sum(axis=-1)) + top[..., 0]


def log_softmax(x: np.ndarray) -> np.ndarray:
    """The logarithms of the probabilities, of the shape of `x` (..., C); finite where `softmax` has become 0."""
    shifted = x - x.max(axis=-1, keepdims=True)  # first, or the digits of small scores are lost beside a large one
    return shifted - log_sum_exp(shifted)[..., None]


def softmax_loss(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean loss and its gradient with respect to the scores. An empty batch costs 0.

    Args:
        x: (N, C) scores.
        y: (N,) labels, integers in 0..C-1.

    Returns:
        loss, dx (N, C).

    Raises:
        DataError: the labels do not fit the scores.
    """
    require_labels(x, y)
    rows, n = np.arange(len(x)), max(len(x), 1)
    log_p = log_softmax(x)  # (N, C)
    dx = np.exp(log_p)
    dx[rows, y] -= 1
    return -float(log_p[rows, y].sum()) / n, dx / n


def softmax_loss_vectorized(W: np.ndarray, X: np.ndarray, y: np.ndarray, reg: float) -> tuple[float, np.ndarray]:
    """The loss of a linear classifier, penalty included, and its gradient.

    Args:
        W: (D, C) weights; a bias is one of its rows, with a 1 in every sample, and is penalised with the rest.
        X: (N, D) samples.
        y: (N,) labels, integers in 0..C-1.
        reg: λ of the penalty λ Σ W², without a half.

    Returns:
        loss, dW (D, C).

    Raises:
        DataError: the shapes do not fit, or a label is no class.
    """
    require_linear(W, X)
    loss, dscores = softmax_loss(X @ W, y)
    penalty, dpenalty = l2_penalty(W, reg)
    return loss + penalty, X.T @ dscores + dpenalty


def softmax_loss_naive(W: np.ndarray, X: np.ndarray, y: np.ndarray, reg: float) -> tuple[float, np.ndarray]:
    """The same, sample by sample and class by class, straight from the definition."""
    require_linear(W, X)
    require_labels(np.zeros((len(X), W.shape[1])), y)
    n, loss, dW = len(X), 0.0, np.zeros_like(W)
    for i in range(len(X)):
        scores = X[i] @ W  # (C,)
        scores = scores - max(scores)
        total = sum(np.exp(score) for score in scores)
        loss += float(np.log(total) - scores[y[i]]) / n
        for j in range(W.shape[1]):
            p = np.exp(scores[j]) / total
            dW[:, j] += (p - (j == y[i])) * X[i] / n
    return loss + reg * float(np.sum(W * W)), dW + 2 * reg * W
