"""AdaGrad: each weight's step is divided by the root of the sum of its squared gradients so far.

Formula:
    G ← G + g²,  w ← w − η g / (√G + ε)

Derivation:
    Under a constant gradient g, G = t g² after t steps, so step t is η g / (√t |g|) = η / √t whatever the size of g:
    steep and flat directions advance alike, which is what a badly conditioned valley needs. The sum never
    shrinks, so the steps tend to 0. On a convex problem that is wanted; a deep net may stop before it has learnt.
    ε only guards the division by 0.

Source: Duchi, Hazan and Singer, "Adaptive subgradient methods", 2011; CS231n notes, "Neural networks part 3".
"""

from typing import Any

import numpy as np

from pellucid.scratch.optimisers.sgd import check_shapes


def adagrad(w: np.ndarray, dw: np.ndarray, config: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
    """One step.

    Args:
        w: weights of any shape; they are not changed.
        dw: gradient of the loss, of the shape of `w`.
        config: `learning_rate` (1e-2), `epsilon` (1e-8), `cache` (zeros), the sum G.

    Returns:
        The next weights, and `config` with the new sum.

    Raises:
        DataError: the shapes differ.
    """
    check_shapes(w, dw)
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("epsilon", 1e-8)
    cache = config.get("cache", np.zeros_like(w))
    cache = cache + dw**2
    config["cache"] = cache
    return w - config["learning_rate"] * dw / (np.sqrt(cache) + config["epsilon"]), config
