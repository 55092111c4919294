"""Affine layer: every output is a weighted sum of all inputs, plus a bias.

Formula:
    y = x W + b,  with x flattened to (N, D), W (D, M), b (M,)

Derivation:
    y_nm = Σ_d x_nd W_dm + b_m, so ∂y_nm/∂x_nd = W_dm, ∂y_nm/∂W_dm = x_nd and ∂y_nm/∂b_m = 1. The chain rule sums
    over every output that an input reaches:
        dx_nd = Σ_m dy_nm W_dm = (dy Wᵀ)_nd
        dW_dm = Σ_n x_nd dy_nm = (xᵀ dy)_dm
        db_m  = Σ_n dy_nm
    The Jacobian, (N·M) x (N·D) numbers, is never written down. Shapes alone suggest each product: a gradient
    has the shape of what it belongs to.

Source: CS231n, assignment 1; CS231n notes, "Derivatives, backpropagation, and vectorization".
"""

from math import prod

import numpy as np

from pellucid.core.errors import DataError

Cache = tuple[np.ndarray, np.ndarray, np.ndarray]


def affine_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Cache]:
    """Outputs (N, M) of inputs (N, d1, ..., dk) of any rank; D = d1 · ... · dk.

    Args:
        x: (N, d1, ..., dk) inputs.
        w: (D, M) weights.
        b: (M,) biases.

    Returns:
        out (N, M), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    _check(x, w, b)
    out = x.reshape(len(x), len(w)) @ w + b  # (N, M)
    return out, (x, w, b)


def affine_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (N, d1, ..., dk), dw (D, M) and db (M,) from dout (N, M)."""
    x, w, _ = cache
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(len(x), len(w)).T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def _check(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> None:
    d = prod(x.shape[1:])
    if w.ndim != 2 or w.shape[0] != d:
        raise DataError(f"affine: x {x.shape} has {d} numbers a sample, so w must be ({d}, M), got {w.shape}.")
    if b.shape != (w.shape[1],):
        raise DataError(f"affine: w {w.shape} gives {w.shape[1]} outputs, so b must be ({w.shape[1]},), got {b.shape}.")
