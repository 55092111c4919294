"""Adam: momentum over gradients, RMSProp under them, and a correction for both starting at zero.

Formula:
    m ← β₁ m + (1 − β₁) g
    v ← β₂ v + (1 − β₂) g²
    m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ),  t = 1, 2, ...
    w ← w − η m̂ / (√v̂ + ε)

Derivation:
    Unrolled from zero, m = (1 − β₁) Σ_k β₁ᵏ g_{t−k}, whose weights add up to 1 − β₁ᵗ and not to 1: for a
    stationary gradient E[m] = (1 − β₁ᵗ) E[g], and likewise for v. Dividing takes the bias out. Under a constant
    gradient m̂ = g and v̂ = g², so every step is η. Without the correction step t is η (1 − β₁ᵗ) / √(1 − β₂ᵗ):
    with the usual β the first is 0.1 / √0.001 = 3.16 η and the next ones larger still, because v fills more slowly
    than m. That is large for a reason that has nothing to do with the loss.

Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015; CS231n, assignment 2.
"""

from typing import Any

import numpy as np

from pellucid.scratch.optimisers.sgd import check_shapes


def adam(w: np.ndarray, dw: np.ndarray, config: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
    """One step, with bias correction.

    Args:
        w: weights of any shape; they are not changed.
        dw: gradient of the loss, of the shape of `w`.
        config: `learning_rate` (1e-3), `beta1` (0.9), `beta2` (0.999), `epsilon` (1e-8), `m` and `v` (zeros),
            `t` (0), the number of steps made.

    Returns:
        The next weights, and `config` with both moments and the count.

    Raises:
        DataError: the shapes differ.
    """
    config = _moments(w, dw, config)
    m = config["m"] / (1 - config["beta1"] ** config["t"])
    v = config["v"] / (1 - config["beta2"] ** config["t"])
    return w - config["learning_rate"] * m / (np.sqrt(v) + config["epsilon"]), config


def adam_uncorrected(
    w: np.ndarray, dw: np.ndarray, config: dict[str, Any] | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """One step without bias correction, to see what it is for. Arguments and errors as `adam`."""
    config = _moments(w, dw, config)
    return w - config["learning_rate"] * config["m"] / (np.sqrt(config["v"]) + config["epsilon"]), config


def _moments(w: np.ndarray, dw: np.ndarray, config: dict[str, Any] | None) -> dict[str, Any]:
    """`config` with its defaults, both moments and the count brought up to date."""
    check_shapes(w, dw)
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    beta1, beta2 = config["beta1"], config["beta2"]
    config["m"] = beta1 * config.get("m", np.zeros_like(w)) + (1 - beta1) * dw
    config["v"] = beta2 * config.get("v", np.zeros_like(w)) + (1 - beta2) * dw**2
    config["t"] = config.get("t", 0) + 1
    return config
