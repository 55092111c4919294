"""Recurrent layer: the state is a squashed sum of the input and of the state before, with the same weights each step.

Formula:
    h_t = tanh(x_t Wx + h_{t-1} Wh + b),  x (N, T, D), h (N, T, H)
    with an image, in every step:  h_t = tanh(x_t Wx + h_{t-1} Wh + v Wv + b)

Derivation:
    h_t reaches the loss by two paths: directly, and through h_{t+1}. With a_t what tanh is taken of,
        dh_t    = (dh_t from above) + da_{t+1} Whᵀ
        da_t    = dh_t (1 - h_t²)                         since tanh' = 1 - tanh²
        dx_t    = da_t Wxᵀ,  dWx = Σ_t x_tᵀ da_t,  dWh = Σ_t h_{t-1}ᵀ da_t,  db = Σ_t Σ_n da_t
    Going back k steps multiplies by Whᵀ (and a slope below 1) k times: that is why gradients vanish or explode.
    v Wv + b is the same in all steps, so it is simply a bias of each sample: pass it as b of shape (N, H) and
    send db on to the affine layer that made it.

Source: CS231n, assignment 3 and lecture "Recurrent neural networks"; Elman, "Finding structure in time", 1990.
"""

from typing import NamedTuple

import numpy as np

from pellucid.scratch.recurrent.unrolled import (
    all_inputs_backward,
    all_inputs_forward,
    bias_gradient,
    check_shapes,
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
    next_h: np.ndarray


class Cache(NamedTuple):
    """What backward needs; time comes first."""

    x: np.ndarray  # (T, N, D)
    states: np.ndarray  # (T + 1, N, H), h0 first
    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray


def rnn_step_forward(
    x: np.ndarray, prev_h: np.ndarray, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, StepCache]:
    """One step.

    Args:
        x: (N, D) inputs.
        prev_h: (N, H) states before.
        Wx: (D, H) weights of the inputs.
        Wh: (H, H) weights of the state.
        b: (H,) bias, or (N, H), one for each sample.

    Returns:
        next_h (N, H), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    check_shapes("rnn_step", x, {"prev_h": prev_h}, (Wx, Wh, b), (1, 1))
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, StepCache(x, prev_h, Wx, Wh, b, next_h)


def rnn_step_backward(dnext_h: np.ndarray, cache: StepCache) -> Gradients:
    """Gradients dx (N, D), dprev_h (N, H), dWx, dWh and db from dnext_h (N, H)."""
    x, prev_h, Wx, Wh, b, next_h = cache
    da = dnext_h * (1 - next_h * next_h)
    return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, bias_gradient(da, b)


def rnn_forward(
    x: np.ndarray, h0: np.ndarray, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, Cache]:
    """A whole sequence.

    Args:
        x: (N, T, D) inputs.
        h0: (N, H) states before the first step.
        Wx: (D, H) weights of the inputs.
        Wh: (H, H) weights of the state.
        b: (H,) bias, or (N, H), one for each sample.

    Returns:
        h (N, T, H), the state after every step, and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    check_shapes("rnn", x, {"h0": h0}, (Wx, Wh, b), (1, 1))
    x = time_first(x)
    a = all_inputs_forward(x, Wx, b)  # (T, N, H)
    states = np.empty((len(x) + 1, *h0.shape), dtype=a.dtype)
    states[0] = h0
    for t in range(len(x)):
        a[t] += states[t] @ Wh
        np.tanh(a[t], out=states[t + 1])
    return time_first(states[1:]), Cache(x, states, Wx, Wh, b)


def rnn_backward(dh: np.ndarray, cache: Cache) -> Gradients:
    """Gradients dx (N, T, D), dh0 (N, H), dWx, dWh and db from dh (N, T, H), what the loss itself says of each h_t."""
    x, states, Wx, Wh, b = cache
    da = time_first(dh)
    dprev = np.zeros_like(states[0])
    for t in reversed(range(len(x))):
        da[t] += dprev
        da[t] *= 1 - states[t + 1] * states[t + 1]
        dprev = da[t] @ Wh.T
    dx, dWx, db = all_inputs_backward(da, x, Wx, b)
    return time_first(dx), dprev, dWx, state_weights_gradient(states[:-1], da), db
