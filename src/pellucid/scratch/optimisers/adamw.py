"""AdamW: Adam, and weight decay beside it instead of inside the gradient.

Formula:
    w ← (1 − η λ) w − η m̂ / (√v̂ + ε),  m̂ and v̂ as in Adam, of the gradient without the penalty

Derivation:
    For plain SGD the L2 penalty λ/2 |w|² adds λ w to the gradient, and the step is (1 − η λ) w − η g: penalty and
    decay are the same. Adam divides the gradient by √v̂, and with it the λ w inside: a weight with large gradients
    would be decayed less than its neighbours. Taking λ w out of the gradient lets every weight shrink by η λ again.

Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
"""

from typing import Any

import numpy as np

from pellucid.scratch.optimisers.adam import adam


def adamw(w: np.ndarray, dw: np.ndarray, config: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
    """One step.

    Args:
        w: weights of any shape; they are not changed.
        dw: gradient of the loss without any penalty, of the shape of `w`.
        config: `weight_decay` (1e-2, λ), and what `adam` takes.

    Returns:
        The next weights, and `config` with both moments and the count.

    Raises:
        DataError: the shapes differ.
    """
    config = {} if config is None else config
    config.setdefault("weight_decay", 1e-2)
    stepped, config = adam(w, dw, config)
    return stepped - config["learning_rate"] * config["weight_decay"] * w, config
