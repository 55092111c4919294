"""Stacks of recurrent layers, long sequences in windows, and what becomes of a gradient on its way through time."""

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.checks.gradient_flow import gradient_along_the_cell, gradient_through_time
from pellucid.scratch.recurrent.cells import CELLS, State
from pellucid.scratch.recurrent.lstm import lstm_forward
from pellucid.scratch.recurrent.multilayer import multilayer_forward
from pellucid.scratch.recurrent.rnn import rnn_backward, rnn_forward, rnn_step_forward
from pellucid.scratch.recurrent.truncated import truncated_backward, truncated_forward

RNG = np.random.default_rng


def start(kind: str, N: int, D: int, H: int, seed: int = 0) -> tuple[State, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """A first state that is not empty, and weights."""
    cell, rng = CELLS[kind], RNG(seed)
    return tuple(rng.standard_normal((N, H)) for _ in range(cell.states)), cell.make_parameters(D, H, rng)


# -------------------------------------------------------------------------------------------- stacks


def test_each_layer_hears_the_one_below_now_and_itself_before() -> None:
    """h_t^l from h_t^{l-1} and h_{t-1}^l, step after step and not layer after layer."""
    x, first, second = RNG(1).standard_normal((2, 5, 3)), start("rnn", 2, 3, 4), start("rnn", 2, 4, 4, seed=1)
    h, last, _ = multilayer_forward(x, [first[0], second[0]], [first[1], second[1]])
    below, above = first[0][0], second[0][0]
    for t in range(5):
        below, _ = rnn_step_forward(x[:, t], below, *first[1])
        above, _ = rnn_step_forward(below, above, *second[1])
        assert np.allclose(h[:, t], above, rtol=0, atol=1e-14)
    assert np.allclose(last[0][0], below, rtol=0, atol=1e-14)
    assert np.allclose(last[1][0], above, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", CELLS)
def test_a_stack_goes_on_where_it_stopped(kind: str) -> None:
    x, first, second = RNG(1).standard_normal((2, 6, 3)), start(kind, 2, 3, 4), start(kind, 2, 4, 4, seed=1)
    states, layers = [first[0], second[0]], [first[1], second[1]]
    whole, end, _ = multilayer_forward(x, states, layers, kind)
    head, middle, _ = multilayer_forward(x[:, :2], states, layers, kind)
    tail, after, _ = multilayer_forward(x[:, 2:], middle, layers, kind)
    assert np.allclose(np.concatenate([head, tail], axis=1), whole, rtol=0, atol=1e-14)
    assert np.allclose(np.array(after), np.array(end), rtol=0, atol=1e-14)


def test_a_stack_says_what_it_misses() -> None:
    state, layer = start("lstm", 2, 3, 4)
    x = np.ones((2, 5, 3))
    with pytest.raises(DataError) as caught:
        multilayer_forward(x, [state], [layer, layer], "lstm")
    assert str(caught.value) == "multilayer: 2 layers need a state each, got 1 states."
    with pytest.raises(DataError) as caught:
        multilayer_forward(x, [state[:1]], [layer], "lstm")
    assert str(caught.value) == "multilayer: the state must be a tuple of two arrays, (h, c), got 1."
    with pytest.raises(ConfigError) as unknown:
        multilayer_forward(x, [state], [layer], "ltsm")
    assert str(unknown.value) == ("Unknown recurrent cell 'ltsm'. Did you mean 'lstm'? Choose from: gru, lstm, rnn.")


# ------------------------------------------------------------------------------------------- windows


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("window", [1, 2, 3, 7, 20])
def test_windows_change_nothing_on_the_way_forward(kind: str, window: int) -> None:
    x, (state, weights) = RNG(1).standard_normal((2, 7, 3)), start(kind, 2, 3, 4)
    whole, end, _ = CELLS[kind].forward(x, state, *weights)
    h, after, _ = truncated_forward(x, state, *weights, window, kind)
    assert np.allclose(h, whole, rtol=0, atol=1e-14)
    assert np.allclose(np.array(after), np.array(end), rtol=0, atol=1e-14)


@pytest.mark.parametrize("window", [7, 8, 100])
def test_a_window_as_long_as_the_sequence_is_full_backpropagation(window: int) -> None:
    x, ((h0,), weights) = RNG(1).standard_normal((2, 7, 3)), start("rnn", 2, 3, 4)
    dh = RNG(2).standard_normal((2, 7, 4))
    _, full = rnn_forward(x, h0, *weights)
    _, _, cache = truncated_forward(x, (h0,), *weights, window)
    dx, (dh0,), *rest = truncated_backward(dh, cache)
    for ours, theirs in zip((dx, dh0, *rest), rnn_backward(dh, full), strict=True):
        assert np.array_equal(ours, theirs)


def test_no_gradient_crosses_a_border_and_the_windows_add_up() -> None:
    x, ((h0,), weights) = RNG(1).standard_normal((2, 6, 3)), start("rnn", 2, 3, 4)
    dh = np.zeros((2, 6, 4))
    dh[:, 4] = 1  # a loss in the second of two windows
    h, _, cache = truncated_forward(x, (h0,), *weights, 3)
    dx, (dh0,), dWx, dWh, db = truncated_backward(dh, cache)
    assert not dx[:, :3].any() and not dh0.any()
    assert dx[:, 3:5].all() and not dx[:, 5].any()
    _, second = rnn_forward(x[:, 3:], h[:, 2], *weights)
    alone = rnn_backward(dh[:, 3:], second)
    for ours, theirs in zip((dWx, dWh, db), alone[2:], strict=True):
        assert np.allclose(ours, theirs, rtol=0, atol=1e-13)


def test_a_window_without_a_step_is_refused() -> None:
    state, weights = start("gru", 2, 3, 4)
    with pytest.raises(ConfigError) as caught:
        truncated_forward(np.ones((2, 5, 3)), state, *weights, 0, "gru")
    assert str(caught.value) == "A window must have at least one step, got 0."
    with pytest.raises(DataError) as empty:
        CELLS["gru"].backward(np.ones((2, 0, 4)), state, None)
    assert str(empty.value) == ("A sequence of no steps has no last state to go back from: give at least one step.")


# ------------------------------------------------------------------------------------- gradient flow


def test_a_number_multiplied_fifty_times() -> None:
    assert gradient_through_time(np.array([[0.9]]), 50)[-1] == pytest.approx(0.00515, abs=5e-6)
    assert gradient_through_time(np.array([[1.1]]), 50)[-1] == pytest.approx(117.39, abs=5e-3)
    assert gradient_along_the_cell(np.full((50, 2), 0.9))[-1] == pytest.approx(0.00515, abs=5e-6)


def rotation(H: int) -> np.ndarray:
    return np.linalg.qr(RNG(0).standard_normal((H, H)))[0]


@pytest.mark.parametrize(("sigma", "grows"), [(0.8, False), (1.2, True)])
def test_singular_values_below_one_vanish_and_above_one_explode(sigma: float, grows: bool) -> None:
    """All singular values equal: the bound is met exactly."""
    stretch = gradient_through_time(sigma * rotation(6), 40)
    assert np.allclose(stretch, sigma ** np.arange(41.0), rtol=1e-10)
    assert (np.diff(stretch) > 0).all() == grows


def test_a_large_singular_value_is_needed_to_explode_but_not_enough() -> None:
    shear = np.array([[0.5, 10.0], [0.0, 0.5]])
    stretch = gradient_through_time(shear, 60)
    assert np.linalg.norm(shear, 2) > 10
    assert stretch.max() > 1 and stretch[-1] < 1e-12


def test_the_slopes_of_tanh_shrink_what_the_matrix_stretches() -> None:
    """The bound holds for the gradient that backpropagation finds, which is smaller still."""
    x, h0, Wx, b = (RNG(1).standard_normal(shape) for shape in ((1, 20, 3), (1, 6), (3, 6), (6,)))
    Wh = 1.2 * rotation(6)
    h, cache = rnn_forward(x, h0, Wx, Wh, b)
    dh = np.zeros((1, 20, 6))
    dh[0, -1] = RNG(2).standard_normal(6)
    found = np.linalg.norm(rnn_backward(dh, cache)[1]) / np.linalg.norm(dh)
    with_slopes = gradient_through_time(Wh, 20, 1 - h[0] ** 2)[-1]
    assert 0 < found <= with_slopes < gradient_through_time(Wh, 20)[-1]


def test_a_cell_with_open_gates_remembers_where_a_plain_state_forgets() -> None:
    rng, T = RNG(3), 60
    x, zero = rng.standard_normal((1, T, 4)), np.zeros((1, 5))
    Wx, Wh = 0.5 * rng.standard_normal((4, 20)), 0.1 * rng.standard_normal((5, 20))
    b = np.repeat([0.0, 6.0, 0.0, 0.0], 5)  # forget gates near 1
    _, cache = lstm_forward(x, zero, Wx, Wh, b)
    cell = gradient_along_the_cell(cache.gates[:, 0, 5:10])[-1].mean()
    h, _ = rnn_forward(x, zero, Wx[:, :5], Wh[:, :5], b[:5])
    plain = gradient_through_time(Wh[:, :5], T, 1 - h[0] ** 2)[-1]
    assert cell > 0.5
    assert plain < 1e-20


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(DataError) as caught:
        gradient_through_time(np.ones((2, 3)), 4)
    assert str(caught.value) == "The state's weights must be square, got (2, 3)."
    with pytest.raises(DataError) as slopes:
        gradient_through_time(np.ones((3, 3)), 4, np.ones((3, 3)))
    assert str(slopes.value) == "4 steps of 3 units need slopes (4, 3), got (3, 3)."
