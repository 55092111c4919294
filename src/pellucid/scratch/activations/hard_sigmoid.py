"""Hard sigmoid: three straight pieces in place of the sigmoid, without an exponential.

Formula:
    f(x) = relu6(x + 3) / 6
    f'(x) = 1/6 where −3 < x < 3, 0 elsewhere

Derivation:
    The chain rule through the shift (slope 1) and the division (slope 1/6) leaves relu6'(x + 3) / 6.
    It is 0 at −3, 1/2 at 0 and 1 at 3, and within 0.0692 of the sigmoid, farthest off near ±1.32. The slope at 0 is
    1/6, where the sigmoid has 1/4.

Source: Howard et al., "Searching for MobileNetV3", 2019.
"""

import numpy as np

from pellucid.scratch.activations.relu6 import relu6_backward, relu6_forward


def hard_sigmoid_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outputs in [0, 1], of the shape of `x`, and what backward needs."""
    out, cache = relu6_forward(x + 3)
    return out / 6, cache


def hard_sigmoid_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient dx from dout, both of the shape of `x`; 0 where x is −3 or 3."""
    return relu6_backward(dout / 6, cache)
