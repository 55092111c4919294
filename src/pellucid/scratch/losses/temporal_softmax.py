"""Softmax loss over a sequence: a class at every step, padding not counted.

Formula:
    L = (1/N) Σ_n Σ_t m_nt (-ln p_nt[y_nt]),  p_nt = softmax(x_nt),  m_nt ∈ {0, 1}

Derivation:
    Every counted step is a sample of the softmax loss, so ∂L/∂x_nt = m_nt (p_nt - 1[y_nt]) / N. The softmax loss
    of the M counted steps in one heap is their mean, 1/M; a factor M/N turns it into the sum over the steps of a
    sentence, averaged over sentences. -Σ_t ln p_nt is -ln of the probability of the whole sentence, given by the
    chain rule of probability. So longer sentences cost more: at the start about T ln V each.

Source: CS231n, assignment 3, captioning.
"""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.losses.softmax import softmax_loss


def temporal_softmax_loss(
    x: np.ndarray, y: np.ndarray, mask: np.ndarray, verbose: bool = False
) -> tuple[float, np.ndarray]:
    """The loss, summed over counted steps and averaged over sequences (not over steps), and its gradient.

    Args:
        x: (N, T, V) scores.
        y: (N, T) labels, integers in 0..V-1; where the mask is 0 they may be anything.
        mask: (N, T) booleans, or zeros and ones: which steps count.
        verbose: print the shape of the gradient.

    Returns:
        loss, 0 when nothing counts, and dx (N, T, V).

    Raises:
        DataError: the shapes do not fit, or a label that counts is no class.
    """
    _check(x, y, mask)
    counted = mask.astype(bool)  # (N, T)
    loss, dcounted = softmax_loss(x[counted], y[counted])  # (M, V), (M,)
    factor = int(counted.sum()) / max(len(x), 1)
    dx = np.zeros_like(x)
    dx[counted] = dcounted * factor
    if verbose:
        print("dx:", dx.shape)  # noqa: T201 - asked for
    return loss * factor, dx


def _check(x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> None:
    if x.ndim != 3:
        raise DataError(f"The scores must be (N, T, V), got {x.shape}.")
    for name, array in (("labels", y), ("mask", mask)):
        if array.shape != x.shape[:2]:
            raise DataError(f"The {name} must be {x.shape[:2]} to fit the scores {x.shape}, got {array.shape}.")
    wrong = mask[(mask != 0) & (mask != 1)]
    if len(wrong):
        raise DataError(f"The mask must hold booleans, or zeros and ones, got {wrong[0]:g}.")
