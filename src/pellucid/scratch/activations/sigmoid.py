"""Sigmoid: squashes any number into (0, 1), as a probability needs.

Formula:
    σ(x) = 1 / (1 + e⁻ˣ)
    σ'(x) = σ(x) (1 − σ(x))

Derivation:
    With u = 1 + e⁻ˣ, σ = 1/u and du/dx = −e⁻ˣ, so σ' = e⁻ˣ / u² = (1/u) (e⁻ˣ/u), and e⁻ˣ/u = 1 − 1/u.
    The slope is 1/4 at most, at 0, and 4.5e-5 already at ±10: a saturated unit passes almost no gradient back, and
    each further sigmoid layer at least quarters what is left.
    e⁻ˣ overflows at x = −1000. Multiplied by eˣ above and below, σ = eˣ / (1 + eˣ), which is safe there; both
    forms in one are e^min(x, 0) / (1 + e^−|x|).

Source: CS231n, assignment 3 (`sigmoid` of the LSTM); CS231n notes, "Neural Networks Part 1".
"""

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    """σ(x) in [0, 1], of the shape of `x`; no `x` overflows."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def sigmoid_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """σ(x), of the shape of `x`, and what backward needs."""
    out = sigmoid(x)
    return out, out


def sigmoid_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient dx from dout, both of the shape of `x`."""
    out = cache
    return dout * out * (1 - out)
