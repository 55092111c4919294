"""ELU: a ReLU whose left half bends smoothly towards −α, which draws the mean output to 0.

Formula:
    f(x) = x where x > 0, α (eˣ − 1) elsewhere
    f'(x) = 1 where x > 0, f(x) + α elsewhere

Derivation:
    Left of 0 the derivative is α eˣ = α (eˣ − 1) + α = f(x) + α: the output is all that backward needs.
    At 0 the slopes are α and 1; with α = 1, the default, there is no kink. Elsewhere α is taken, as PyTorch does.
    eˣ is only asked for min(x, 0), so nothing overflows on the right; `expm1` keeps the digits of eˣ − 1 near 0.

Source: Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by ELUs", 2016.
"""

import numpy as np

Cache = tuple[np.ndarray, np.ndarray, float]


def elu_forward(x: np.ndarray, alpha: float = 1.0) -> tuple[np.ndarray, Cache]:
    """Outputs above −`alpha`, of the shape of `x`, and what backward needs."""
    positive = x > 0
    out = np.where(positive, x, alpha * np.expm1(np.minimum(x, 0)))
    return out, (positive, out, alpha)


def elu_backward(dout: np.ndarray, cache: Cache) -> np.ndarray:
    """Gradient dx from dout, both of the shape of `x`."""
    positive, out, alpha = cache
    return np.where(positive, dout, dout * (out + alpha))
