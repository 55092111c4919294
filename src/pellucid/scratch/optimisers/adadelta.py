"""Adadelta: RMSProp whose learning rate is the running size of its own steps.

Formula:
    G ← ρ G + (1 − ρ) g²
    d = −√(D + ε) / √(G + ε) · g
    D ← ρ D + (1 − ρ) d²
    w ← w + η d,  η = 1 in the paper

Derivation:
    A gradient has units of loss / weight, so g / √G has none and RMSProp's η must carry the weight's. Newton's
    step H⁻¹ g has the right ones: since H⁻¹ is about d / g, its size is about RMS[d] / RMS[g], and both can be
    measured. The step d is known only after the division, hence the RMS of the steps before it. ε stands inside the
    roots because D starts at 0: √ε is the first guess of a step's size, and without it nothing would ever move.

Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012.
"""

from typing import Any

import numpy as np

from pellucid.scratch.optimisers.sgd import check_shapes


def adadelta(w: np.ndarray, dw: np.ndarray, config: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
    """One step.

    Args:
        w: weights of any shape; they are not changed.
        dw: gradient of the loss, of the shape of `w`.
        config: `learning_rate` (1.0), `decay_rate` (0.9, ρ), `epsilon` (1e-6), `cache` (zeros, G),
            `delta` (zeros, D).

    Returns:
        The next weights, and `config` with both running means.

    Raises:
        DataError: the shapes differ.
    """
    check_shapes(w, dw)
    config = {} if config is None else config
    config.setdefault("learning_rate", 1.0)
    config.setdefault("decay_rate", 0.9)
    config.setdefault("epsilon", 1e-6)
    rho, epsilon = config["decay_rate"], config["epsilon"]
    cache = config.get("cache", np.zeros_like(w))
    delta = config.get("delta", np.zeros_like(w))
    cache = rho * cache + (1 - rho) * dw**2
    step = -np.sqrt(delta + epsilon) / np.sqrt(cache + epsilon) * dw
    config["cache"] = cache
    config["delta"] = rho * delta + (1 - rho) * step**2
    return w + config["learning_rate"] * step, config
