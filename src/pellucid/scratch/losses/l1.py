"""L1 loss: the absolute difference, which a few wild targets cannot dominate.

Formula:
    L = (1/N) Σ_n Σ_d |x_nd - t_nd|

Derivation:
    d|u|/du = sign(u), so ∂L/∂x_nd = sign(x_nd - t_nd) / N: the slope is the same for a small and a large error.
    At u = 0 any slope in [-1, 1] is right (a subgradient), and 0 is taken. The best constant is the median, where
    as many signs pull up as down.

Source: CS231n notes, "Neural networks part 2", regression.
"""

import numpy as np

from pellucid.scratch.losses.targets import require_same_shape


def l1_loss(x: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """The loss, summed over the numbers of a sample and averaged over samples, and its gradient.

    Args:
        x: (N, ...) outputs.
        target: of the same shape.

    Returns:
        loss, 0 for an empty batch, and dx of the shape of `x`.

    Raises:
        DataError: the shapes differ.
    """
    difference = x - require_same_shape(x, target)
    n = max(len(x), 1)
    return float(np.abs(difference).sum()) / n, np.sign(difference) / n
