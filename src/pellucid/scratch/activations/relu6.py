"""ReLU6: a ReLU that stops at 6, so that a few bits can hold its outputs.

Formula:
    f(x) = min(max(0, x), 6)
    f'(x) = 1 where 0 < x < 6, 0 elsewhere

Derivation:
    Constant, a line of slope 1, constant. Above 6 the output is 6 and not 0; it is the gradient that is 0 there.
    At the two kinks 0 is taken, as PyTorch does. A known range [0, 6] suits the low precision of phones: in 8-bit
    fixed point one step is 6/255 for every layer.

Source: Krizhevsky, "Convolutional Deep Belief Networks on CIFAR-10", 2010; Howard et al., "MobileNets", 2017.
"""

import numpy as np


def relu6_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outputs in [0, 6], of the shape of `x`, and what backward needs."""
    out = np.minimum(np.maximum(x, 0), 6)
    return out, x


def relu6_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient dx from dout, both of the shape of `x`; 0 where x is 0 or 6."""
    x = cache
    return dout * ((x > 0) & (x < 6))
