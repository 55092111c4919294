"""Dead units are found, and their cause is named where it can be told."""

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.checks.dead_units import DeadUnit, find_dead_units
from pellucid.scratch.layers.affine import affine_backward, affine_forward


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((64, 5)), rng.standard_normal((5, 7)), np.zeros(7)


def test_a_healthy_layer_has_none() -> None:
    assert find_dead_units(*data()) == []


def test_a_planted_one_is_found_and_gets_no_gradient() -> None:
    x, w, b = data()
    b[3] = -50
    (found,) = find_dead_units(x, w, b, w, b)
    assert (found.unit, found.cause, found.part) == (3, "initialisation", "bias")
    assert found.highest < -30
    z, cache = affine_forward(x, w, b)
    _, dw, db = affine_backward(relu_backward(np.ones_like(z), z), cache)
    assert not dw[:, 3].any()
    assert db[3] == 0
    assert relu_forward(z)[0][:, 3].max() == 0


def test_weights_are_blamed_where_the_bias_is_not_at_fault() -> None:
    x, w, b = data()
    x, w[:, 2] = np.abs(x), -1.0  # pictures without the mean taken off, and weights of one sign
    found = {each.unit: each for each in find_dead_units(x, w, b, w, b)}
    assert (found[2].cause, found[2].part) == ("initialisation", "weights")


def test_a_step_that_was_too_long_is_named() -> None:
    """One step of gradient descent towards a target of 0: at a small rate all live, at a huge one units die."""
    x, w, b = data()
    x[:, 0] = 3  # a feature that is always on
    z, cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(z)
    _, dw, db = affine_backward(relu_backward(out / len(x), relu_cache), cache)
    assert find_dead_units(x, w - 0.01 * dw, b - 0.01 * db, w, b) == []
    found = find_dead_units(x, w - 10 * dw, b - 10 * db, w, b)
    assert found
    assert {each.cause for each in found} == {"learning rate"}


def test_without_the_first_weights_the_cause_is_not_guessed() -> None:
    x, w, b = data()
    b[3] = -50
    (found,) = find_dead_units(x, w, b)
    assert found.cause == "unknown"
    assert found.part == "bias"


def test_an_input_of_exactly_zero_does_not_fire_and_a_small_one_does() -> None:
    x, zero, one = np.ones((2, 1)), np.zeros((1, 1)), np.zeros(1)
    assert find_dead_units(x, zero, one) == [DeadUnit(0, 0.0, "unknown", "weights")]
    assert find_dead_units(x, zero, one, zero, one) == [DeadUnit(0, 0.0, "initialisation", "weights")]
    assert find_dead_units(x, zero, one, zero + 1e-9, one) == [DeadUnit(0, 0.0, "learning rate", "weights")]
    assert find_dead_units(x, zero + 1e-9, one) == []


def test_the_sentence_says_what_to_do() -> None:
    assert DeadUnit(3, -46.25, "learning rate", "bias").sentence() == (
        "Unit 3 never fires: its input is at most -46.2, by its bias. "
        "Cause: learning rate; lower the learning rate or clip the gradients."
    )


def test_what_cannot_be_asked_is_said() -> None:
    x, w, b = data()
    with pytest.raises(DataError) as caught:
        find_dead_units(x[:0], w, b)
    assert str(caught.value) == "dead units: x holds no samples, so no unit could fire."
    with pytest.raises(DataError) as caught:
        find_dead_units(x, w, b, w)
    assert str(caught.value) == "dead units: give both w_start and b_start, or neither."
