"""Nesterov momentum: the gradient is taken where the velocity is about to lead, so it can still correct the step.

Formula:
    look-ahead           v ← ρ v − η g(x + ρ v),  x ← x + v
    change of variable   v' = ρ v − η g(x̃),  x̃ ← x̃ + v' + ρ (v' − v)

Derivation:
    Let x̃ = x + ρ v, the point that is looked at. After the step it is
        x' + ρ v' = x + v' + ρ v' = (x̃ − ρ v) + v' + ρ v' = x̃ + v' + ρ (v' − v),
    so the second form needs only the gradient at the point it stands on, which is what a training loop has. Its
    weights are the looked-at points x̃; where the velocity has died down they are the same as x.

Source: Nesterov, "A method for solving the convex programming problem with convergence rate O(1/k²)", 1983;
    Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid.scratch.optimisers.sgd import check_shapes


def nesterov_step(
    x: np.ndarray,
    velocity: np.ndarray,
    gradient: Callable[[np.ndarray], np.ndarray],
    learning_rate: float = 1e-2,
    momentum: float = 0.9,
) -> tuple[np.ndarray, np.ndarray]:
    """One step of the look-ahead form.

    Args:
        x: weights of any shape; they are not changed.
        velocity: of the shape of `x`; zeros at the start.
        gradient: of the loss, at the weights it is given.
        learning_rate: η.
        momentum: ρ; 0 is plain gradient descent.

    Returns:
        The next weights and the next velocity.
    """
    ahead = x + momentum * velocity
    velocity = momentum * velocity - learning_rate * gradient(ahead)
    return x + velocity, velocity


def sgd_nesterov(
    w: np.ndarray, dw: np.ndarray, config: dict[str, Any] | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """One step of the form with changed variables, where `dw` is the gradient at `w` as for every other rule.

    Args:
        w: weights of any shape; they are not changed.
        dw: gradient of the loss, of the shape of `w`.
        config: `learning_rate` (1e-2), `momentum` (0.9), `velocity` (zeros).

    Returns:
        The next weights, and `config` with the new velocity.

    Raises:
        DataError: the shapes differ.
    """
    check_shapes(w, dw)
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    before = config.get("velocity", np.zeros_like(w))
    velocity = config["momentum"] * before - config["learning_rate"] * dw
    config["velocity"] = velocity
    return w + velocity + config["momentum"] * (velocity - before), config
