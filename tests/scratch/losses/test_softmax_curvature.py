"""What an L2 penalty does to the shape of a loss: curvature in every direction, and so fewer steps."""

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.checks.softmax_curvature import softmax_hessian
from pellucid.scratch.losses.softmax import softmax_loss_vectorized

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 3)) * np.array([1.0, 0.5, 0.2]), RNG.integers(4, size=40)
W = RNG.standard_normal((3, 4))


def condition(reg: float) -> float:
    eigenvalues = np.linalg.eigvalsh(softmax_hessian(W, X, reg))
    return float(eigenvalues[-1] / eigenvalues[0])


@pytest.mark.parametrize("reg", [1e-3, 0.5])
def test_the_diagonal_gains_twice_lambda_and_nothing_else_changes(reg: float) -> None:
    gained = softmax_hessian(W, X, reg) - softmax_hessian(W, X, 0.0)
    assert gained == pytest.approx(2 * reg * np.eye(12), abs=1e-15)


def test_without_penalty_some_directions_are_flat_and_none_curves_down() -> None:
    """One for each input: the same number added to the weights of all classes."""
    hessian = softmax_hessian(W, X, 0.0)
    eigenvalues = np.linalg.eigvalsh(hessian)
    assert eigenvalues[:3] == pytest.approx(np.zeros(3), abs=1e-15)
    assert eigenvalues[3] > 1e-4
    assert np.array_equal(hessian, hessian.T)
    flat = np.zeros((3, 4))
    flat[1] = 1
    assert hessian @ flat.ravel() == pytest.approx(np.zeros(12), abs=1e-15)


def test_a_larger_penalty_makes_a_rounder_bowl() -> None:
    conditions = [condition(reg) for reg in (1e-4, 1e-3, 1e-2, 1e-1)]
    assert conditions == sorted(conditions, reverse=True)
    assert conditions[0] > 100 * conditions[-1]
    largest = np.linalg.eigvalsh(softmax_hessian(W, X, 0.0))[-1]
    assert condition(1e-2) == pytest.approx((largest + 0.02) / 0.02)


def steps_until(reg: float, close: float = 1e-6) -> int:
    """Steps of gradient descent from 0, each as long as the largest curvature allows, until the loss is this close."""

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        return softmax_loss_vectorized(w, X, Y, reg)

    w = np.zeros((3, 4))
    for _ in range(20):  # Newton's method finds the smallest loss
        w -= np.linalg.lstsq(softmax_hessian(w, X, reg), loss(w)[1].ravel(), rcond=1e-10)[0].reshape(w.shape)
    best, w = loss(w)[0], np.zeros((3, 4))
    lr = 1 / np.linalg.eigvalsh(softmax_hessian(w, X, reg))[-1]
    for step in range(100_000):
        value, dw = loss(w)
        if value - best <= close:
            return step
        w -= lr * dw
    raise AssertionError("descent did not arrive")


def test_a_larger_penalty_needs_fewer_steps() -> None:
    steps = [steps_until(reg) for reg in (0.0, 1e-3, 1e-2, 1e-1)]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] > 5 * steps[-1]


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(DataError, match="X must be"):
        softmax_hessian(W, X.T, 0.0)
