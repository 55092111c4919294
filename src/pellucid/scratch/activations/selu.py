"""SELU: an ELU with the two constants that keep mean 0 and variance 1 from layer to layer.

Formula:
    f(x) = λ x where x > 0, λ α (eˣ − 1) elsewhere,  λ = 1.0507..., α = 1.6732...

Derivation:
    Ask that z ~ N(0, 1) gives outputs of mean 0 and variance 1. With E[e^kz ; z < 0] = e^(k²/2) Φ(−k):
        E f  = λ (1/√(2π) + α (√e Φ(−1) − 1/2)) = 0
        E f² = λ² (1/2 + α² (e² Φ(−2) − 2 √e Φ(−1) + 1/2)) = 1
    The first gives α = 1 / (√(2π) (1/2 − √e Φ(−1))), the second then λ. Weights of mean 0 and variance 1 / inputs
    make z ~ N(0, 1) again, and the paper shows that nearby means and variances are drawn to this fixed point: no batch
    normalisation is needed. The right half alone would grow (λ > 1), the left half alone shrink.

Source: Klambauer et al., "Self-Normalizing Neural Networks", 2017.
"""

import numpy as np

from pellucid.scratch.activations.elu import Cache, elu_backward, elu_forward

ALPHA = 1.6732632423543772
SCALE = 1.0507009873554805


def selu_forward(x: np.ndarray) -> tuple[np.ndarray, Cache]:
    """Outputs above −1.7581, of the shape of `x`, and what backward needs."""
    out, cache = elu_forward(x, ALPHA)
    return SCALE * out, cache


def selu_backward(dout: np.ndarray, cache: Cache) -> np.ndarray:
    """Gradient dx from dout, both of the shape of `x`."""
    return elu_backward(SCALE * dout, cache)
