"""Tanh: squashes any number into (−1, 1), with 0 in the middle.

Formula:
    tanh(x) = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ) = 2 σ(2x) − 1
    tanh'(x) = 1 − tanh²(x)

Derivation:
    By the quotient rule, with s = eˣ − e⁻ˣ and c = eˣ + e⁻ˣ, each the other's derivative: (c² − s²)/c² = 1 − (s/c)².
    It is odd, so inputs around 0 give outputs around 0, where all outputs of a sigmoid are positive: then all
    weights of a unit in the next layer get gradients of one sign, and the descent zigzags.
    It saturates like the sigmoid: the slope is 1 at 0 and 8.2e-9 at ±10.

Source: LeCun et al., "Efficient BackProp", 1998; CS231n notes, "Neural Networks Part 1".
"""

import numpy as np


def tanh_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """tanh(x), of the shape of `x`, and what backward needs."""
    out = np.tanh(x)
    return out, out


def tanh_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient dx from dout, both of the shape of `x`."""
    out = cache
    return dout * (1 - out**2)
