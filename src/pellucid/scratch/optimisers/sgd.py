"""SGD: a step against the gradient, whose length the learning rate sets.

Formula:
    w ← w − η g,  g = ∂L/∂w over one mini-batch, η the learning rate

Derivation:
    To first order L(w + d) = L(w) + gᵀd. Of all d of one length, d = −η g makes gᵀd smallest: −η |g|². With a plus
    the loss climbs by as much. The second order adds η²/2 gᵀH g, which for a large η outweighs the gain: on a bowl
    of curvature λ each step multiplies the distance by 1 − η λ, so η must stay below 2 / λ.
    A mini-batch's gradient is the full one plus noise of mean zero: right on average, and cheap.

Source: Robbins and Monro, "A stochastic approximation method", 1951; CS231n, assignment 2.
"""

from typing import Any

import numpy as np

from pellucid.core.errors import DataError


def sgd(w: np.ndarray, dw: np.ndarray, config: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
    """One step of plain gradient descent.

    Args:
        w: weights of any shape; they are not changed.
        dw: gradient of the loss, of the shape of `w`.
        config: `learning_rate` (1e-2); missing keys are filled in.

    Returns:
        The next weights, and `config`.

    Raises:
        DataError: the shapes differ.
    """
    check_shapes(w, dw)
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    return w - config["learning_rate"] * dw, config


def check_shapes(w: np.ndarray, dw: np.ndarray) -> None:
    """Refuse a gradient that NumPy would broadcast, such as (1, M) for weights (M,).

    Raises:
        DataError: the shapes differ.
    """
    if np.shape(w) != np.shape(dw):
        raise DataError(f"The gradient must have the shape {np.shape(w)} of its weights, got {np.shape(dw)}.")
