"""CReLU: keeps what a ReLU keeps and, as channels of its own, what it throws away.

Formula:
    f(x) = [max(0, x), max(0, −x)], side by side along the channels

Derivation:
    For x > 0 only the first half moves, with slope 1; for x < 0 only the second, with slope −1; at 0 neither:
        dx = dy₁ · (x > 0) − dy₂ · (x < 0)
    First convolution layers learn filters in pairs of opposite sign, because a ReLU loses half of each answer. Here one
    filter gives both, so half as many do. The halves add up to |x|, and their difference is x: nothing is lost.

Source: Shang et al., "Understanding and Improving Convolutional Neural Networks via Concatenated ReLU", 2016.
"""

import numpy as np

from pellucid.core.errors import DataError


def crelu_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outputs (N, 2C, ...) of inputs (N, C, ...), and what backward needs.

    Raises:
        DataError: `x` has no channels.
    """
    if x.ndim < 2:
        raise DataError(f"crelu: x must have channels, (N, C, ...), got {x.shape}.")
    out = np.concatenate([np.maximum(0, x), np.maximum(0, -x)], axis=1)
    return out, x


def crelu_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient dx (N, C, ...) from dout (N, 2C, ...)."""
    x = cache
    kept, turned = np.split(dout, 2, axis=1)  # (N, C, ...) each
    return kept * (x > 0) - turned * (x < 0)
