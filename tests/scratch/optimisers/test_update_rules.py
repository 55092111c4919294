"""The update rules: the course's check values, step sizes under a constant gradient, and who decays what."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from pellucid.core.errors import DataError
from pellucid.scratch.checks.numerical import rel_error
from pellucid.scratch.optimisers.adagrad import adagrad
from pellucid.scratch.optimisers.adam import adam, adam_uncorrected
from pellucid.scratch.optimisers.adamw import adamw
from pellucid.scratch.optimisers.momentum import sgd_momentum, sgd_momentum_unscaled
from pellucid.scratch.optimisers.nesterov import nesterov_step, sgd_nesterov
from pellucid.scratch.optimisers.rmsprop import rmsprop
from pellucid.scratch.optimisers.sgd import sgd
from pellucid.scratch.optimisers.table import RULES


def course(low: float, high: float) -> np.ndarray:
    """The course's inputs: evenly spaced, (4, 5)."""
    return np.linspace(low, high, 20).reshape(4, 5)


def sizes(rule: Callable[..., Any], steps: int, gradient: float = 1.0, **config: Any) -> np.ndarray:
    """Lengths of the steps under a constant gradient, over the learning rate."""
    w, state, found = np.zeros(1), {"learning_rate": 0.1, **config}, []
    for _ in range(steps):
        new, state = rule(w, np.full(1, gradient), state)
        found.append(float((w - new)[0]) / 0.1)
        w = new
    return np.array(found)


# ------------------------------------------------------------------- the course's check values, to its 8 digits


def test_momentum_as_the_course_checks_it() -> None:
    config = {"learning_rate": 1e-3, "velocity": course(0.6, 0.9)}
    w, config = sgd_momentum(course(-0.4, 0.6), course(-0.6, 0.4), config)
    # affine inputs give affine outputs, so that the ends say everything
    assert rel_error(w, course(0.1406, 1.4096)) < 1e-8
    assert rel_error(config["velocity"], course(0.5406, 0.8096)) < 1e-8


def test_rmsprop_as_the_course_checks_it() -> None:
    w, config = rmsprop(course(-0.4, 0.6), course(-0.6, 0.4), {"learning_rate": 1e-2, "cache": course(0.6, 0.9)})
    expected = [
        [-0.39223849, -0.34037513, -0.28849239, -0.23659121, -0.18467247],
        [-0.132737, -0.08078555, -0.02881884, 0.02316247, 0.07515774],
        [0.12716641, 0.17918792, 0.23122175, 0.28326742, 0.33532447],
        [0.38739248, 0.43947102, 0.49155973, 0.54365823, 0.59576619],
    ]
    cache = [
        [0.5976, 0.6126277, 0.6277108, 0.64284931, 0.65804321],
        [0.67329252, 0.68859723, 0.70395734, 0.71937285, 0.73484377],
        [0.75037008, 0.7659518, 0.78158892, 0.79728144, 0.81302936],
        [0.82883269, 0.84469141, 0.86060554, 0.87657507, 0.8926],
    ]
    assert rel_error(w, np.array(expected)) < 1e-6
    assert rel_error(config["cache"], np.array(cache)) < 1e-7


def test_adam_as_the_course_checks_it() -> None:
    config = {"learning_rate": 1e-2, "m": course(0.6, 0.9), "v": course(0.7, 0.5), "t": 5}
    w, config = adam(course(-0.4, 0.6), course(-0.6, 0.4), config)
    expected = [
        [-0.40094747, -0.34836187, -0.29577703, -0.24319299, -0.19060977],
        [-0.1380274, -0.08544591, -0.03286534, 0.01971428, 0.0722929],
        [0.1248705, 0.17744702, 0.23002243, 0.28259667, 0.33516969],
        [0.38774145, 0.44031188, 0.49288093, 0.54544852, 0.59801459],
    ]
    assert rel_error(w, np.array(expected)) < 1e-6
    assert rel_error(config["m"], course(0.48, 0.85)) < 1e-8
    assert rel_error(config["v"][0], np.array([0.69966, 0.68908382, 0.67851319, 0.66794809, 0.65738853])) < 1e-7
    assert config["t"] == 6


# ---------------------------------------------------------------------------------- the sign, and what it costs


def test_the_minus_descends_and_the_plus_climbs() -> None:
    """On ½ w² with rate 0.1 each step multiplies w by 0.9; with the sign of the notes' listing, by 1.1."""
    w = np.array([2.0])
    down, _ = sgd(w, w, {"learning_rate": 0.1})
    up = w + 0.1 * w
    assert down[0] == pytest.approx(0.9 * 2)
    assert down[0] ** 2 < w[0] ** 2 < up[0] ** 2


# ------------------------------------------------------------------------------------------------- momentum


@pytest.mark.parametrize(("rho", "factor"), [(0.9, 10), (0.99, 100)])
def test_terminal_speed(rho: float, factor: float) -> None:
    for rule in (sgd_momentum, sgd_momentum_unscaled, sgd_nesterov):
        assert sizes(rule, 3000, momentum=rho)[-1] == pytest.approx(factor, rel=1e-9)


def test_a_gradient_that_flips_is_damped() -> None:
    """Step t is the sum of (-rho)^k: it tends to 1 / (1 + rho), about half of a plain step."""
    w, config = np.zeros(1), {"learning_rate": 1.0}
    for t in range(400):
        new, config = sgd_momentum(w, np.full(1, (-1.0) ** t), config)
        step, w = abs(float((new - w)[0])), new
    assert step == pytest.approx(1 / 1.9)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_both_forms_walk_the_same_path(rho: float) -> None:
    rng = np.random.default_rng(0)
    first = second = rng.standard_normal((3, 2))
    one, two = ({"learning_rate": 0.05, "momentum": rho} for _ in range(2))
    for _ in range(30):
        noise = rng.standard_normal((3, 2))
        first, one = sgd_momentum(first, first + noise, one)
        second, two = sgd_momentum_unscaled(second, second + noise, two)
        assert np.allclose(first, second, rtol=0, atol=1e-13)
        assert np.allclose(one["velocity"], -0.05 * two["velocity"], rtol=0, atol=1e-13)


@pytest.mark.parametrize("rule", [sgd_momentum, sgd_momentum_unscaled, sgd_nesterov])
def test_without_momentum_it_is_sgd(rule: Callable[..., Any]) -> None:
    w, dw = np.array([1.0, -2.0]), np.array([0.3, 0.4])
    config: dict[str, Any] = {"momentum": 0.0}
    for _ in range(3):
        stepped, config = rule(w, dw, config)
        assert np.array_equal(stepped, sgd(w, dw)[0])


CURVATURE = np.array([50.0, 1.0])  # a valley 50 times as steep across (first) as along (second)


def valley_path(rate: float, rho: float, steps: int = 60) -> np.ndarray:
    """Points of momentum's way from (1, 1)."""
    w, config = np.array([1.0, 1.0]), {"learning_rate": rate, "momentum": rho}
    points = [w]
    for _ in range(steps):
        w, config = sgd_momentum(w, CURVATURE * w, config)
        points.append(w)
    return np.array(points)


def test_why_momentum_zigzags_less() -> None:
    """Direction by direction: what the velocity sums up cancels across the valley and adds along it."""
    rate = 1.95 / 50  # just below the limit 2 / 50: across, every plain step lands on the other side
    plain = valley_path(rate, 0.0)
    gradients = CURVATURE * plain[:-1]
    assert (np.sign(gradients[1:, 0]) == -np.sign(gradients[:-1, 0])).all()  # across, each step flips the sign
    assert (gradients[:, 1] > 0).all()  # along, all agree

    velocity, config = [], {"learning_rate": rate, "momentum": 0.9, "velocity": np.zeros(2)}
    for gradient in gradients:  # the trace: the same gradients, summed by momentum
        sgd_momentum(np.zeros(2), gradient, config)
        velocity.append(config["velocity"])
    ages = 0.9 ** np.arange(60)[::-1, None]
    assert np.allclose(velocity[-1], -rate * (ages * gradients).sum(0))
    longer = np.abs(velocity[20]) / np.abs(rate * gradients[20])  # than the plain step of that moment
    assert longer[0] < 0.7  # across: the flips cancel
    assert longer[1] > 8  # along: they add up

    own = valley_path(rate, 0.9)
    flips = [int((np.diff(np.sign(path[:31, 0])) != 0).sum()) for path in (plain, own)]
    assert flips[0] == 30
    assert flips[1] <= 16  # half as many
    assert abs(own[15, 1]) < abs(plain[15, 1])  # and further along


def test_momentum_bears_a_larger_learning_rate() -> None:
    """Across the valley plain descent is stable below 2 / 50, momentum below 2 (1 + rho) / 50."""
    assert abs(valley_path(2.1 / 50, 0.0)[-1, 0]) > 100
    assert abs(valley_path(3.6 / 50, 0.9, 400)[-1, 0]) < 1e-3
    assert abs(valley_path(3.9 / 50, 0.9, 400)[-1, 0]) > 100


def test_momentum_overshoots() -> None:
    """On ½ w² momentum is a spring with friction: it swings to the far side, and the more the less friction there is.

    w_t solves w_{t+1} = (1 + rho - lr) w_t - rho w_{t-1}, whose roots have modulus √rho and the angle below: half a
    turn takes pi / angle steps, and the swing has then shrunk by √rho to that power.
    """
    lowest = {}
    for rho in (0.0, 0.9, 0.99):
        w, config, path = np.array([1.0]), {"learning_rate": 0.01, "momentum": rho}, []
        for _ in range(1000):
            w, config = sgd_momentum(w, w, config)
            path.append(w[0])
        lowest[rho] = min(path)
    assert lowest[0.0] > 0  # plain descent never crosses
    for rho in (0.9, 0.99):
        angle = np.arccos((1 + rho - 0.01) / 2 / np.sqrt(rho))
        assert lowest[rho] == pytest.approx(-(rho ** (np.pi / angle / 2)), abs=0.02)
    assert lowest[0.99] < -0.8
    assert lowest[0.9] > -0.2


# ------------------------------------------------------------------------------------------------- Nesterov


@pytest.mark.parametrize("rho", [0.5, 0.9, 0.99])
def test_the_two_forms_of_nesterov_agree_at_every_step(rho: float) -> None:
    """x̃ = x + rho · v, on a function whose gradient is not linear."""

    def gradient(x: np.ndarray) -> np.ndarray:
        return np.array([1.0, 20.0]) * x + np.sin(3 * x)

    x, v = np.array([1.0, -1.0]), np.zeros(2)
    w, config = x.copy(), {"learning_rate": 0.01, "momentum": rho}
    for _ in range(100):
        x, v = nesterov_step(x, v, gradient, 0.01, rho)
        w, config = sgd_nesterov(w, gradient(w), config)
        assert np.allclose(w, x + rho * v, rtol=0, atol=1e-12)


# --------------------------------------------------------------------- step sizes under a constant gradient


@pytest.mark.parametrize("gradient", [1e-3, 1.0, 50.0])
def test_adagrad_steps_fall_with_the_root_of_their_number(gradient: float) -> None:
    found = sizes(adagrad, 2000, gradient)
    assert np.allclose(found, 1 / np.sqrt(np.arange(1, 2001)), rtol=1e-4)
    assert found[-1] < 0.025


@pytest.mark.parametrize("gradient", [1e-3, 1.0, 50.0])
def test_rmsprop_steps_settle_at_the_learning_rate(gradient: float) -> None:
    found = sizes(rmsprop, 2000, gradient)
    assert found[0] == pytest.approx(10, rel=1e-3)
    assert np.allclose(found, 1 / np.sqrt(1 - 0.99 ** np.arange(1, 2001)), rtol=1e-3)
    assert found[-1] == pytest.approx(1, rel=1e-3)


def test_adam_with_and_without_correction() -> None:
    assert sizes(adam_uncorrected, 3, epsilon=0.0) == pytest.approx([3.162278, 4.249592, 4.950235], abs=1e-6)
    assert sizes(adam, 3, epsilon=0.0) == pytest.approx([1, 1, 1], abs=1e-12)


def test_adams_first_step_is_the_sign_of_the_gradient() -> None:
    dw = np.array([3.0, -1e-3, 1e5, -2.0])
    w, _ = adam(np.zeros(4), dw, {"learning_rate": 5e-4})
    assert np.allclose(w, -5e-4 * np.sign(dw), rtol=1e-4)


# ---------------------------------------------------------------------------------------------------- AdamW


def test_decay_beside_adam_is_not_a_penalty_inside_it() -> None:
    """Two weights of 1, one with gradients a thousand times as large: AdamW shrinks both alike, Adam + L2 does not."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((200, 2)) * [1e-2, 10.0]
    beside = inside = np.ones(2)
    one, two = {"learning_rate": 1e-3, "weight_decay": 0.1}, {"learning_rate": 1e-3}
    free, three = np.ones(2), {"learning_rate": 1e-3}
    parameter = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    twin = torch.optim.Adam([parameter], lr=1e-3, weight_decay=0.1)
    for dw in noise:
        beside, one = adamw(beside, dw, one)
        inside, two = adam(inside, dw + 0.1 * inside, two)
        free, three = adam(free, dw, three)
        parameter.grad = torch.from_numpy(dw)
        twin.step()
    assert np.allclose(inside, parameter.detach().numpy())  # torch's Adam(weight_decay=...) is the penalty
    shrunk = free - beside
    assert shrunk == pytest.approx(np.full(2, 1 - (1 - 1e-4) ** 200), rel=0.15)
    penalised = free - inside
    assert penalised[0] > 5 * penalised[1]


# ------------------------------------------------------------------------------------------- all rules alike


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (1,), (3, 2), (0, 4)])
def test_every_rule_keeps_type_and_shape_and_changes_nothing(name: str, dtype: type, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    w, dw = np.asarray(rng.standard_normal(shape), dtype), np.asarray(rng.standard_normal(shape), dtype)
    kept, config = (w.copy(), dw.copy()), None
    for _ in range(3):
        new, config = RULES[name](w, dw, config)
        assert np.asarray(new).dtype == dtype
        assert np.shape(new) == shape
    assert np.array_equal(w, kept[0])
    assert np.array_equal(dw, kept[1])
    for value in config.values():
        assert not isinstance(value, np.ndarray) or value.dtype == dtype


@pytest.mark.parametrize("name", RULES)
def test_every_rule_descends(name: str) -> None:
    """A thousand steps on a bowl, by default settings; Adadelta and AdaGrad are the slow ones."""
    curvature = np.array([1.0, 5.0])
    w, config = np.array([0.3, -0.3]), None
    start = float(curvature @ w**2)
    for _ in range(1000):
        w, config = RULES[name](w, curvature * w, config)
    assert float(curvature @ w**2) < 0.3 * start


@pytest.mark.parametrize("name", RULES)
def test_a_gradient_of_another_shape_is_refused(name: str) -> None:
    with pytest.raises(DataError, match=r"^The gradient must have the shape \(5,\) of its weights, got \(1, 5\)\.$"):
        RULES[name](np.zeros(5), np.zeros((1, 5)))


def test_settings_that_are_given_stay_and_missing_ones_are_filled_in() -> None:
    config = {"learning_rate": 0.5, "mine": 1}
    _, same = adam(np.zeros(2), np.ones(2), config)
    assert same is config
    assert (config["learning_rate"], config["beta1"], config["beta2"], config["epsilon"]) == (0.5, 0.9, 0.999, 1e-8)
    assert config["mine"] == 1
