"""RMSProp: AdaGrad with a memory that fades, so its steps do not die.

Formula:
    G ← β G + (1 − β) g²,  w ← w − η g / (√G + ε)

Derivation:
    Unrolled, G = (1 − β) Σ_k βᵏ g²_{t−k}: a mean with weights that add up to 1 − βᵗ. Under a constant gradient
    G = (1 − βᵗ) g², so step t is η / √(1 − βᵗ): the first is η / √(1 − β), 10 η at β = 0.99, and then the steps
    settle at η instead of falling with 1 / √t as AdaGrad's do.

Source: Tieleman and Hinton, Coursera lecture 6.5, 2012; CS231n, assignment 2.
"""

from typing import Any

import numpy as np

from pellucid.scratch.optimisers.sgd import check_shapes


def rmsprop(w: np.ndarray, dw: np.ndarray, config: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
    """One step.

    Args:
        w: weights of any shape; they are not changed.
        dw: gradient of the loss, of the shape of `w`.
        config: `learning_rate` (1e-2), `decay_rate` (0.99, β), `epsilon` (1e-8), `cache` (zeros, G).

    Returns:
        The next weights, and `config` with the new running mean.

    Raises:
        DataError: the shapes differ.
    """
    check_shapes(w, dw)
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("decay_rate", 0.99)
    config.setdefault("epsilon", 1e-8)
    decay = config["decay_rate"]
    cache = config.get("cache", np.zeros_like(w))
    cache = decay * cache + (1 - decay) * dw**2
    config["cache"] = cache
    return w - config["learning_rate"] * dw / (np.sqrt(cache) + config["epsilon"]), config
