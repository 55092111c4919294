"""Momentum: the step is a running sum of gradients, so it builds up speed where they agree.

Formula:
    scaled       v ← μ v − η g,  w ← w + v
    unscaled     v ← ρ v + g,    w ← w − η v

Derivation:
    Unrolled, v_t = −η Σ_k μᵏ g_{t−k}: a sum over the past in which each step back counts μ times as much.
    A constant gradient gives the geometric series η g / (1 − μ), 10 times a plain step at 0.9 and 100 times at 0.99.
    A gradient that flips its sign in every step gives η g / (1 + μ), about half a plain step. In a narrow valley the
    gradients across it flip and those along it agree, hence less zig-zag and more progress at once.
    The price: the speed outlives the gradient that made it, and carries the weights past the minimum.
    Multiplying the unscaled v by −η gives the scaled one, so at a constant η both walk the same path. When η drops,
    the unscaled form slows down at once; the scaled one keeps the speed it has.

Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; CS231n, assignment 2.
"""

from typing import Any

import numpy as np

from pellucid.scratch.optimisers.sgd import check_shapes


def sgd_momentum(
    w: np.ndarray, dw: np.ndarray, config: dict[str, Any] | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """One step, learning rate inside the velocity: v = momentum · v − learning_rate · dw, then w + v.

    Args:
        w: weights of any shape; they are not changed.
        dw: gradient of the loss, of the shape of `w`.
        config: `learning_rate` (1e-2), `momentum` (0.9; 0 is plain SGD), `velocity` (zeros).

    Returns:
        The next weights, and `config` with the new velocity.

    Raises:
        DataError: the shapes differ.
    """
    check_shapes(w, dw)
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    velocity = config.get("velocity", np.zeros_like(w))
    velocity = config["momentum"] * velocity - config["learning_rate"] * dw
    config["velocity"] = velocity
    return w + velocity, config


def sgd_momentum_unscaled(
    w: np.ndarray, dw: np.ndarray, config: dict[str, Any] | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """One step, learning rate outside the velocity: v = momentum · v + dw, then w − learning_rate · v. PyTorch's form.

    Args:
        w: weights of any shape; they are not changed.
        dw: gradient of the loss, of the shape of `w`.
        config: `learning_rate` (1e-2), `momentum` (0.9; 0 is plain SGD), `velocity` (zeros).

    Returns:
        The next weights, and `config` with the new velocity.

    Raises:
        DataError: the shapes differ.
    """
    check_shapes(w, dw)
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    velocity = config.get("velocity", np.zeros_like(w))
    velocity = config["momentum"] * velocity + dw
    config["velocity"] = velocity
    return w - config["learning_rate"] * velocity, config
