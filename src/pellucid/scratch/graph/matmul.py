"""Matrix product as a node.

Formula:
    y = A B,  dA = dy Bᵀ,  dB = Aᵀ dy

Derivation:
    y_nm = Σ_d A_nd B_dm, so A_nd reaches the outputs y_n1 ... y_nM with slopes B_d1 ... B_dM:
        dA_nd = Σ_m dy_nm B_dm = (dy Bᵀ)_nd,   dB_dm = Σ_n A_nd dy_nm = (Aᵀ dy)_dm
    A vector on the left is a matrix of one row, on the right one of one column.

Source: CS231n notes, "Derivatives, backpropagation, and vectorization".
"""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.graph.operation import Pair

Arrays = tuple[np.ndarray, np.ndarray]


def matmul_forward(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Arrays]:
    """The product of matrices or vectors: (N, D) or (D,) times (D, M) or (D,).

    Raises:
        DataError: something else than vectors and matrices, or the inner lengths differ.
    """
    if a.ndim not in (1, 2) or b.ndim not in (1, 2) or a.shape[-1] != b.shape[0]:
        raise DataError(f"matmul: needs (N, D) or (D,) times (D, M) or (D,), got {a.shape} times {b.shape}.")
    return np.asarray(a @ b), (a, b)


def matmul_backward(dout: np.ndarray, cache: Arrays) -> Arrays:
    """Gradients of both factors, in their shapes."""
    a, b = cache
    rows = np.atleast_2d(a)  # (N, D)
    columns = b if b.ndim == 2 else b[:, None]  # (D, M)
    dout = dout.reshape(len(rows), columns.shape[1])  # (N, M)
    return (dout @ columns.T).reshape(a.shape), (rows.T @ dout).reshape(b.shape)


matmul = Pair("matmul", matmul_forward, matmul_backward)
