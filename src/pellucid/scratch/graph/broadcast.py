"""Broadcasting, undone: the gradient of a number that was used in many places.

Formula:
    y = x spread over a larger shape;  dx = the sum of dy over every axis along which x was spread

Derivation:
    Adding a bias b (M,) to a batch (N, M) uses each b_m in N outputs: y_nm = b_m. The chain rule sums over all
    that an input reaches, so db_m = Σ_n dy_nm. The same holds for every axis that broadcasting puts in front of a
    shape, and for every axis of length 1 that it stretches.

Source: NumPy manual, "Broadcasting"; CS231n notes, "Gradients add up at forks".
"""

import numpy as np


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum a gradient back to the shape its argument had before broadcasting."""
    in_front = tuple(range(gradient.ndim - len(shape)))
    gradient = gradient.sum(axis=in_front)
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return gradient.sum(axis=stretched, keepdims=True)
