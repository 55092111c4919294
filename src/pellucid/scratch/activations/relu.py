"""ReLU: lets what is positive through and makes the rest 0.

Formula:
    relu(x) = max(0, x)
    relu'(x) = 1 where x > 0, 0 where x < 0

Derivation:
    Right of 0 it is x, left of 0 it is constant. At 0 the slopes differ, and any value between 0 and 1 is a
    subgradient; 0 is taken, as PyTorch and the course do.
    It does not saturate on the right, but on the left the gradient is exactly 0: a unit whose input is negative
    for every sample gets no gradient at all and stays as it is. Such a dead unit comes from a bad start (a bias far
    below 0) or from one step that was too long (the learning rate); `checks/dead_units.py` finds them.

Source: Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", 2010; CS231n, assignment 1.
"""

import numpy as np


def relu_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """max(0, x), of the shape of `x`, and what backward needs."""
    out = np.maximum(0, x)
    return out, x


def relu_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient dx from dout, both of the shape of `x`; 0 where x is 0."""
    x = cache
    return dout * (x > 0)
