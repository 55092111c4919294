"""Word embedding: every word of a vocabulary has a vector, a row of a table that is learnt.

Formula:
    out_nt = W[x_nt],  x (N, T) integers in 0..V-1, W (V, D)
    the same as a product:  out = onehot(x) W

Derivation:
    A one-hot vector times W picks one row, so looking it up does the same without multiplying by V - 1 zeros.
    out_ntd = Σ_v [x_nt = v] W_vd, so
        dW_vd = Σ_nt [x_nt = v] dout_ntd
    each word's row gets the sum over all places where the word stands; words that do not occur get 0. Words are no
    numbers that could move a little, so there is no dx.

Source: CS231n, assignment 3.
"""

import numpy as np

from pellucid.core.errors import DataError

Cache = tuple[np.ndarray, np.ndarray]


def word_embedding_forward(x: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, Cache]:
    """Vectors of words.

    Args:
        x: (N, T) words, integers in 0..V-1 (any shape works).
        W: (V, D) table.

    Returns:
        out (N, T, D), and what backward needs.

    Raises:
        DataError: a word that the table does not have.
    """
    if not np.issubdtype(x.dtype, np.integer):
        raise DataError(f"word_embedding: words must be integers, got {x.dtype}.")
    wrong = x[(x < 0) | (x >= len(W))]
    if wrong.size:
        raise DataError(f"word_embedding: words must be 0 to {len(W) - 1} for a table {W.shape}, got {wrong[0]}.")
    return W[x], (x, W)


def word_embedding_backward(dout: np.ndarray, cache: Cache) -> np.ndarray:
    """Gradient dW (V, D) from dout (N, T, D)."""
    x, W = cache
    words, rows = x.reshape(x.size), dout.reshape(x.size, W.shape[1])
    # The same words brought together first, and each heap summed at once: quicker than adding row after row.
    order = np.argsort(words, kind="stable")
    found, starts = np.unique(words[order], return_index=True)
    dW = np.zeros_like(W)
    if x.size:
        dW[found] = np.add.reduceat(rows[order], starts, axis=0)
    return dW


def one_hot(x: np.ndarray, V: int) -> np.ndarray:
    """(..., V) rows of zeros with a one at each word of x (...): the slow way to say the same."""
    return (x[..., None] == np.arange(V)).astype(np.float64)
