"""Penalties: the example of the slides, sparsity, and the two conventions of the course."""

import numpy as np
import pytest

from pellucid.scratch.losses.l2 import l2_loss
from pellucid.scratch.losses.penalties import elastic_net_penalty, l1_penalty, l2_penalty, total_loss

ONE, SPREAD = np.array([1.0, 0, 0, 0]), np.full(4, 0.25)  # both give 1 for x = (1, 1, 1, 1)


def test_example_of_the_slides() -> None:
    x = np.ones(4)
    assert ONE @ x == SPREAD @ x == 1
    assert [l2_penalty(w, 1.0)[0] for w in (ONE, SPREAD)] == [1, 0.25]
    assert [l1_penalty(w, 1.0)[0] for w in (ONE, SPREAD)] == [1, 1]  # a tie: L1 prefers neither
    assert [elastic_net_penalty(w, 1.0)[0] for w in (ONE, SPREAD)] == [1.5, 1.125]


def test_turning_the_axes_changes_l1_and_not_l2() -> None:
    """(1, 0) turned by 45 degrees: L1 grows to √2, L2 stays."""
    turn = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    before, after = np.array([1.0, 0.0]), turn @ np.array([1.0, 0.0])
    assert [l1_penalty(w, 1.0)[0] for w in (before, after)] == pytest.approx([1, 1.414214], abs=1e-6)
    assert [np.sqrt(l2_penalty(w, 1.0)[0]) for w in (before, after)] == pytest.approx([1, 1], abs=1e-12)


def test_l2_spreads_weights_over_equal_inputs() -> None:
    """Descent from (1, 0, 0, 0) under the constraint of the example ends at ¼ each; L1's slope is the same for all."""
    w = ONE.copy()
    for _ in range(200):
        step = l2_penalty(w, 1.0)[1]
        w -= 0.1 * (step - step.mean())  # along the weights with the same score
    assert w == pytest.approx(SPREAD)
    inside = l1_penalty(np.array([0.7, 0.1, 0.1, 0.1]), 1.0)[1]
    assert np.ptp(inside) == 0


def test_zero_is_a_place_to_rest() -> None:
    for penalty in (l2_penalty, l1_penalty, elastic_net_penalty):
        value, slope = penalty(np.zeros((2, 3)), 0.7)
        assert value == 0
        assert not slope.any()


def regression() -> tuple[np.ndarray, np.ndarray]:
    """Samples (60, 20) and targets (60,) that depend on 3 of the 20 inputs."""
    rng = np.random.default_rng(0)
    X, truth = rng.standard_normal((60, 20)), np.zeros(20)
    truth[USED] = 2.0, -3.0, 1.5
    return X, X @ truth + 0.1 * rng.standard_normal(60)


USED, OTHERS = [2, 7, 11], np.setdiff1d(np.arange(20), [2, 7, 11])
X, Y = regression()
LR, REG, STEPS = 0.1, 0.3, 2000


def data_slope(w: np.ndarray) -> np.ndarray:
    return X.T @ l2_loss(X @ w, Y)[1]


def start() -> np.ndarray:
    return np.random.default_rng(1).standard_normal(20)


def with_l1_by_proximal_steps() -> np.ndarray:
    """A step down the data loss, then every weight moved towards 0 by lr λ, and not past it."""
    w = start()
    for _ in range(STEPS):
        w = w - LR * data_slope(w)
        w = np.sign(w) * np.maximum(np.abs(w) - LR * REG, 0)
    return w


def with_l1_by_subgradients() -> np.ndarray:
    w = start()
    for step in range(STEPS):
        w = w - LR / (1 + step / 20) * (data_slope(w) + l1_penalty(w, REG)[1])
    return w


def with_l2() -> np.ndarray:
    w = start()
    for _ in range(STEPS):
        w = w - LR * (data_slope(w) + l2_penalty(w, REG)[1])
    return w


def test_l1_gives_zeros_and_l2_does_not() -> None:
    exact, close, small = with_l1_by_proximal_steps(), with_l1_by_subgradients(), with_l2()
    assert np.count_nonzero(exact[OTHERS]) == 0
    assert np.abs(close[OTHERS]).max() < 0.01
    assert np.count_nonzero(small[OTHERS]) == 17
    assert np.abs(small[OTHERS]).max() > 0.01
    assert np.sign(exact[USED]).tolist() == [1, -1, 1]
    assert close == pytest.approx(exact, abs=0.01)


def test_l1_keeps_a_weight_at_zero_while_the_data_pull_less() -> None:
    """At the solution the slope of the data is within ±λ where the weight is 0, and -λ sign(w) where it is not."""
    w = with_l1_by_proximal_steps()
    slope, at_zero = data_slope(w), w == 0
    assert np.abs(slope[at_zero]).max() < REG
    assert slope[~at_zero] == pytest.approx(-l1_penalty(w, REG)[1][~at_zero], abs=1e-9)


def test_the_two_conventions() -> None:
    """Linear classifiers: λ Σ w², 2 λ w. Networks: λ/2 Σ w², λ w. The same λ is twice as strong in the first."""
    w = np.random.default_rng(1).standard_normal((3, 4))
    value, slope = l2_penalty(w, 0.2)
    half, dhalf = l2_penalty(w, 0.2 / 2)
    assert value == pytest.approx(0.2 * np.sum(w**2))
    assert slope == pytest.approx(2 * 0.2 * w)
    assert half == pytest.approx(0.5 * 0.2 * np.sum(w**2))
    assert dhalf == pytest.approx(0.2 * w)


def test_elastic_net_is_both() -> None:
    w = np.random.default_rng(2).standard_normal(6)
    assert elastic_net_penalty(w, 0.5, beta=0.0)[0] == pytest.approx(l1_penalty(w, 0.5)[0])
    assert elastic_net_penalty(w, 0.5, beta=1e9)[0] == pytest.approx(l2_penalty(w, 0.5e9)[0])


def test_biases_are_not_penalised_by_default() -> None:
    rng = np.random.default_rng(3)
    parameters = {"W1": rng.standard_normal((3, 4)), "b1": rng.standard_normal(4)}
    gradients = {name: np.zeros_like(w) for name, w in parameters.items()}
    total, slopes = total_loss(2.0, gradients, parameters, lambda w: l2_penalty(w, 0.1))
    assert total == pytest.approx(2.0 + 0.1 * np.sum(parameters["W1"] ** 2))
    assert slopes["W1"] == pytest.approx(0.2 * parameters["W1"])
    assert not slopes["b1"].any()
    assert not gradients["W1"].any()  # what was given is as it was
    with_biases, slopes = total_loss(2.0, gradients, parameters, lambda w: l2_penalty(w, 0.1), biases=True)
    assert with_biases == pytest.approx(total + 0.1 * np.sum(parameters["b1"] ** 2))
    assert slopes["b1"] == pytest.approx(0.2 * parameters["b1"])


def test_no_penalty_is_the_data_loss() -> None:
    parameters = {"W": np.ones((2, 2))}
    total, slopes = total_loss(1.5, {"W": np.ones((2, 2))}, parameters, lambda w: l2_penalty(w, 0.0))
    assert total == 1.5
    assert np.array_equal(slopes["W"], np.ones((2, 2)))
