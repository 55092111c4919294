"""Smooth L1 loss: squared for small errors, absolute for large ones.

Formula:
    l(u) = u² / (2 β) if |u| < β, else |u| - β/2,  u = x - t
    L    = (1/N) Σ_n Σ_d l(x_nd - t_nd)

Derivation:
    l'(u) = u/β inside and sign(u) outside: g(u) = u/β, clipped to [-1, 1]. At |u| = β both pieces have the value
    β/2 and the slope ±1, so there is no kink anywhere. Both pieces are l = g (u - β g / 2): inside,
    (u/β)(u - u/2) = u²/(2 β); outside, ±u - β/2. Large errors pull no harder than 1, and the pull fades near 0,
    where L1's would jump. β times this loss is Huber's.

Source: Girshick, "Fast R-CNN", 2015, arXiv:1504.08083; Huber, 1964.
"""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.losses.targets import require_same_shape


def smooth_l1_loss(x: np.ndarray, target: np.ndarray, beta: float = 1.0) -> tuple[float, np.ndarray]:
    """The loss, summed over the numbers of a sample and averaged over samples, and its gradient.

    Args:
        x: (N, ...) outputs.
        target: of the same shape.
        beta: where squared becomes absolute, in the unit of `x`; above 0.

    Returns:
        loss, 0 for an empty batch, and dx of the shape of `x`.

    Raises:
        DataError: the shapes differ, or beta is not above 0.
    """
    if not beta > 0:
        raise DataError(f"beta must be above 0, got {beta:g}. With beta going to 0 this is l1_loss.")
    difference = x - require_same_shape(x, target)
    n = max(len(x), 1)
    slope = np.clip(difference / beta, -1, 1)
    return float(np.sum(slope * (difference - beta * slope / 2))) / n, slope / n
