"""The three cells behind one signature, for code that works with any of them, and that goes on where it stopped.

Formula:
    (h_1 ... h_T, state_T) = cell(x_1 ... x_T, state_0, Wx, Wh, b)
    state = (h,) for rnn and gru, (h, c) for lstm

Derivation:
    A sequence may be cut anywhere: the state is all that the later part knows of the earlier one. The state after the
    last step is h_T itself, so a gradient that comes back from the later part adds to dh_T. The cell c_T of an LSTM is
    an output of its own.

Source: CS231n, lecture "Recurrent neural networks".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.checks.initialise import xavier
from pellucid.scratch.recurrent.gru import gru_backward, gru_forward
from pellucid.scratch.recurrent.lstm import lstm_sequence_backward, lstm_sequence_forward
from pellucid.scratch.recurrent.rnn import rnn_backward, rnn_forward

State = tuple[np.ndarray, ...]
Parameters = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Cell:
    """A recurrent layer that takes and gives back its state.

    Attributes:
        gates: the weights Wx (D, gates · H) and Wh (H, gates · H) have this many blocks.
        biases: and the bias (biases · H,) this many.
        states: how many arrays (N, H) make a state.
        forward: (x (N, T, D), state, Wx, Wh, b) -> (h (N, T, H), state after the last step, cache).
        backward: (dh (N, T, H), gradient of the state after the last step, cache)
            -> (dx, gradient of the first state, dWx, dWh, db).
    """

    gates: int
    biases: int
    states: int
    forward: Callable[[np.ndarray, State, np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, State, Any]]
    backward: Callable[[np.ndarray, State, Any], tuple[np.ndarray, State, np.ndarray, np.ndarray, np.ndarray]]

    def empty_state(self, N: int, H: int, dtype: Any = np.float64) -> State:
        """The state that knows nothing: zeros."""
        return tuple(np.zeros((N, H), dtype) for _ in range(self.states))

    def make_parameters(self, D: int, H: int, rng: np.random.Generator, dtype: Any = np.float64) -> Parameters:
        """Wx, Wh and b for D inputs and H units: Xavier weights, of variance 1/rows, and zeros."""
        Wx, Wh = xavier((D, self.gates * H), rng), xavier((H, self.gates * H), rng)
        return Wx.astype(dtype), Wh.astype(dtype), np.zeros(self.biases * H, dtype)


def check_state(state: State, cell: Cell, what: str) -> None:
    """Raise if a state has the wrong number of arrays.

    Raises:
        DataError: says how many are wanted.
    """
    if len(state) != cell.states:
        wanted = "one array, (h,)" if cell.states == 1 else "two arrays, (h, c)"
        raise DataError(f"{what}: the state must be a tuple of {wanted}, got {len(state)}.")


def _rnn_forward(x: np.ndarray, state: State, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray) -> Any:
    (h0,) = state
    h, cache = rnn_forward(x, h0, Wx, Wh, b)
    return h, (cache.states[-1].copy(),), cache


def _rnn_backward(dh: np.ndarray, dstate: State, cache: Any) -> Any:
    dx, dh0, dWx, dWh, db = rnn_backward(_with_last(dh, dstate[0]), cache)
    return dx, (dh0,), dWx, dWh, db


def _gru_forward(x: np.ndarray, state: State, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray) -> Any:
    (h0,) = state
    h, cache = gru_forward(x, h0, Wx, Wh, b)
    return h, (cache.states[-1].copy(),), cache


def _gru_backward(dh: np.ndarray, dstate: State, cache: Any) -> Any:
    dx, dh0, dWx, dWh, db = gru_backward(_with_last(dh, dstate[0]), cache)
    return dx, (dh0,), dWx, dWh, db


def _lstm_forward(x: np.ndarray, state: State, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray) -> Any:
    h0, c0 = state
    h, c, cache = lstm_sequence_forward(x, h0, c0, Wx, Wh, b)
    return h, (cache.states[-1].copy(), c), cache


def _lstm_backward(dh: np.ndarray, dstate: State, cache: Any) -> Any:
    dx, dh0, dc0, dWx, dWh, db = lstm_sequence_backward(_with_last(dh, dstate[0]), dstate[1], cache)
    return dx, (dh0, dc0), dWx, dWh, db


def _with_last(dh: np.ndarray, dlast: np.ndarray) -> np.ndarray:
    """The gradients of all h_t, with what the later part says of the last one added."""
    if dh.shape[1] == 0:
        raise DataError("A sequence of no steps has no last state to go back from: give at least one step.")
    dh = dh.copy()
    dh[:, -1] += dlast
    return dh


CELLS: dict[str, Cell] = {
    "rnn": Cell(1, 1, 1, _rnn_forward, _rnn_backward),
    "lstm": Cell(4, 4, 2, _lstm_forward, _lstm_backward),
    "gru": Cell(3, 4, 1, _gru_forward, _gru_backward),
}
