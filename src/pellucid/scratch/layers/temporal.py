"""Temporal affine layer: the same affine layer at every step of a sequence.

Formula:
    y_nt = x_nt W + b,  x (N, T, D), W (D, M), b (M,)

Derivation:
    Nothing passes from step to step, so N sequences of T steps are N·T samples in one heap: flatten, multiply once,
    put back. The weights are shared by all steps, so their gradients sum over samples and steps alike:
        dx_nt = dy_nt Wᵀ,  dW = Σ_nt x_ntᵀ dy_nt,  db = Σ_nt dy_nt

Source: CS231n, assignment 3.
"""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.layers.affine import affine_backward, affine_forward

Cache = tuple[np.ndarray, np.ndarray, np.ndarray]


def temporal_affine_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Cache]:
    """Outputs (N, T, M) of inputs (N, T, D).

    Args:
        x: (N, T, D) inputs.
        w: (D, M) weights.
        b: (M,) biases.

    Returns:
        out (N, T, M), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    if x.ndim != 3:
        raise DataError(f"temporal_affine: x must be (N, T, D), got {x.shape}.")
    N, T, D = x.shape
    out, cache = affine_forward(x.reshape(N * T, D), w, b)
    return out.reshape(N, T, len(b)), cache


def temporal_affine_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (N, T, D), dw (D, M) and db (M,) from dout (N, T, M)."""
    N, T, M = dout.shape
    dx, dw, db = affine_backward(dout.reshape(N * T, M), cache)
    return dx.reshape(N, T, dx.shape[1]), dw, db
