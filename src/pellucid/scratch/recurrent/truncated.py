"""Truncated backpropagation through time: the state is carried on, the gradient goes back to the window's start only.

Formula:
    forward    windows 1 .. K of the sequence, state_k = what is left at the end of window k, as in one piece
    backward   d state_k = 0 at every border;  dW = Σ_k dW(window k)

Derivation:
    A text of a million characters cannot be kept in memory to go back through it. Cut into windows, the numbers going
    forward are the same as uncut, since the state holds all that the past can say. The gradient that would cross a
    border is dropped, so dW counts an influence only where cause and effect lie in one window: for W the exact gradient
    of a loss in which each window's first state is a constant. With one window, as long as the sequence, nothing is cut
    and it is full backpropagation. In training each window is followed by an update of the weights; here
    they stay, to compare.

Source: Williams and Peng, "An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories", 1990; CS231n, lecture "Recurrent neural networks".
"""

from typing import Any

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.scratch.recurrent.cells import CELLS, Cell, State, check_state

Cache = tuple[Cell, int, list[Any]]


def truncated_forward(
    x: np.ndarray, state: State, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray, window: int, cell_type: str = "rnn"
) -> tuple[np.ndarray, State, Cache]:
    """A sequence in windows, each going on with the state that the one before it left.

    Args:
        x: (N, T, D) inputs, at least one step.
        state: the first state, (h,) or (h, c), arrays (N, H).
        Wx, Wh, b: weights and bias of the cell.
        window: steps in a window; the last may be shorter.
        cell_type: "rnn", "lstm" or "gru".

    Returns:
        h (N, T, H), the state after the last step, and what backward needs.

    Raises:
        ConfigError: no such cell, or a window of less than one step.
        DataError: the shapes do not fit each other.
    """
    cell = choose(cell_type, CELLS, "recurrent cell")
    if window < 1:
        raise ConfigError(f"A window must have at least one step, got {window}.")
    check_state(state, cell, "truncated")
    pieces, caches = [], []
    for start in range(0, x.shape[1], window):
        h, state, cache = cell.forward(x[:, start : start + window], state, Wx, Wh, b)
        pieces.append(h)
        caches.append(cache)
    return np.concatenate(pieces, axis=1), state, (cell, window, caches)


def truncated_backward(dh: np.ndarray, cache: Cache) -> tuple[np.ndarray, State, np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of x, of the first state, and of Wx, Wh, b, from dh (N, T, H), none of them across a border."""
    cell, window, caches = cache
    N, _, H = dh.shape
    nothing = cell.empty_state(N, H, dh.dtype)
    found = [cell.backward(dh[:, k * window : (k + 1) * window], nothing, kept) for k, kept in enumerate(caches)]
    dx = np.concatenate([part[0] for part in found], axis=1)
    dWx, dWh, db = found[0][2:]
    for part in found[1:]:
        dWx, dWh, db = dWx + part[2], dWh + part[3], db + part[4]
    return dx, found[0][1], dWx, dWh, db
