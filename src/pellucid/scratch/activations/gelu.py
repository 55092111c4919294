"""GELU: x times the chance that a standard normal number is smaller than x.

Formula:
    "none"   f(x) = x Φ(x),  f'(x) = Φ(x) + x φ(x),  φ(x) = e^(−x²/2) / √(2π)
    "tanh"   f(x) = x/2 (1 + t),  f'(x) = (1 + t)/2 + x/2 (1 − t²) u',  t = tanh u,  u = √(2/π) (x + 0.044715 x³)

Derivation:
    Both are the product rule; Φ' = φ by definition, and (tanh u)' = (1 − t²) u' with u' = √(2/π) (1 + 3 · 0.044715 x²).
    The second stands in for the first because Φ(x) = (1 + erf(x/√2))/2 and tanh u is near erf(x/√2): its series
    begins with √(2/π) x too, and 0.044715 was fitted. The two forms differ by 4.74e-4 at most, at ±2.7.
    Φ(x) is taken as erfc(−x/√2)/2, which keeps its digits left of 0. Not monotone: lowest, −0.17, at x = −0.75.

Source: Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
"""

from math import pi, sqrt

import numpy as np

from pellucid.core.choose import choose
from pellucid.scratch.activations.erf import erfc

CUBIC = 0.044715
Cache = tuple[np.ndarray, np.ndarray, np.ndarray]


def gelu_forward(x: np.ndarray, approximate: str = "none") -> tuple[np.ndarray, Cache]:
    """Outputs of the shape of `x`, and what backward needs.

    Args:
        x: inputs of any shape.
        approximate: "none", the exact form, or "tanh".

    Raises:
        ConfigError: `approximate` is neither.
    """
    gate, slope = choose(approximate, {"none": _exact, "tanh": _by_tanh}, "form of GELU")(x)
    return x * gate, (x, gate, slope)


def gelu_backward(dout: np.ndarray, cache: Cache) -> np.ndarray:
    """Gradient dx from dout, both of the shape of `x`."""
    x, gate, slope = cache
    return dout * (gate + x * slope)


def _exact(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Φ(x) and its derivative φ(x)."""
    return erfc(-x / sqrt(2)) / 2, np.exp(-x * x / 2) / sqrt(2 * pi)


def _by_tanh(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(1 + t)/2 and its derivative."""
    t = np.tanh(sqrt(2 / pi) * (x + CUBIC * x**3))
    du = sqrt(2 / pi) * (1 + 3 * CUBIC * x**2)
    return (1 + t) / 2, (1 - t**2) * du / 2
