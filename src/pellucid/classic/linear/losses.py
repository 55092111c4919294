"""Losses of linear classifiers that differ from the lessons' in form: one-vs-rest, and a hinge without its kink.

Formula:
    one against the rest   L_n = Σ_k max(0, 1 - t_nk s_nk)²,  t_nk = 1 for k = y_n, else -1
    smooth hinge           L_n = Σ_{j ≠ y_n} h_μ(s_nj - s_n,y_n + 1),
                           h_μ(m) = 0 for m ≤ 0,  m² / 2μ for 0 ≤ m ≤ μ,  m - μ/2 for m ≥ μ

Derivation:
    One class against the rest is the squared hinge of the lessons with two classes whose scores are -s/2 and s/2:
    the margin is then 1 - t s. All K problems together are the sum.
    h_μ lies below the hinge, by at most μ/2. So if W minimises the smooth objective P_μ, then for the best W* of the
    hinge's objective P:  P(W) - P(W*) ≤ P(W) - P_μ(W*) ≤ P(W) - P_μ(W), which can be computed.

Both return what the losses of `scratch` return: the mean and its gradient with respect to the scores.

Source: Fan, Chang, Hsieh, Wang and Lin, "LIBLINEAR: a library for large linear classification", 2008; Nesterov,
"Smooth minimization of non-smooth functions", 2005.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from pellucid.scratch.losses.svm import svm_loss, svm_margins
from pellucid.scratch.losses.targets import require_labels

ScoreLoss: TypeAlias = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]


def one_vs_rest_squared_hinge(scores: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Each class against all others, with the squared hinge.

    Args:
        scores: (N, K).
        y: (N,) labels, integers in 0..K-1.

    Returns:
        Mean over the samples of the sum over the classes, and its gradient (N, K).

    Raises:
        DataError: the labels do not fit the scores.
    """
    require_labels(scores, y)
    rows, n = np.arange(len(y)), max(len(y), 1)
    right = 1 - scores[rows, y]
    margins = scores + 1
    margins[rows, y] = right
    np.maximum(margins, 0, out=margins)
    loss = float(np.vdot(margins, margins)) / n
    margins *= 2 / n
    margins[rows, y] *= -1
    return loss, margins


def smooth_hinge(scores: np.ndarray, y: np.ndarray, width: float) -> tuple[float, np.ndarray]:
    """The hinge of the lessons (all classes together) whose kink is rounded over a width μ; of width 0 it is theirs.

    Args:
        scores: (N, K).
        y: (N,) labels, integers in 0..K-1.
        width: μ, 0 or more.

    Returns:
        Mean loss, and its gradient (N, K).

    Raises:
        DataError: the labels do not fit the scores.
    """
    if width == 0:
        return svm_loss(scores, y)
    rows, n = np.arange(len(y)), max(len(y), 1)
    margins = svm_margins(scores, y, 1.0)
    slopes = np.minimum(margins / width, 1)
    loss = float(np.vdot(slopes, margins)) - width / 2 * float(np.vdot(slopes, slopes))
    slopes[rows, y] = -slopes.sum(axis=1)
    return loss / n, slopes / n
