"""Worked numbers of the activations, what each is known for, and their far ends."""

from collections.abc import Callable
from math import e, erfc, pi, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.activations.crelu import crelu_backward, crelu_forward
from pellucid.scratch.activations.elu import elu_forward
from pellucid.scratch.activations.erf import erf as our_erf
from pellucid.scratch.activations.erf import erfc as our_erfc
from pellucid.scratch.activations.gelu import gelu_backward, gelu_forward
from pellucid.scratch.activations.hard_sigmoid import hard_sigmoid_forward
from pellucid.scratch.activations.hard_swish import hard_swish_forward
from pellucid.scratch.activations.leaky_relu import leaky_relu_backward, leaky_relu_forward
from pellucid.scratch.activations.maxout import maxout_backward, maxout_forward
from pellucid.scratch.activations.prelu import prelu_backward, prelu_forward
from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.activations.relu6 import relu6_backward, relu6_forward
from pellucid.scratch.activations.selu import ALPHA, SCALE, selu_forward
from pellucid.scratch.activations.sigmoid import sigmoid, sigmoid_backward, sigmoid_forward
from pellucid.scratch.activations.swish import swish_backward, swish_forward
from pellucid.scratch.activations.table import ACTIVATIONS, Activation
from pellucid.scratch.activations.tanh import tanh_forward


def slope(forward: Callable[..., Any], backward: Callable[..., Any], x: np.ndarray, *settings: Any) -> np.ndarray:
    out, cache = forward(x, *settings)
    return backward(np.ones_like(out), cache)


def normal(n: int = 200_000) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(n)


# ------------------------------------------------------------------------------------------ worked numbers


def test_the_sigmoid_saturates_at_ten_and_is_steepest_at_zero() -> None:
    """4.5398e-5, given for the slope at -10 too, is the value: the slope is smaller by that value, relatively."""
    x = np.array([-10.0, 0.0, 10.0])
    np.testing.assert_allclose(slope(sigmoid_forward, sigmoid_backward, x), [4.5396e-5, 0.25, 4.5396e-5], rtol=1e-5)
    np.testing.assert_allclose(sigmoid(x), [4.5398e-5, 0.5, 0.9999546], rtol=1e-5)


def test_the_sigmoid_has_all_its_digits_where_exp_overflows() -> None:
    np.testing.assert_array_equal(sigmoid(np.array([-1000.0, 1000.0, -np.inf, np.inf])), [0, 1, 0, 1])
    np.testing.assert_allclose(sigmoid(np.array([-700.0, -40.0])), np.exp([-700.0, -40.0]), rtol=1e-15)


@given(st.floats(-700, 700))
def test_the_sigmoid_mirrored_is_one_minus_itself_and_tanh_is_one_stretched(x: float) -> None:
    at = np.array([x])
    np.testing.assert_allclose(sigmoid(-at), 1 - sigmoid(at), rtol=0, atol=1e-15)
    np.testing.assert_allclose(tanh_forward(at)[0], 2 * sigmoid(2 * at) - 1, rtol=0, atol=4e-16)


def test_tanh_is_centred_and_the_sigmoid_is_not() -> None:
    x = np.concatenate([normal(), -normal()])
    assert abs(tanh_forward(x)[0].mean()) < 1e-12
    assert sigmoid(x).mean() == pytest.approx(0.5)


def test_relu_gives_the_numbers_of_the_course() -> None:
    out, _ = relu_forward(np.linspace(-0.5, 0.5, num=12).reshape(3, 4))
    expected = [[0, 0, 0, 0], [0, 0, 0.04545455, 0.13636364], [0.22727273, 0.31818182, 0.40909091, 0.5]]
    np.testing.assert_allclose(out, expected, rtol=0, atol=5e-9)


def test_the_gradient_of_relu_is_zero_left_of_zero() -> None:
    """Some notes call ReLU never saturated, and its gradient never 0: on the left it is exactly that."""
    x = np.array([-1000.0, -3.0, -1e-300, 0.0, 1e-300, 3.0, 1000.0])
    np.testing.assert_array_equal(slope(relu_forward, relu_backward, x), [0, 0, 0, 0, 1, 1, 1])


def test_leaky_relu_is_the_larger_of_two_lines() -> None:
    x = np.linspace(-3, 3, 13)
    np.testing.assert_array_equal(leaky_relu_forward(x, 0.1)[0], np.maximum(0.1 * x, x))
    np.testing.assert_array_equal(leaky_relu_forward(x)[0], np.maximum(0.01 * x, x))
    np.testing.assert_array_equal(slope(leaky_relu_forward, leaky_relu_backward, np.array([-2.0, 2.0]), 0.1), [0.1, 1])
    np.testing.assert_array_equal(leaky_relu_forward(x, 0.0)[0], relu_forward(x)[0])
    np.testing.assert_array_equal(leaky_relu_forward(x, 1.0)[0], x)


def test_prelu_learns_one_slope_a_channel() -> None:
    x = np.array([[[1.0, -2.0]], [[-3.0, -4.0]]]).swapaxes(1, 2)  # (2, 2, 1): channels (1, −3), (−2, −4)
    out, cache = prelu_forward(x, np.array([0.1, 0.5]))
    np.testing.assert_allclose(out.ravel(), [1, -1, -0.3, -2])
    dx, dalpha = prelu_backward(np.ones_like(out), cache)
    np.testing.assert_allclose(dx.ravel(), [1, 0.5, 0.1, 0.5])
    np.testing.assert_allclose(dalpha, [-3, -6])


def test_prelu_with_one_slope_is_leaky_relu() -> None:
    x = normal(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(prelu_forward(x, np.array([0.1]))[0], leaky_relu_forward(x, 0.1)[0])
    _, dalpha = prelu_backward(np.ones_like(x), prelu_forward(x, np.array([0.1]))[1])
    np.testing.assert_allclose(dalpha, [x[x < 0].sum()])


def test_elu_draws_the_mean_to_zero() -> None:
    x = normal()
    relu_mean, elu_mean = relu_forward(x)[0].mean(), elu_forward(x)[0].mean()
    assert relu_mean == pytest.approx(1 / sqrt(2 * pi), abs=0.003)
    assert elu_mean == pytest.approx(1 / sqrt(2 * pi) + sqrt(e) * erfc(1 / sqrt(2)) / 2 - 0.5, abs=0.003)
    assert abs(elu_mean) < relu_mean / 2


def test_the_constants_of_selu_solve_their_two_equations() -> None:
    below, twice_below = erfc(1 / sqrt(2)) / 2, erfc(2 / sqrt(2)) / 2  # Φ(−1), Φ(−2)
    alpha = 1 / (sqrt(2 * pi) * (0.5 - sqrt(e) * below))
    scale = (0.5 + alpha**2 * (e**2 * twice_below - 2 * sqrt(e) * below + 0.5)) ** -0.5
    assert pytest.approx(alpha, rel=1e-14) == ALPHA
    assert pytest.approx(scale, rel=1e-14) == SCALE


def test_selu_keeps_mean_and_variance_of_normal_numbers() -> None:
    out, _ = selu_forward(normal())
    assert out.mean() == pytest.approx(0, abs=0.005)
    assert out.var() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_a_selu_net_of_twenty_layers_keeps_its_deviation(seed: int) -> None:
    """500 units a layer, weights of variance 1/500, no normalisation."""
    rng = np.random.default_rng(seed)
    h, found = rng.standard_normal((256, 500)), []
    for _ in range(20):
        h, _ = selu_forward(h @ (rng.standard_normal((500, 500)) / sqrt(500)))
        found.append(h.std())
    assert 0.99 <= min(found) <= max(found) <= 1.019


def test_relu_in_place_of_selu_does_not() -> None:
    rng = np.random.default_rng(0)
    h = rng.standard_normal((256, 500))
    for _ in range(20):
        h, _ = relu_forward(h @ (rng.standard_normal((500, 500)) / sqrt(500)))
    assert h.std() < 1e-2


# ------------------------------------------------------------------------------------------------- maxout


def test_maxout_with_one_piece_zero_is_relu() -> None:
    rng = np.random.default_rng(0)
    x, w, b, dout = (rng.standard_normal(shape) for shape in [(6, 3), (3, 5), (5,), (6, 5)])
    z = x @ w + b
    out, cache = maxout_forward(x, np.stack([w, np.zeros_like(w)]), np.stack([b, np.zeros_like(b)]))
    np.testing.assert_allclose(out, relu_forward(z)[0])
    dx, dw, db = maxout_backward(dout, cache)
    dz = relu_backward(dout, z)
    np.testing.assert_allclose(dx, dz @ w.T)
    np.testing.assert_allclose(dw[0], x.T @ dz)
    np.testing.assert_allclose(db[0], dz.sum(axis=0))


def test_maxout_on_a_tie_sends_the_gradient_once() -> None:
    out, cache = maxout_forward(np.ones((1, 1)), np.ones((3, 1, 1)), np.zeros((3, 1)))
    dx, dw, db = maxout_backward(np.ones_like(out), cache)
    assert dx.item() == 1
    assert dw.ravel().tolist() == db.ravel().tolist() == [1, 0, 0]


# ----------------------------------------------------------------------------------- crelu, swish and others


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4, 5), (1, 1), (0, 3)])
def test_crelu_doubles_the_channels_and_loses_nothing(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    out, cache = crelu_forward(x)
    assert out.shape == (shape[0], 2 * shape[1], *shape[2:])
    kept, turned = np.split(out, 2, axis=1)
    np.testing.assert_array_equal(kept + turned, np.abs(x))
    np.testing.assert_array_equal(kept - turned, x)
    np.testing.assert_array_equal(np.abs(crelu_backward(np.ones_like(out), cache)), np.ones_like(x))


def test_swish_lies_between_half_of_x_and_relu() -> None:
    x = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(swish_forward(x, 0.0)[0], x / 2)
    np.testing.assert_allclose(swish_forward(x, 1e4)[0], relu_forward(x)[0], atol=1e-12)
    np.testing.assert_allclose(swish_forward(x)[0], x * special.expit(x), rtol=1e-14)


def test_swish_learns_beta_in_the_shape_it_has() -> None:
    for beta in (np.ones(1), np.array(1.0), 1.0):
        out, cache = swish_forward(np.ones((2, 3)), beta)
        _, dbeta = swish_backward(np.ones_like(out), cache)
        assert dbeta.shape == np.shape(beta)
        assert dbeta.item() == pytest.approx(6 * special.expit(1) * special.expit(-1))


def test_relu6_stays_at_six_above_six() -> None:
    """Some notes say that it is 0 there: that is the gradient."""
    x = np.array([-1.0, 0.0, 5.9, 6.0, 6.1, 1000.0])
    np.testing.assert_array_equal(relu6_forward(x)[0], [0, 0, 5.9, 6, 6, 6])
    np.testing.assert_array_equal(slope(relu6_forward, relu6_backward, x), [0, 0, 1, 0, 0, 0])


def test_the_hard_sigmoid_meets_its_three_points() -> None:
    out, _ = hard_sigmoid_forward(np.array([-3.0, 0.0, 3.0]))
    np.testing.assert_array_equal(out, [0, 0.5, 1])


def test_how_far_the_hard_ones_are_from_the_smooth_ones() -> None:
    x = np.linspace(-10, 10, 20001)
    gate = np.abs(hard_sigmoid_forward(x)[0] - sigmoid(x))
    assert gate.max() == pytest.approx(0.0692, abs=5e-5)
    assert abs(x[gate.argmax()]) == pytest.approx(1.32, abs=0.01)
    product = np.abs(hard_swish_forward(x)[0] - swish_forward(x)[0])
    assert product.max() == pytest.approx(3 - 3 * special.expit(3))  # 0.1423, at ±3
    assert hard_swish_forward(x)[0].min() == hard_swish_forward(np.array([-1.5]))[0].item() == -0.375


# ---------------------------------------------------------------------------------------------- gelu and erf


def test_gelu_is_x_times_the_normal_distribution() -> None:
    x = np.linspace(-30, 30, 6001)
    np.testing.assert_allclose(gelu_forward(x)[0], x * special.ndtr(x), rtol=1e-12, atol=0)
    assert gelu_forward(np.array([0.0, 1.0]))[0].tolist() == pytest.approx([0, 0.8413447460685429])


def test_the_two_forms_of_gelu_are_close() -> None:
    x = np.linspace(-10, 10, 20001)
    gap = np.abs(gelu_forward(x)[0] - gelu_forward(x, "tanh")[0])
    assert 4.7e-4 < gap.max() < 4.74e-4
    assert gelu_forward(x)[0].min() == pytest.approx(-0.16997, abs=1e-5)


def test_erf_and_erfc_are_those_of_scipy() -> None:
    x = np.concatenate([np.linspace(-10, 10, 20001), [0.46875, -0.46875, 4, -4, 1e-300, -1000, 1000, np.inf, -np.inf]])
    np.testing.assert_allclose(our_erf(x), special.erf(x), rtol=4e-16, atol=4e-16)
    np.testing.assert_allclose(our_erfc(x), special.erfc(x), rtol=1e-13, atol=0)
    assert np.isnan(our_erf(np.array([np.nan]))).all()
    assert our_erf(np.array(0.5)).shape == ()


@given(st.floats(-30, 30))
def test_erf_is_odd_and_erfc_its_complement(x: float) -> None:
    at = np.array([x])
    assert our_erf(-at) == -our_erf(at)
    np.testing.assert_allclose(our_erf(at) + our_erfc(at), 1, rtol=4e-16)


# ---------------------------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
class TestEveryEntryOfTheTable:
    def test_is_finite_far_out_and_says_nothing(self, activation: Activation) -> None:
        x = np.array([-1000.0, -30.0, 0.0, 30.0, 1000.0])
        for kind in (np.float64, np.float32):
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                out, cache = activation.forward(x.astype(kind))
                dx = activation.backward(np.ones(5, kind), cache)
            assert np.isfinite(out).all()
            assert np.isfinite(dx).all()
            assert out.dtype == dx.dtype == kind

    @pytest.mark.parametrize("shape", [(1,), (0,), (0, 4), (1, 1), (3, 5), (2, 3, 1, 7)])
    def test_works_entry_by_entry_on_any_shape(self, activation: Activation, shape: tuple[int, ...]) -> None:
        x = np.asarray(np.random.default_rng(0).standard_normal(shape))
        out, cache = activation.forward(x)
        dx = activation.backward(np.asarray(2 * np.ones(shape)), cache)
        assert out.shape == dx.shape == shape
        one_by_one = [activation.forward(np.array([value])) for value in x.ravel()]
        np.testing.assert_array_equal(out.ravel(), [each.item() for each, _ in one_by_one])
        slopes = [activation.backward(np.array([2.0]), cache).item() for _, cache in one_by_one]
        np.testing.assert_array_equal(dx.ravel(), slopes)


# ------------------------------------------------------------------------------------------------- messages


def test_an_unknown_form_of_gelu_is_said_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        gelu_forward(np.ones(2), "tan")
    assert str(caught.value) == "Unknown form of GELU 'tan'. Did you mean 'tanh'? Choose from: none, tanh."


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: prelu_forward(np.ones((2, 3)), np.ones(2)),
            "prelu: alpha must be (1,) or (3,), one a channel, for x (2, 3); got (2,).",
        ),
        (lambda: prelu_forward(np.ones(2), np.ones(2)), "prelu: alpha must be (1,), for x (2,); got (2,)."),
        (lambda: crelu_forward(np.ones(3)), "crelu: x must have channels, (N, C, ...), got (3,)."),
        (
            lambda: maxout_forward(np.ones((2, 3)), np.ones((2, 4, 5)), np.ones((2, 5))),
            "maxout: x (2, 3) has 3 numbers a sample, so w must be (k, 3, M), got (2, 4, 5).",
        ),
        (
            lambda: maxout_forward(np.ones((2, 3)), np.ones((2, 3, 5)), np.ones(5)),
            "maxout: w (2, 3, 5) needs b (2, 5), got (5,).",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_said(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        call()
    assert str(caught.value) == message


def test_gelu_backward_takes_what_either_form_left() -> None:
    x = np.array([0.7])
    for form in ("none", "tanh"):
        out, cache = gelu_forward(x, form)
        moved = gelu_forward(x + 1e-6, form)[0]
        assert gelu_backward(np.ones(1), cache).item() == pytest.approx((moved - out).item() / 1e-6, rel=1e-5)
