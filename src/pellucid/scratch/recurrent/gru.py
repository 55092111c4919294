"""GRU: one state that is partly kept and partly replaced; two gates instead of the LSTM's three, and no cell.

Formula:
    r, z = σ(a_r), σ(a_z),  (a_r | a_z) = x_t W_rz + h_{t-1} U_rz + b_rz
    m    = h_{t-1} U_n + b_m
    n    = tanh(x_t W_n + b_n + r m)
    h_t  = (1 - z) n + z h_{t-1}

Derivation:
    h_{t-1} reaches h_t by three ways, and their gradients add: kept by z, through the gates, through m. From dh_t:
        da_n = dh_t (1 - z) (1 - n²)                      since tanh' = 1 - tanh²
        da_z = dh_t (h_{t-1} - n) z (1 - z)               since σ' = σ (1 - σ)
        da_r = da_n m r (1 - r),   dm = da_n r
        dh_{t-1} = dh_t z + (da_r | da_z | dm) Whᵀ
    x_t sees (da_r | da_z | da_n) instead: only the way through the state is reset.
    This is PyTorch's variant: r multiplies after the product with U_n (in the paper, before it), which therefore
    has a bias b_m of its own; z near 1 keeps the state. Blocks: Wx, Wh in the order r, z, n; b = (b_r, b_z, b_n, b_m).

Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014; CS231n, lecture
    "Recurrent neural networks".
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


class StepCache(NamedTuple):
    """What one step's backward needs."""

    x: np.ndarray
    prev_h: np.ndarray
    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray
    inside: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # r, z, n, m, each (N, H)


class Cache(NamedTuple):
    """What backward needs; time comes first."""

    x: np.ndarray  # (T, N, D)
    states: np.ndarray  # (T + 1, N, H), h0 first
    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray
    inside: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]  # r, z, n, m of every step


def gru_step_forward(
    x: np.ndarray, prev_h: np.ndarray, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, StepCache]:
    """One step.

    Args:
        x: (N, D) inputs.
        prev_h: (N, H) states before.
        Wx: (D, 3H) weights of the inputs, blocks in the order r, z, n.
        Wh: (H, 3H) weights of the state.
        b: (4H,) biases b_r, b_z, b_n, b_m, or (N, 4H), one for each sample.

    Returns:
        next_h (N, H), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    check_shapes("gru_step", x, {"prev_h": prev_h}, (Wx, Wh, b), (3, 4))
    columns = 3 * len(Wh)
    next_h, inside = _step(x @ Wx + b[..., :columns], prev_h, Wh, b[..., columns:])
    return next_h, StepCache(x, prev_h, Wx, Wh, b, inside)


def gru_step_backward(dnext_h: np.ndarray, cache: StepCache) -> Gradients:
    """Gradients dx (N, D), dprev_h (N, H), dWx, dWh and db from dnext_h (N, H)."""
    x, prev_h, Wx, Wh, b, inside = cache
    from_x, from_h = _gates_backward(dnext_h, prev_h, inside)
    dprev_h = dnext_h * inside[1] + from_h @ Wh.T
    db = np.concatenate([from_x, from_h[:, 2 * len(Wh) :]], axis=1)
    return from_x @ Wx.T, dprev_h, x.T @ from_x, prev_h.T @ from_h, bias_gradient(db, b)


def gru_forward(
    x: np.ndarray, h0: np.ndarray, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, Cache]:
    """A whole sequence.

    Args:
        x: (N, T, D) inputs.
        h0: (N, H) states before the first step.
        Wx: (D, 3H) weights of the inputs, blocks in the order r, z, n.
        Wh: (H, 3H) weights of the state.
        b: (4H,) biases b_r, b_z, b_n, b_m, or (N, 4H), one for each sample.

    Returns:
        h (N, T, H), the state after every step, and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    check_shapes("gru", x, {"h0": h0}, (Wx, Wh, b), (3, 4))
    columns = 3 * len(Wh)
    x = time_first(x)
    a = all_inputs_forward(x, Wx, b[..., :columns])  # (T, N, 3H)
    states = np.empty((len(x) + 1, *h0.shape), a.dtype)
    states[0] = h0
    inside = []
    for t in range(len(x)):
        states[t + 1], kept = _step(a[t], states[t], Wh, b[..., columns:])
        inside.append(kept)
    return time_first(states[1:]), Cache(x, states, Wx, Wh, b, inside)


def gru_backward(dh: np.ndarray, cache: Cache) -> Gradients:
    """Gradients dx (N, T, D), dh0 (N, H), dWx, dWh and db from dh (N, T, H), what the loss itself says of each h_t."""
    x, states, Wx, Wh, b, inside = cache
    T, (N, H) = len(x), states[0].shape
    from_x, from_h = np.empty((T, N, 3 * H), states.dtype), np.empty((T, N, 3 * H), states.dtype)
    dstate = np.zeros_like(states[0])
    for t in reversed(range(T)):
        dstate = dstate + dh[:, t]
        from_x[t], from_h[t] = _gates_backward(dstate, states[t], inside[t])
        dstate = dstate * inside[t][1] + from_h[t] @ Wh.T
    dx, dWx, db_x = all_inputs_backward(from_x, x, Wx, b)
    db_m = bias_gradient(from_h[:, :, 2 * H :], b)
    db = np.concatenate([db_x, db_m], axis=-1)
    return time_first(dx), dstate, dWx, state_weights_gradient(states[:-1], from_h), db


def _step(
    a: np.ndarray, prev_h: np.ndarray, Wh: np.ndarray, b_m: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """The state after a step, and r, z, n, m, from what the input adds (N, 3H)."""
    H = len(Wh)
    u = prev_h @ Wh  # (N, 3H)
    gates = sigmoid(a[:, : 2 * H] + u[:, : 2 * H])
    r, z, m = gates[:, :H], gates[:, H:], u[:, 2 * H :] + b_m
    n = np.tanh(a[:, 2 * H :] + r * m)
    return (1 - z) * n + z * prev_h, (r, z, n, m)


def _gates_backward(
    dh: np.ndarray, prev_h: np.ndarray, inside: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of the pre-activations as x Wx sees them and as h Wh sees them, both (N, 3H)."""
    r, z, n, m = inside
    da_n = dh * (1 - z) * (1 - n * n)
    da_z = dh * (prev_h - n) * z * (1 - z)
    da_r = da_n * m * r * (1 - r)
    return np.concatenate([da_r, da_z, da_n], axis=1), np.concatenate([da_r, da_z, da_n * r], axis=1)
