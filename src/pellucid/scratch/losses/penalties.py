"""Penalties: among weights that fit the data equally well, prefer the small ones.

Formula:
    L2           λ Σ w²
    L1           λ Σ |w|
    elastic net  λ Σ (β w² + |w|)
    total loss   (1/N) Σ_n L_n + λ R(W)

Derivation:
    d(w²)/dw = 2 w: the pull fades as w does, so L2 makes weights small and spreads them over equal inputs.
    d|w|/dw = sign(w): the pull stays, so L1 sets weights to 0 where the data pull less than λ. At 0 its slope may
    be anything in [-1, 1]; 0 is taken, and a weight that is 0 stays there until the data move it. Of weights
    with the same sum of sizes L1 prefers none: for x = (1, 1, 1, 1), (1, 0, 0, 0) and (¼, ¼, ¼, ¼) tie.
    Linear classifiers of the course use λ Σ w² with the gradient 2 λ w, its networks λ/2 Σ w² with λ w. For the
    second pass λ / 2; the same λ means twice the penalty in the first.

Source: CS231n notes, "Linear classification"; Zou and Hastie, "Regularization and variable selection via the elastic
net", 2005.
"""

from collections.abc import Callable, Mapping

import numpy as np


def l2_penalty(w: np.ndarray, reg: float) -> tuple[float, np.ndarray]:
    """λ Σ w² and its gradient 2 λ w, for `w` of any shape. Pass reg / 2 for the networks' form."""
    return reg * float(np.sum(w * w)), 2 * reg * w


def l1_penalty(w: np.ndarray, reg: float) -> tuple[float, np.ndarray]:
    """λ Σ |w| and its subgradient λ sign(w), 0 at 0, for `w` of any shape."""
    return reg * float(np.abs(w).sum()), reg * np.sign(w)


def elastic_net_penalty(w: np.ndarray, reg: float, beta: float = 0.5) -> tuple[float, np.ndarray]:
    """λ Σ (β w² + |w|) and its subgradient λ (2 β w + sign(w)), for `w` of any shape."""
    squares, dsquares = l2_penalty(w, reg * beta)
    sizes, dsizes = l1_penalty(w, reg)
    return squares + sizes, dsquares + dsizes


def total_loss(
    data_loss: float,
    gradients: Mapping[str, np.ndarray],
    parameters: Mapping[str, np.ndarray],
    penalty: Callable[[np.ndarray], tuple[float, np.ndarray]],
    biases: bool = False,
) -> tuple[float, dict[str, np.ndarray]]:
    """The loss of a network with its penalty, and all gradients with theirs; the arguments stay as they are.

    Biases, and the scales of normalisation, are vectors. They are not penalised by default: they multiply no
    input, so large ones do not make the network more sensitive to it.

    Args:
        data_loss: mean loss of the samples.
        gradients: name -> its gradient with respect to that parameter.
        parameters: name -> parameter.
        penalty: takes one parameter, returns its penalty and gradient: `lambda w: l2_penalty(w, 1e-4)`.
        biases: penalise vectors too.

    Returns:
        The sum, and name -> gradient of the sum.
    """
    total, summed = data_loss, dict(gradients)
    for name, w in parameters.items():
        if biases or w.ndim > 1:
            value, dw = penalty(w)
            total += value
            summed[name] = gradients[name] + dw
    return total, summed
