"""Leaky ReLU: a ReLU that keeps a small slope on the left, so that no unit can die.

Formula:
    f(x) = x where x > 0, α x elsewhere;  for α ≤ 1 this is max(α x, x)
    f'(x) = 1 where x > 0, α elsewhere

Derivation:
    Each half is a line, so its slope is the derivative. At 0 any value between α and 1 is a subgradient; α is
    taken, as PyTorch does. With α = 0 it is the ReLU, with α = 1 the identity.
    α is a setting: 0.01 in the paper and by default, 0.1 in the course's notes.

Source: Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
"""

import numpy as np

Cache = tuple[np.ndarray, float]


def leaky_relu_forward(x: np.ndarray, alpha: float = 0.01) -> tuple[np.ndarray, Cache]:
    """The input where it is positive and `alpha` times it elsewhere, of the shape of `x`, and what backward needs."""
    positive = x > 0
    out = np.where(positive, x, alpha * x)
    return out, (positive, alpha)


def leaky_relu_backward(dout: np.ndarray, cache: Cache) -> np.ndarray:
    """Gradient dx from dout, both of the shape of `x`."""
    positive, alpha = cache
    return np.where(positive, dout, alpha * dout)
