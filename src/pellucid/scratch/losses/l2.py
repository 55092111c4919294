"""L2 loss: the squared distance.

Formula:
    L = (1/N) Σ_n ‖x_n - t_n‖² = (1/N) Σ_n Σ_d (x_nd - t_nd)²

Derivation:
    d(u²)/du = 2 u, so ∂L/∂x_nd = 2 (x_nd - t_nd) / N. Many texts write half of it, for a gradient without the 2;
    here, as in the course, there is no half. The best constant is the mean, where the differences sum to 0.

Source: CS231n notes, "Neural networks part 2", regression.
"""

import numpy as np

from pellucid.scratch.losses.targets import require_same_shape


def l2_loss(x: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
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
    return float(np.sum(difference * difference)) / n, 2 * difference / n
