"""Matrix product as a node, of single matrices or of stacks of them.

Formula:
    y = A B,  dA = dy Bᵀ,  dB = Aᵀ dy

Derivation:
    y_nm = Σ_d A_nd B_dm, so A_nd reaches the outputs y_n1 ... y_nM with slopes B_d1 ... B_dM:
        dA_nd = Σ_m dy_nm B_dm = (dy Bᵀ)_nd,   dB_dm = Σ_n A_nd dy_nm = (Aᵀ dy)_dm
    A vector on the left is a matrix of one row, on the right one of one column. The axes in front of a matrix count
    the products; a matrix that broadcasting uses in several of them gets the sum of their gradients.

Source: CS231n notes, "Derivatives, backpropagation, and vectorization".
"""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.graph.broadcast import unbroadcast
from pellucid.scratch.graph.operation import Pair

Arrays = tuple[np.ndarray, np.ndarray]


def matmul_forward(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Arrays]:
    """The product of (..., N, D) or (D,) and (..., D, M) or (D,), broadcast over the axes in front.

    Raises:
        DataError: a single number, the inner lengths differ, or the axes in front do not broadcast.
    """
    try:
        return np.asarray(a @ b), (a, b)
    except ValueError as error:
        raise DataError(
            "matmul: needs (..., N, D) or (D,) times (..., D, M) or (D,), with axes in front that broadcast, "
            f"got {a.shape} times {b.shape}."
        ) from error


def matmul_backward(dout: np.ndarray, cache: Arrays) -> Arrays:
    """Gradients of both factors, in their shapes."""
    a, b = cache
    rows, columns = a, b  # (..., N, D) and (..., D, M)
    if b.ndim == 1:
        columns, dout = b[:, None], dout[..., None]
    if a.ndim == 1:
        rows, dout = a[None], dout[..., None, :]
    drows = unbroadcast(dout @ columns.swapaxes(-1, -2), rows.shape)
    dcolumns = unbroadcast(rows.swapaxes(-1, -2) @ dout, columns.shape)
    return drows.reshape(a.shape), dcolumns.reshape(b.shape)


matmul = Pair("matmul", matmul_forward, matmul_backward)
