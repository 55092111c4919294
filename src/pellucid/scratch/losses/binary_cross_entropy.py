"""Binary cross-entropy: yes or no, answered by one score.

Formula:
    l = -y ln σ(x) - (1 - y) ln(1 - σ(x)) = ln(1 + eˣ) - x y,  y in [0, 1]
    L = (1/N) Σ over samples and their entries of w l

Derivation:
    σ(x) = 1 / (1 + e⁻ˣ) = eˣ / (1 + eˣ), so -ln(1 - σ(x)) = ln(1 + eˣ), called softplus, and
    -ln σ(x) = ln(1 + e⁻ˣ) = softplus(x) - x. The two together give softplus(x) - x y.
    softplus is ln(e⁰ + eˣ), a log-sum-exp of two numbers: max(0, x) + ln(1 + e⁻|ˣ|) never overflows. Its slope is
    eˣ / (1 + eˣ) = σ(x), so ∂l/∂x = σ(x) - y. For one score of two classes this is the softmax loss of (0, x).

Source: CS231n notes, "Neural networks part 2", attribute classification.
"""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.losses.targets import require_same_shape


def softplus(x: np.ndarray) -> np.ndarray:
    """ln(1 + eˣ), of the shape of `x`; x itself for a large x, eˣ for a very negative one."""
    return np.logaddexp(0, x)


def binary_cross_entropy(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, np.ndarray]:
    """The loss, summed over the entries of a sample and averaged over samples, and its gradient.

    With one entry a sample this is the mean over all entries that other libraries take. An empty batch costs 0.

    Args:
        x: (N, ...) scores before any sigmoid.
        y: targets of the same shape, in [0, 1]; booleans and integers will do.
        weight: of the same shape, multiplies the loss of its entry; None is 1 for all.

    Returns:
        loss, dx of the shape of `x`.

    Raises:
        DataError: the shapes differ, or a target is not in [0, 1].
    """
    target = require_same_shape(x, y)
    _check_targets(target)
    n = max(len(x), 1)
    each = softplus(x) - x * target
    dx = np.exp(-softplus(-x)) - target  # σ(x) = exp(ln σ(x)), exact at both ends
    if weight is not None:
        weight = require_same_shape(x, weight, "weight")
        each, dx = each * weight, dx * weight
    return float(each.sum()) / n, dx / n


def _check_targets(target: np.ndarray) -> None:
    wrong = target[~((target >= 0) & (target <= 1))]
    if len(wrong):
        raise DataError(f"The targets must be in [0, 1], got {wrong[0]:g}. A signed target becomes (target + 1) / 2.")
