"""Numerical derivatives: values known by hand, and why the centred formula is the one to use."""

import re

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.activations.relu import relu_forward
from pellucid.scratch.checks.jacobian import numerical_jacobian
from pellucid.scratch.checks.numerical import eval_numerical_gradient, eval_numerical_gradient_array, rel_error


def square(w: np.ndarray) -> float:
    return float(w**2)


def test_the_slope_of_a_square_at_one() -> None:
    """One-sided (1.001² - 1) / 0.001 = 2.001; centred 2, as the square has no third derivative."""
    w = np.array(1.0)
    assert eval_numerical_gradient(square, w, h=1e-3, centred=False) == pytest.approx(2.001, abs=1e-9)
    assert eval_numerical_gradient(square, w, h=1e-3) == pytest.approx(2, abs=1e-9)
    assert eval_numerical_gradient(square, w) == pytest.approx(2, abs=1e-9)  # centred unless said
    assert w == 1


@pytest.mark.parametrize(("centred", "order"), [(True, 2), (False, 1)])
def test_errors_fall_with_the_power_that_taylor_says(centred: bool, order: int) -> None:
    def error(h: float) -> float:
        found = eval_numerical_gradient(lambda x: float(np.exp(x[0])), np.array([0.5]), h=h, centred=centred)
        return float(abs(found[0] - np.exp(0.5)))

    assert np.log10(error(1e-1) / error(1e-2)) == pytest.approx(order, abs=0.05)


def test_a_smaller_step_is_not_always_better() -> None:
    errors = [
        abs(eval_numerical_gradient(lambda x: float(np.exp(x[0])), np.array([3.0]), h=h)[0] - np.exp(3.0))
        for h in (1e-2, 1e-5, 1e-12)
    ]
    assert errors[1] < 1e-3 * errors[0]
    assert errors[1] < 1e-3 * errors[2]  # what is left of the difference's digits


def test_every_entry_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    eval_numerical_gradient(lambda x: float(x.sum()), np.zeros((1, 2)), verbose=True)
    assert [line[:6] for line in capsys.readouterr().out.splitlines()] == ["(0, 0)", "(0, 1)"]


def test_whole_numbers_are_refused() -> None:
    """1 + h in an array of integers is 1 again: the gradient would be 0 everywhere."""
    message = "A numerical gradient needs floating-point numbers, got int64. Use .astype(np.float64)."
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        eval_numerical_gradient(lambda x: float(np.sum(x**2)), np.array([1, 2]))
    with pytest.raises(DataError, match="floating-point"):
        numerical_jacobian(lambda x: x, np.array([1, 2]))


def test_relative_error() -> None:
    assert rel_error(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0
    assert rel_error(np.array([0.0, 1.0]), np.array([5.0, 1.0])) == 1
    assert rel_error(np.zeros(2), np.zeros(2)) == 0
    assert rel_error(np.zeros(0), np.zeros(0)) == 0
    assert rel_error(3.0, 1.0) == 0.5


# -------------------------------------------------------------------------------------------------- Jacobians


def test_the_jacobian_of_an_affine_map_is_its_matrix() -> None:
    w = np.random.default_rng(0).standard_normal((3, 4))
    x = np.ones(4)
    assert numerical_jacobian(lambda x: w @ x, x) == pytest.approx(w, abs=1e-9)
    assert (x == 1).all()


def test_an_activation_has_a_diagonal_jacobian() -> None:
    """ReLU's has ones where the input is positive; backward's product with it is one entry by entry."""
    x = np.array([1.5, -2.0, 0.1, -0.3])
    found = numerical_jacobian(lambda x: relu_forward(x)[0], x)
    assert found == pytest.approx(np.diag([1.0, 0.0, 1.0, 0.0]), abs=1e-9)
    assert numerical_jacobian(np.tanh, x) == pytest.approx(np.diag(1 - np.tanh(x) ** 2), abs=1e-9)


def test_backward_is_a_row_of_the_jacobian_never_the_jacobian() -> None:
    """dout J, for a softmax, whose Jacobian diag(p) - p pᵀ is not diagonal."""
    x, dout = np.array([0.3, -1.0, 2.0]), np.array([1.0, -0.5, 0.2])

    def softmax(x: np.ndarray) -> np.ndarray:
        return np.exp(x) / np.exp(x).sum()

    p = softmax(x)
    found = numerical_jacobian(softmax, x)
    assert found == pytest.approx(np.diag(p) - np.outer(p, p), abs=1e-9)
    assert eval_numerical_gradient_array(softmax, x, dout) == pytest.approx(dout @ found, abs=1e-9)


def test_any_shapes_in_and_out() -> None:
    found = numerical_jacobian(lambda x: x.sum(axis=0, keepdims=True), np.ones((2, 3)))
    assert found == pytest.approx(np.tile(np.eye(3), 2))
    assert numerical_jacobian(lambda x: np.ones(4), np.ones((0, 3))).shape == (4, 0)
    assert numerical_jacobian(lambda x: x, np.ones(2)) == pytest.approx(np.eye(2))  # a function that returns its input
