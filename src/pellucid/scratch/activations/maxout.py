"""Maxout: the largest of k affine functions, an activation that learns its own shape.

Formula:
    y_nm = max_j z_jnm,  z_jnm = Σ_d x_nd W_jdm + b_jm,  j = 1 ... k

Derivation:
    A maximum passes its gradient to the entry that won and none to the others. With t_jnm = 1 where j won, else 0:
        dz_jnm = t_jnm dy_nm
    and each piece goes back like an affine layer; x took part in all pieces, so dx sums over them:
        dx = Σ_j dz_j W_jᵀ,  dW_j = xᵀ dz_j,  db_j = Σ_n dz_jn
    On a tie the first winner takes it all, one of the subgradients.
    k pieces make any convex function of k lines: max(0, x) is the ReLU, max(α x, x) the leaky one, max(−x, x) the
    absolute value. Nothing saturates or dies, for k times the weights.

Source: Goodfellow et al., "Maxout Networks", 2013.
"""

from math import prod

import numpy as np

from pellucid.core.errors import DataError

Cache = tuple[np.ndarray, np.ndarray, np.ndarray]


def maxout_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Cache]:
    """Outputs (N, M) of inputs (N, d1, ..., dr) of any rank; D = d1 · ... · dr.

    Args:
        x: (N, d1, ..., dr) inputs.
        w: (k, D, M) weights of the pieces.
        b: (k, M) biases of the pieces.

    Returns:
        out (N, M), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    d = prod(x.shape[1:])
    if w.ndim != 3 or w.shape[1] != d:
        raise DataError(f"maxout: x {x.shape} has {d} numbers a sample, so w must be (k, {d}, M), got {w.shape}.")
    if b.shape != (w.shape[0], w.shape[2]):
        raise DataError(f"maxout: w {w.shape} needs b ({w.shape[0]}, {w.shape[2]}), got {b.shape}.")
    z = x.reshape(len(x), d) @ w + b[:, None]  # (k, N, M)
    winner = z.argmax(axis=0)  # (N, M)
    return z.max(axis=0), (x, w, winner)


def maxout_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (N, d1, ..., dr), dw (k, D, M) and db (k, M) from dout (N, M)."""
    x, w, winner = cache
    k, d, _ = w.shape
    dz = dout * (winner == np.arange(k)[:, None, None])  # (k, N, M)
    dx = (dz @ w.swapaxes(1, 2)).sum(axis=0).reshape(x.shape)
    dw = x.reshape(len(x), d).T @ dz
    db = dz.sum(axis=1)
    return dx, dw, db
