"""The recurrent layers give the numbers of the course's notebooks, and do at their edges what the formulas say."""

from typing import Any

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.layers.embedding import one_hot, word_embedding_backward, word_embedding_forward
from pellucid.scratch.layers.temporal import temporal_affine_forward
from pellucid.scratch.recurrent.gru import gru_backward, gru_forward, gru_step_forward
from pellucid.scratch.recurrent.lstm import (
    lstm_backward,
    lstm_forward,
    lstm_sequence_backward,
    lstm_sequence_forward,
    lstm_step_backward,
    lstm_step_forward,
)
from pellucid.scratch.recurrent.rnn import rnn_backward, rnn_forward, rnn_step_backward, rnn_step_forward


def ramp(low: float, high: float, *shape: int) -> np.ndarray:
    """As the notebooks fill their arrays."""
    return np.linspace(low, high, int(np.prod(shape))).reshape(shape)


def draw(*shapes: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


# ------------------------------------------------------------------------------ the notebooks' numbers


def test_rnn_step_of_the_notebook() -> None:
    N, D, H = 3, 10, 4
    next_h, _ = rnn_step_forward(
        ramp(-0.4, 0.7, N, D), ramp(-0.2, 0.5, N, H), ramp(-0.1, 0.9, D, H), ramp(-0.3, 0.7, H, H), ramp(-0.2, 0.4, H)
    )
    expected = [
        [-0.58172089, -0.50182032, -0.41232771, -0.31410098],
        [0.66854692, 0.79562378, 0.87755553, 0.92795967],
        [0.97934501, 0.99144213, 0.99646691, 0.99854353],
    ]
    assert np.allclose(next_h, expected, rtol=0, atol=1e-8)


def test_rnn_of_the_notebook() -> None:
    N, T, D, H = 2, 3, 4, 5
    h, _ = rnn_forward(
        ramp(-0.1, 0.3, N, T, D),
        ramp(-0.3, 0.1, N, H),
        ramp(-0.2, 0.4, D, H),
        ramp(-0.4, 0.1, H, H),
        ramp(-0.7, 0.1, H),
    )
    expected = [
        [
            [-0.42070749, -0.27279261, -0.11074945, 0.05740409, 0.22236251],
            [-0.39525808, -0.22554661, -0.0409454, 0.14649412, 0.32397316],
            [-0.42305111, -0.24223728, -0.04287027, 0.15997045, 0.35014525],
        ],
        [
            [-0.55857474, -0.39065825, -0.19198182, 0.02378408, 0.23735671],
            [-0.27150199, -0.07088804, 0.13562939, 0.33099728, 0.50158768],
            [-0.51014825, -0.30524429, -0.06755202, 0.17806392, 0.40333043],
        ],
    ]
    assert np.allclose(h, expected, rtol=0, atol=1e-8)


def test_lstm_step_of_the_notebook() -> None:
    N, D, H = 3, 4, 5
    next_h, next_c, _ = lstm_step_forward(
        ramp(-0.4, 1.2, N, D),
        ramp(-0.3, 0.7, N, H),
        ramp(-0.4, 0.9, N, H),
        ramp(-2.1, 1.3, D, 4 * H),
        ramp(-0.7, 2.2, H, 4 * H),
        ramp(0.3, 0.7, 4 * H),
    )
    expected_h = [
        [0.24635157, 0.28610883, 0.32240467, 0.35525807, 0.38474904],
        [0.49223563, 0.55611431, 0.61507696, 0.66844003, 0.7159181],
        [0.56735664, 0.66310127, 0.74419266, 0.80889665, 0.858299],
    ]
    expected_c = [
        [0.32986176, 0.39145139, 0.451556, 0.51014116, 0.56717407],
        [0.66382255, 0.76674007, 0.87195994, 0.97902709, 1.08751345],
        [0.74192008, 0.90592151, 1.07717006, 1.25120233, 1.42395676],
    ]
    assert np.allclose(next_h, expected_h, rtol=0, atol=1e-8)
    assert np.allclose(next_c, expected_c, rtol=0, atol=1e-8)


def test_lstm_of_the_notebook() -> None:
    N, D, H, T = 2, 5, 4, 3
    h, _ = lstm_forward(
        ramp(-0.4, 0.6, N, T, D),
        ramp(-0.4, 0.8, N, H),
        ramp(-0.2, 0.9, D, 4 * H),
        ramp(-0.3, 0.6, H, 4 * H),
        ramp(0.2, 0.7, 4 * H),
    )
    expected = [
        [
            [0.01764008, 0.01823233, 0.01882671, 0.0194232],
            [0.11287491, 0.12146228, 0.13018446, 0.13902939],
            [0.31358768, 0.33338627, 0.35304453, 0.37250975],
        ],
        [
            [0.45767879, 0.4761092, 0.4936887, 0.51041945],
            [0.6704845, 0.69350089, 0.71486014, 0.7346449],
            [0.81733511, 0.83677871, 0.85403753, 0.86935314],
        ],
    ]
    assert np.allclose(h, expected, rtol=0, atol=1e-8)


def test_word_embedding_of_the_notebook() -> None:
    out, _ = word_embedding_forward(np.array([[0, 3, 1, 2], [2, 1, 0, 3]]), ramp(0, 1, 5, 3))
    expected = [
        [
            [0.0, 0.07142857, 0.14285714],
            [0.64285714, 0.71428571, 0.78571429],
            [0.21428571, 0.28571429, 0.35714286],
            [0.42857143, 0.5, 0.57142857],
        ],
        [
            [0.42857143, 0.5, 0.57142857],
            [0.21428571, 0.28571429, 0.35714286],
            [0.0, 0.07142857, 0.14285714],
            [0.64285714, 0.71428571, 0.78571429],
        ],
    ]
    assert np.allclose(out, expected, rtol=0, atol=1e-8)


# ---------------------------------------------------------------------------------------- plain RNN


def test_one_set_of_weights_serves_all_steps() -> None:
    """The gradient of the shared weights is the sum of those of unrolled copies, one for each step."""
    x, h, Wx, Wh, b, dh = draw((2, 4, 3), (2, 5), (3, 5), (5, 5), (5,), (2, 4, 5))
    _, cache = rnn_forward(x, h, Wx, Wh, b)
    _, _, dWx, dWh, db = rnn_backward(dh, cache)
    caches = []
    for t in range(4):
        h, step = rnn_step_forward(x[:, t], h, Wx, Wh, b)
        caches.append(step)
    dprev, copies = np.zeros((2, 5)), []
    for t in reversed(range(4)):
        _, dprev, *of_copy = rnn_step_backward(dh[:, t] + dprev, caches[t])
        copies.append(of_copy)
    for shared, unrolled in zip((dWx, dWh, db), zip(*copies, strict=True), strict=True):
        assert np.allclose(shared, sum(unrolled), rtol=0, atol=1e-12)
        assert not np.allclose(shared, unrolled[0])


def test_an_early_input_reaches_late_states_and_never_the_other_way() -> None:
    x, h0, Wx, Wh, b = draw((1, 6, 2), (1, 3), (2, 3), (3, 3), (3,))
    h, _ = rnn_forward(x, h0, Wx, Wh, b)
    x[0, 3] += 1
    moved, _ = rnn_forward(x, h0, Wx, Wh, b)
    assert np.array_equal(moved[0, :3], h[0, :3])
    assert (np.abs(moved[0, 3:] - h[0, 3:]).max(axis=1) > 0).all()


def test_an_image_in_every_step_is_a_bias_of_each_sample() -> None:
    """tanh(x Wx + h Wh + v Wv + b), written out."""
    x, h, Wx, Wh, b, v, Wv = draw((2, 3, 4), (2, 5), (4, 5), (5, 5), (5,), (2, 6), (6, 5))
    with_image, _ = rnn_forward(x, h, Wx, Wh, v @ Wv + b)
    for t in range(3):
        h = np.tanh(x[:, t] @ Wx + h @ Wh + v @ Wv + b)
        assert np.allclose(with_image[:, t], h, rtol=0, atol=1e-12)


# --------------------------------------------------------------------------------------------- LSTM


def gates_held(i: float, f: float, H: int = 3) -> np.ndarray:
    """A bias that holds the gates i and f open (1) or shut (0), the others in the middle."""
    far = {0.0: -800.0, 1.0: 800.0}
    return np.repeat([far[i], far[f], 0.0, 0.5], H)


def test_a_cell_that_forgets_nothing_and_takes_nothing_keeps_every_bit() -> None:
    x, h0, c0 = draw((2, 50, 4), (2, 3), (2, 3))
    weights = np.zeros((4, 12)), np.zeros((3, 12))
    _, c, cache = lstm_sequence_forward(x, h0, c0, *weights, gates_held(i=0.0, f=1.0))
    assert np.array_equal(c, c0)
    assert np.array_equal(lstm_sequence_backward(np.zeros((2, 50, 3)), np.ones((2, 3)), cache)[2], np.ones((2, 3)))


def test_a_cell_that_forgets_all_knows_the_last_input_only() -> None:
    x, h0, c0 = draw((2, 5, 4), (2, 3), (2, 3))
    weights = np.zeros((4, 12)), np.zeros((3, 12))
    _, c, _ = lstm_sequence_forward(x, h0, c0, *weights, gates_held(i=1.0, f=0.0))
    assert np.allclose(c, np.tanh(0.5), rtol=0, atol=1e-15)


def test_the_gradient_along_the_cell_is_the_product_of_the_forget_gates() -> None:
    x, h0, c0, Wx, b = draw((2, 6, 4), (2, 3), (2, 3), (4, 12), (12,))
    _, _, cache = lstm_sequence_forward(x, h0, c0, Wx, np.zeros((3, 12)), b)
    dc0 = lstm_sequence_backward(np.zeros((2, 6, 3)), np.ones((2, 3)), cache)[2]
    forget = 1 / (1 + np.exp(-(x @ Wx + b)[:, :, 3:6]))  # i, f, o, g
    assert np.allclose(dc0, forget.prod(axis=1), rtol=0, atol=1e-14)


def test_a_step_with_two_outputs_takes_two_gradients() -> None:
    """By the cell alone, nothing reaches the output gate."""
    arguments = draw((2, 4), (2, 3), (2, 3), (4, 12), (3, 12), (12,))
    *_, cache = lstm_step_forward(*arguments)
    db = lstm_step_backward(np.zeros((2, 3)), np.ones((2, 3)), cache)[5]
    assert not db[6:9].any()
    assert db[:6].all() and db[9:].all()


def test_saturated_gates_overflow_nowhere() -> None:
    x, h0 = np.full((1, 3, 2), 1e5, np.float32), np.zeros((1, 2), np.float32)
    Wx, Wh, b = np.full((2, 8), 1e5, np.float32), np.ones((2, 8), np.float32), np.zeros(8, np.float32)
    for sign in (1, -1):
        h, cache = lstm_forward(sign * x, h0, Wx, Wh, b)
        assert np.isfinite(h).all()
        assert all(np.isfinite(gradient).all() for gradient in lstm_backward(np.ones_like(h), cache))


# ---------------------------------------------------------------------------------------------- GRU


def test_a_gru_whose_gate_is_open_keeps_every_bit() -> None:
    x, h0 = draw((2, 50, 4), (2, 3))
    b = np.repeat([0.0, 800.0, 0.3, 0.2], 3)  # r, z, n, m
    h, _ = gru_forward(x, h0, np.zeros((4, 9)), np.zeros((3, 9)), b)
    assert np.array_equal(h, np.repeat(h0[:, None], 50, axis=1))


def test_a_gru_that_resets_does_not_hear_its_state() -> None:
    x, h0, Wx, Wh = draw((2, 1, 4), (2, 3), (4, 9), (3, 9))
    Wh[:, :6] = 0
    b = np.repeat([-800.0, -800.0, 0.1, 5.0], 3)
    h, _ = gru_forward(x, h0, 0 * Wx + np.repeat([0, 0, 1.0], 3) * Wx, Wh, b)
    assert np.allclose(h[:, 0], np.tanh(x[:, 0] @ Wx[:, 6:] + 0.1), rtol=0, atol=1e-14)


# -------------------------------------------------------------------------------------------- edges

SEQUENCES: dict[str, tuple[Any, Any, int, int]] = {
    "rnn": (rnn_forward, rnn_backward, 1, 1),
    "lstm": (lstm_forward, lstm_backward, 4, 4),
    "gru": (gru_forward, gru_backward, 3, 4),
}


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize(("N", "T"), [(0, 3), (2, 0), (1, 1)])
def test_nothing_is_no_reason_to_stop(name: str, N: int, T: int) -> None:
    forward, backward, gates, biases = SEQUENCES[name]
    arguments = draw((N, T, 3), (N, 2), (3, 2 * gates), (2, 2 * gates), (2 * biases,))
    h, cache = forward(*arguments)
    assert h.shape == (N, T, 2)
    assert [g.shape for g in backward(np.ones_like(h), cache)] == [a.shape for a in arguments]


@pytest.mark.parametrize("name", SEQUENCES)
def test_outputs_may_be_written_to_before_going_back(name: str) -> None:
    """A layer after it that works in place must not spoil the gradient."""
    forward, backward, gates, biases = SEQUENCES[name]
    h, cache = forward(*draw((2, 3, 3), (2, 2), (3, 2 * gates), (2, 2 * gates), (2 * biases,)))
    before = backward(np.ones_like(h), cache)
    h[:] = 7
    for first, second in zip(before, backward(np.ones_like(h), cache), strict=True):
        assert np.array_equal(first, second)


@pytest.mark.parametrize("name", SEQUENCES)
def test_samples_do_not_hear_each_other(name: str) -> None:
    forward, _, gates, biases = SEQUENCES[name]
    x, h0, *weights = draw((3, 4, 3), (3, 2), (3, 2 * gates), (2, 2 * gates), (2 * biases,))
    together, _ = forward(x, h0, *weights)
    for n in range(3):
        alone, _ = forward(x[n : n + 1], h0[n : n + 1], *weights)
        assert np.allclose(together[n], alone[0], rtol=0, atol=1e-14)


def test_what_does_not_fit_is_named() -> None:
    x, h0, Wx, Wh, b = draw((2, 3, 4), (2, 5), (4, 20), (5, 20), (20,))
    cases = [
        ((x[0], h0, Wx, Wh, b), "lstm: x must be (N, T, D), got (3, 4)."),
        (
            (x, h0[:1], Wx, Wh, b),
            "lstm: x (2, 3, 4) has 2 samples and Wh (5, 20) is for 5 units, so h0 must be (2, 5), got (1, 5).",
        ),
        ((x, h0, Wx[:3], Wh, b), "lstm: with 5 units Wx must be (4, 20), got (3, 20)."),
        ((x, h0, Wx, Wh[:, :15], b), "lstm: with 5 units Wh must be (5, 20), got (5, 15)."),
        (
            (x, h0, Wx, Wh, b[:5]),
            "lstm: with 5 units b must be (20,), or (2, 20) for one bias a sample, got (5,).",
        ),
    ]
    for arguments, message in cases:
        with pytest.raises(DataError) as caught:
            lstm_forward(*arguments)
        assert str(caught.value) == message
    with pytest.raises(DataError) as caught:
        gru_step_forward(x, h0, Wx[:, :15], Wh[:, :15], b)
    assert str(caught.value) == "gru_step: x must be (N, D), got (2, 3, 4)."


# ------------------------------------------------------------------------ embedding, temporal affine


def test_looking_up_is_multiplying_with_one_hot_rows() -> None:
    rng = np.random.default_rng(0)
    words, table = rng.integers(0, 7, (4, 5)), rng.standard_normal((7, 3))
    assert np.array_equal(one_hot(words, 7) @ table, word_embedding_forward(words, table)[0])
    assert np.array_equal(one_hot(words, 7).sum(axis=-1), np.ones((4, 5)))


def test_a_word_said_twice_is_learnt_twice() -> None:
    words, table = np.array([[1, 3, 1], [1, 0, 3]]), np.zeros((5, 2))
    dW = word_embedding_backward(np.ones((2, 3, 2)), word_embedding_forward(words, table)[1])
    assert dW.tolist() == [[1, 1], [3, 3], [0, 0], [2, 2], [0, 0]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (np.array([[0, 5]]), "word_embedding: words must be 0 to 4 for a table (5, 2), got 5."),
        (np.array([[-1, 0]]), "word_embedding: words must be 0 to 4 for a table (5, 2), got -1."),
        (np.array([[0.0]]), "word_embedding: words must be integers, got float64."),
    ],
)
def test_unknown_words_are_refused(words: np.ndarray, message: str) -> None:
    with pytest.raises(DataError) as caught:
        word_embedding_forward(words, np.zeros((5, 2)))
    assert str(caught.value) == message


def test_temporal_affine_is_for_sequences() -> None:
    x, w, b = draw((0, 3, 4), (4, 5), (5,))
    assert temporal_affine_forward(x, w, b)[0].shape == (0, 3, 5)
    with pytest.raises(DataError) as caught:
        temporal_affine_forward(np.ones((3, 4)), w, b)
    assert str(caught.value) == "temporal_affine: x must be (N, T, D), got (3, 4)."
