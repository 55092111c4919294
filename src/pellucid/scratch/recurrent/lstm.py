"""LSTM: a cell that is kept, written and read through gates, so that its gradient is not squeezed in every step.

Formula:
    i, f, o = σ(a_i), σ(a_f), σ(a_o),  g = tanh(a_g),  (a_i | a_f | a_o | a_g) = x_t Wx + h_{t-1} Wh + b
    c_t = f c_{t-1} + i g
    h_t = o tanh(c_t)

Derivation:
    Stacked, the four gates are one matrix of size (D + H) x 4H (for D = H = n the "4n x 2n" of the lecture). With dh_t
    from above and from the step after, and dc_t from the step after,
        dc_t    += dh_t o (1 - tanh²(c_t))
        da_o     = dh_t tanh(c_t) o (1 - o)               since σ' = σ (1 - σ)
        da_i     = dc_t g i (1 - i),   da_f = dc_t c_{t-1} f (1 - f),   da_g = dc_t i (1 - g²)
        dc_{t-1} = dc_t f,             dh_{t-1} = da Whᵀ
    Along the cell the gradient is only multiplied by f, entry by entry, with no matrix and no tanh: through T steps
    by f_1 f_2 ... f_T, and not at all while the gates stay open (f = 1), as in a residual network.
    The blocks stand in the order i, f, o, g of the course; PyTorch's order is i, f, g, o.

Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997, with the forget gate of Gers et al., 2000;
    CS231n, assignment 3 of 2017 to 2020.
"""

from typing import NamedTuple

import numpy as np

from pellucid.scratch.recurrent.unrolled import (
    all_inputs_backward,
    all_inputs_forward,
    bias_gradient,
    check_shapes,
    sigmoid,
    state_weights_gradient,
    time_first,
)

Gradients = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
GradientsWithCell = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class StepCache(NamedTuple):
    """What one step's backward needs."""

    x: np.ndarray
    prev_h: np.ndarray
    prev_c: np.ndarray
    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray
    gates: np.ndarray  # (N, 4H): i, f, o, g
    tanh_c: np.ndarray  # (N, H)


class Cache(NamedTuple):
    """What backward needs; time comes first."""

    x: np.ndarray  # (T, N, D)
    states: np.ndarray  # (T + 1, N, H), h0 first
    cells: np.ndarray  # (T + 1, N, H), c0 first
    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray
    gates: np.ndarray  # (T, N, 4H): i, f, o, g


def lstm_step_forward(
    x: np.ndarray, prev_h: np.ndarray, prev_c: np.ndarray, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray, StepCache]:
    """One step.

    Args:
        x: (N, D) inputs.
        prev_h: (N, H) states before.
        prev_c: (N, H) cells before.
        Wx: (D, 4H) weights of the inputs, blocks in the order i, f, o, g.
        Wh: (H, 4H) weights of the state.
        b: (4H,) bias, or (N, 4H), one for each sample.

    Returns:
        next_h (N, H), next_c (N, H), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    check_shapes("lstm_step", x, {"prev_h": prev_h, "prev_c": prev_c}, (Wx, Wh, b), (4, 4))
    H = len(Wh)
    a = x @ Wx + prev_h @ Wh + b
    gates = np.concatenate([sigmoid(a[:, : 3 * H]), np.tanh(a[:, 3 * H :])], axis=1)
    i, f, o, g = np.split(gates, 4, axis=1)
    next_c = f * prev_c + i * g
    tanh_c = np.tanh(next_c)
    return o * tanh_c, next_c, StepCache(x, prev_h, prev_c, Wx, Wh, b, gates, tanh_c)


def lstm_step_backward(dnext_h: np.ndarray, dnext_c: np.ndarray, cache: StepCache) -> GradientsWithCell:
    """Gradients dx (N, D), dprev_h and dprev_c (N, H), dWx, dWh and db from dnext_h and dnext_c (N, H)."""
    x, prev_h, prev_c, Wx, Wh, b, gates, tanh_c = cache
    i, f, o, g = np.split(gates, 4, axis=1)
    dc = dnext_c + dnext_h * o * (1 - tanh_c * tanh_c)
    da_i = dc * g * i * (1 - i)
    da_f = dc * prev_c * f * (1 - f)
    da_o = dnext_h * tanh_c * o * (1 - o)
    da_g = dc * i * (1 - g * g)
    da = np.concatenate([da_i, da_f, da_o, da_g], axis=1)  # (N, 4H)
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, bias_gradient(da, b)


def lstm_forward(
    x: np.ndarray, h0: np.ndarray, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, Cache]:
    """A whole sequence from empty cells.

    Args:
        x: (N, T, D) inputs.
        h0: (N, H) states before the first step; the cells start at zero.
        Wx: (D, 4H) weights of the inputs, blocks in the order i, f, o, g.
        Wh: (H, 4H) weights of the state.
        b: (4H,) bias, or (N, 4H), one for each sample.

    Returns:
        h (N, T, H), the state after every step, and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    h, _, cache = lstm_sequence_forward(x, h0, np.zeros_like(h0), Wx, Wh, b)
    return h, cache


def lstm_backward(dh: np.ndarray, cache: Cache) -> Gradients:
    """Gradients dx (N, T, D), dh0 (N, H), dWx, dWh and db from dh (N, T, H), what the loss itself says of each h_t."""
    dx, dh0, _, dWx, dWh, db = lstm_sequence_backward(dh, np.zeros_like(cache.cells[0]), cache)
    return dx, dh0, dWx, dWh, db


def lstm_sequence_forward(
    x: np.ndarray, h0: np.ndarray, c0: np.ndarray, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray, Cache]:
    """A whole sequence from given cells, with the cells at its end: what it takes to go on later.

    Args:
        x: (N, T, D) inputs.
        h0: (N, H) states before the first step.
        c0: (N, H) cells before the first step.
        Wx: (D, 4H) weights of the inputs, blocks in the order i, f, o, g.
        Wh: (H, 4H) weights of the state.
        b: (4H,) bias, or (N, 4H), one for each sample.

    Returns:
        h (N, T, H), the cells after the last step (N, H), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    check_shapes("lstm", x, {"h0": h0, "c0": c0}, (Wx, Wh, b), (4, 4))
    x = time_first(x)
    gates = all_inputs_forward(x, Wx, b)  # (T, N, 4H), the pre-activations at first
    T, (N, H) = len(x), h0.shape
    states = np.empty((T + 1, N, H), gates.dtype)
    cells = np.empty_like(states)
    states[0], cells[0] = h0, c0
    product = np.empty((N, 4 * H), gates.dtype)
    for t in range(T):
        a = gates[t]
        a += np.matmul(states[t], Wh, out=product)
        # All four gates by one tanh over one block: σ(a) = (1 + tanh(a/2)) / 2.
        a[:, : 3 * H] *= 0.5
        np.tanh(a, out=a)
        a[:, : 3 * H] *= 0.5
        a[:, : 3 * H] += 0.5
        i, f, o, g = (a[:, block * H : (block + 1) * H] for block in range(4))
        np.multiply(f, cells[t], out=cells[t + 1])
        cells[t + 1] += i * g
        np.tanh(cells[t + 1], out=states[t + 1])
        states[t + 1] *= o
    return time_first(states[1:]), cells[T].copy(), Cache(x, states, cells, Wx, Wh, b, gates)


def lstm_sequence_backward(dh: np.ndarray, dc: np.ndarray, cache: Cache) -> GradientsWithCell:
    """Gradients dx (N, T, D), dh0 and dc0 (N, H), dWx, dWh and db.

    Args:
        dh: (N, T, H) what the loss says of each h_t directly.
        dc: (N, H) what it says of the cells after the last step.
        cache: from `lstm_sequence_forward` or `lstm_forward`.
    """
    x, states, cells, Wx, Wh, b, gates = cache
    T, H = len(x), len(Wh)
    da, dc, dstate = np.empty_like(gates), dc.copy(), np.zeros_like(states[0])
    back = Wh.T.copy()  # (4H, H), turned once and not in every product
    for t in reversed(range(T)):
        i, f, o, g = (gates[t, :, block * H : (block + 1) * H] for block in range(4))
        da_i, da_f, da_o, da_g = (da[t, :, block * H : (block + 1) * H] for block in range(4))
        dstate += dh[:, t]
        tanh_c = np.tanh(cells[t + 1])
        np.multiply(dstate, tanh_c, out=da_o)
        dstate *= o
        dc += dstate * (1 - tanh_c * tanh_c)
        np.multiply(dc, g, out=da_i)
        np.multiply(dc, cells[t], out=da_f)
        opening = gates[t, :, : 3 * H]  # i, f and o in one piece: each has the slope σ (1 - σ)
        da[t, :, : 3 * H] *= opening * (1 - opening)
        np.multiply(dc, i * (1 - g * g), out=da_g)
        dc *= f
        np.matmul(da[t], back, out=dstate)
    dx, dWx, db = all_inputs_backward(da, x, Wx, b)
    return time_first(dx), dstate, dc, dWx, state_weights_gradient(states[:-1], da), db
