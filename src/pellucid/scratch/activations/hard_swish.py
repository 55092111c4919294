"""Hard swish: Swish with the hard sigmoid for its gate, made for phones.

Formula:
    f(x) = x h(x),  h(x) = relu6(x + 3) / 6
    f'(x) = h(x) + x h'(x):  0 left of −3, (2x + 3) / 6 between, 1 right of 3

Derivation:
    The product rule. Between −3 and 3, h = (x + 3)/6 and h' = 1/6, so f' = (x + 3)/6 + x/6.
    There it is a parabola with its lowest point −3/8 at x = −3/2; outside, 0 and x, as Swish tends to. It is farthest
    from Swish at ±3, by 0.1423. The slope jumps at −3 (from 0 to −1/2) and at 3 (from 3/2 to 1).

Source: Howard et al., "Searching for MobileNetV3", 2019.
"""

import numpy as np

from pellucid.scratch.activations.hard_sigmoid import hard_sigmoid_backward, hard_sigmoid_forward

Cache = tuple[np.ndarray, np.ndarray, np.ndarray]


def hard_swish_forward(x: np.ndarray) -> tuple[np.ndarray, Cache]:
    """Outputs above −3/8, of the shape of `x`, and what backward needs."""
    gate, gate_cache = hard_sigmoid_forward(x)
    return x * gate, (x, gate, gate_cache)


def hard_swish_backward(dout: np.ndarray, cache: Cache) -> np.ndarray:
    """Gradient dx from dout, both of the shape of `x`."""
    x, gate, gate_cache = cache
    return dout * gate + hard_sigmoid_backward(dout * x, gate_cache)
