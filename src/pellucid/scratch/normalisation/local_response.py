"""Local response norm: every activation divided by the activity of its neighbouring channels.

Formula:
    y_c = x_c / d_c^β,  d_c = k + (α / n) Σ_j x_j²,  j from c - ⌊n/2⌋ to c + ⌊(n-1)/2⌋, channels that are not there 0

Derivation:
    An input reaches the loss through its own numerator, and through d_c of every channel whose window holds it:
        ∂y_c/∂x_j = [c = j] d_c^-β - β x_c d_c^(-β-1) 2 (α / n) x_j,  j in the window of c
        dx_j = dy_j d_j^-β - 2 (α β / n) x_j Σ_c dy_c x_c d_c^(-β-1)
    The last sum runs over the channels that see j: the same window, mirrored, which differs for an even n.
    The paper writes α Σ x² without the n; its α = 1e-4, n = 5, k = 2 is α = 5e-4 here (and in PyTorch). It has no
    learnt numbers, and later networks do without it.

Source: Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
"""

from typing import Any

import numpy as np

from pellucid.core.errors import ConfigError, DataError

Cache = tuple[np.ndarray, np.ndarray, np.ndarray, int, float, float]


def lrn_forward(x: np.ndarray, lrn_param: dict[str, Any]) -> tuple[np.ndarray, Cache]:
    """Outputs of the shape of x.

    Args:
        x: (N, C, ...) inputs.
        lrn_param: "size" (5) channels in a window, "alpha" (1e-4), "beta" (0.75), "k" (1.0).

    Raises:
        ConfigError: the size is not a positive integer.
        DataError: x has no channels.
    """
    if x.ndim < 2:
        raise DataError(f"lrn: x must be (N, C, ...), got {x.shape}.")
    size = lrn_param.get("size", 5)
    if not isinstance(size, int) or size < 1:
        raise ConfigError(f"lrn: size counts channels and must be a positive integer, got {size!r}.")
    alpha, beta = float(lrn_param.get("alpha", 1e-4)), float(lrn_param.get("beta", 0.75))
    d = _window_sum(x * x, size // 2, (size - 1) // 2)
    d *= alpha / size
    d += float(lrn_param.get("k", 1.0))
    power = d**-beta
    return x * power, (x, d, power, size, alpha, beta)


def lrn_backward(dout: np.ndarray, cache: Cache) -> np.ndarray:
    """Gradient dx (N, C, ...) from dout (N, C, ...)."""
    x, d, power, size, alpha, beta = cache
    dx = dout * power
    seen_by = _window_sum(dx * x / d, (size - 1) // 2, size // 2)
    seen_by *= x
    seen_by *= 2 * alpha * beta / size
    dx -= seen_by
    return dx


def _window_sum(q: np.ndarray, before: int, after: int) -> np.ndarray:
    """Σ q[:, j] over j from c - before to c + after: one shifted sum a channel of the window."""
    total = q.copy()
    for shift in range(1, before + 1):
        total[:, shift:] += q[:, :-shift]
    for shift in range(1, after + 1):
        total[:, :-shift] += q[:, shift:]
    return total
