"""Entropy, cross-entropy and Kullback-Leibler divergence: how far one distribution is from another.

Formula:
    H(p)       = -Σ_k p_k ln p_k
    H(p, q)    = -Σ_k p_k ln q_k
    KL(p ‖ q)  =  Σ_k p_k ln(p_k / q_k) = H(p, q) - H(p),  p the truth, q the model

Derivation:
    ∂H(p)/∂p_k = -ln p_k - 1, and ∂H(p, q)/∂q_k = ∂KL/∂q_k = -p_k / q_k, each number of q moved on its own.
    With q = softmax(s) and Σ p_k = 1, KL = Σ p_k ln p_k - Σ p_k s_k + ln Σ_j exp(s_j), so
        ∂KL/∂s_k = q_k - p_k
    KL ≥ 0, since ln u ≤ u - 1: -KL = Σ p ln(q/p) ≤ Σ p (q/p - 1) = 0. It is 0 only for p = q, and not symmetric.
    0 ln 0 is 0, its limit. Where q is 0 and p is not, KL is infinite: the model ruled out what happens.
    For p = one-hot, H(p) is 0 and the cross-entropy is the softmax loss.

Source: Kullback and Leibler, "On information and sufficiency", 1951; CS231n notes, "Linear classification".
"""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.losses.softmax import log_softmax


def entropy(p: np.ndarray) -> tuple[float, np.ndarray]:
    """H(p) in nats, the mean over rows, and its gradient dp (infinite where p is 0).

    Args:
        p: (..., K) distributions along the last axis.

    Raises:
        DataError: a row is no distribution.
    """
    _check_distribution(p, "p")
    n = _rows(p)
    with np.errstate(divide="ignore"):
        dp = -np.log(p) - 1
    return -float(_times_log(p, q=p).sum()) / n, dp / n


def cross_entropy(p: np.ndarray, q: np.ndarray) -> tuple[float, np.ndarray]:
    """H(p, q) in nats, the mean over rows, and its gradient dq.

    Args:
        p: (..., K) distributions along the last axis, the truth.
        q: of the same shape, the model.

    Raises:
        DataError: the shapes differ, or a row is no distribution.
    """
    _check_pair(p, q)
    n = _rows(p)
    return -float(_times_log(p, q).sum()) / n, _slope(p, q) / n


def kl_divergence(p: np.ndarray, q: np.ndarray) -> tuple[float, np.ndarray]:
    """KL(p ‖ q) in nats, the mean over rows, and its gradient dq.

    Args:
        p: (..., K) distributions along the last axis, the truth.
        q: of the same shape, the model.

    Raises:
        DataError: the shapes differ, or a row is no distribution.
    """
    _check_pair(p, q)
    n = _rows(p)
    return float((_times_log(p, q=p) - _times_log(p, q)).sum()) / n, _slope(p, q) / n


def kl_divergence_of_scores(p: np.ndarray, x: np.ndarray) -> tuple[float, np.ndarray]:
    """KL(p ‖ softmax(x)) in nats, the mean over rows, and its gradient dx; never infinite for finite scores.

    Args:
        p: (..., K) distributions along the last axis, the truth.
        x: of the same shape, scores of the model.

    Raises:
        DataError: the shapes differ, or a row of p is no distribution.
    """
    _check_distribution(p, "p")
    _check_shapes(p, x, "x")
    n = _rows(p)
    log_q = log_softmax(x)
    return float((_times_log(p, q=p) - p * log_q).sum()) / n, (np.exp(log_q) - p) / n


def _rows(p: np.ndarray) -> int:
    """How many distributions there are; 1 if none, to divide by."""
    return max(p.size // p.shape[-1], 1)


def _times_log(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The products p ln q, with 0 ln 0 = 0."""
    with np.errstate(divide="ignore"):
        return p * np.log(np.where(p > 0, q, 1))


def _slope(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The slopes -p / q, with 0 / 0 = 0."""
    with np.errstate(divide="ignore"):
        return -p / np.where(p > 0, q, 1)


def _check_pair(p: np.ndarray, q: np.ndarray) -> None:
    _check_shapes(p, q, "q")
    _check_distribution(p, "p")
    _check_distribution(q, "q")


def _check_shapes(p: np.ndarray, other: np.ndarray, name: str) -> None:
    if p.shape != other.shape:
        raise DataError(f"p and {name} must have the same shape, got {p.shape} and {other.shape}.")


def _check_distribution(p: np.ndarray, name: str) -> None:
    """Roughly: half precision and the small steps of a gradient check must pass."""
    if p.ndim == 0 or p.shape[-1] == 0:
        raise DataError(f"{name} must hold distributions along its last axis, got shape {p.shape}.")
    negative = p[~(p >= 0)]
    if len(negative):
        raise DataError(f"{name} must hold probabilities, 0 or more, got {negative[0]:g}. Scores go through softmax.")
    sums = p.sum(axis=-1).ravel()
    wrong = sums[np.abs(sums - 1) > 1e-2]
    if len(wrong):
        raise DataError(f"Each row of {name} must sum to 1, got {wrong[0]:g}. Scores go through softmax.")
