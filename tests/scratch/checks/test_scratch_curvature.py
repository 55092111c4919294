"""Hessians, conditions, kinds of points, and the second-order model."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.core.errors import DataError
from pellucid.scratch.checks.hessian import classify_critical_point, condition_number, numerical_hessian
from pellucid.scratch.checks.taylor import error_order, second_order_model
from pellucid.scratch.layers.affine import affine_backward, affine_forward


def small_net(parameters: np.ndarray) -> tuple[float, np.ndarray]:
    """Loss and gradient of a net 2 -> 3 -> 1 with tanh on four samples, all 13 parameters in one array."""
    x = np.array([[0.5, -1.0], [1.5, 0.3], [-0.7, 0.8], [0.1, 0.2]])
    y = np.array([[1.0], [-1.0], [0.5], [0.0]])
    w1, b1 = parameters[:6].reshape(2, 3), parameters[6:9]
    w2, b2 = parameters[9:12].reshape(3, 1), parameters[12:]
    z, first = affine_forward(x, w1, b1)
    h = np.tanh(z)
    out, second = affine_forward(h, w2, b2)
    dh, dw2, db2 = affine_backward((out - y) / 2, second)
    _, dw1, db1 = affine_backward(dh * (1 - h**2), first)
    return float(np.sum((out - y) ** 2) / 4), np.concatenate([dw1.ravel(), db1, dw2.ravel(), db2])


def test_the_hessian_of_a_small_net() -> None:
    """From values and from gradients, against automatic differentiation."""
    at = 0.5 * np.random.default_rng(0).standard_normal(13)

    def loss(p: torch.Tensor) -> torch.Tensor:
        x = torch.tensor([[0.5, -1.0], [1.5, 0.3], [-0.7, 0.8], [0.1, 0.2]], dtype=torch.float64)
        y = torch.tensor([[1.0], [-1.0], [0.5], [0.0]], dtype=torch.float64)
        out = torch.tanh(x @ p[:6].reshape(2, 3) + p[6:9]) @ p[9:12].reshape(3, 1) + p[12:]
        return ((out - y) ** 2).sum() / 4

    exact = torch.autograd.functional.hessian(loss, torch.from_numpy(at)).numpy()
    from_values = numerical_hessian(lambda p: small_net(p)[0], at)
    from_gradients = numerical_hessian(lambda p: small_net(p)[0], at, lambda p: small_net(p)[1])
    assert from_values == pytest.approx(exact, abs=1e-6)
    assert from_gradients == pytest.approx(exact, abs=1e-9)
    assert condition_number(from_gradients) == pytest.approx(condition_number(exact), rel=1e-4)


def test_the_saddle_and_its_sisters() -> None:
    surfaces = {
        "saddle": lambda x: float(x[0] ** 2 - x[1] ** 2),
        "minimum": lambda x: float(x[0] ** 2 + 3 * x[1] ** 2),
        "maximum": lambda x: float(-(x[0] ** 2) - np.cosh(x[1])),
        "degenerate": lambda x: float(x[0] ** 2 + x[1] ** 4),
    }
    for kind, surface in surfaces.items():
        # the fourth power's second difference at 0 is 8 h², 1e-7 here: flat next to the other curvature
        assert classify_critical_point(numerical_hessian(surface, np.zeros(2))) == kind


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=4), st.integers(0, 10_000))
def test_kinds_and_conditions_do_not_depend_on_the_axes(curvatures: list[float], seed: int) -> None:
    n = len(curvatures)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))
    hessian = turn @ np.diag(curvatures) @ turn.T
    assert classify_critical_point(hessian) == "minimum"
    assert classify_critical_point(-hessian) == "maximum"
    mixed = turn @ np.diag([*curvatures[:-1], -1.0]) @ turn.T
    assert classify_critical_point(mixed) == "saddle"
    assert condition_number(hessian) == pytest.approx(max(curvatures) / min(curvatures), rel=1e-9)


def test_condition_numbers() -> None:
    assert condition_number(np.eye(3)) == 1
    assert condition_number(np.diag([100.0, -1.0])) == 100
    assert condition_number(np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])) == 2  # (3, 2): two singular values
    assert condition_number(np.diag([1.0, 0.0])) == float("inf")
    with pytest.raises(DataError, match=r"^condition_number: a matrix with entries is needed, got shape \(0, 3\)\.$"):
        condition_number(np.zeros((0, 3)))


def test_the_condition_is_what_descent_pays() -> None:
    """At the best constant rate the error of descent on a bowl shrinks by (k - 1) / (k + 1) a step."""
    curvature = np.array([1.0, 25.0])
    w, rate = np.array([1.0, 1.0]), 2 / 26
    for _ in range(50):
        w = w - rate * curvature * w
    assert np.abs(w) == pytest.approx(np.full(2, (24 / 26) ** 50))


# ------------------------------------------------------------------------------------------------------ Taylor


def test_the_model_of_a_quadratic_is_the_quadratic() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((6, 6)), rng.standard_normal(6)

    def f(x: np.ndarray) -> float:
        return float(2 + b @ x.ravel() + x.ravel() @ a @ x.ravel())

    model = second_order_model(f, rng.standard_normal((2, 3)), lambda x: (b + (a + a.T) @ x.ravel()).reshape(2, 3))
    for _ in range(5):
        x = 3 * rng.standard_normal((2, 3))
        assert model(x) == pytest.approx(f(x), abs=1e-7)


def test_elsewhere_the_error_grows_with_the_third_power() -> None:
    at = 0.5 * np.random.default_rng(0).standard_normal(13)
    direction = np.random.default_rng(1).standard_normal(13)
    model = second_order_model(lambda p: small_net(p)[0], at, lambda p: small_net(p)[1])
    assert error_order(lambda p: small_net(p)[0], model, direction) == pytest.approx(3, abs=0.2)


def test_the_models_minimum_is_newtons_step() -> None:
    def f(x: np.ndarray) -> float:
        return float(np.cosh(x[0]) + np.exp(x[1]) - x[1] / 2)

    model = second_order_model(f, np.array([0.5, 0.2]))
    newton = model.point - np.linalg.solve(model.hessian, model.gradient)
    around = [model(newton + 0.01 * step) for step in np.random.default_rng(0).standard_normal((20, 2))]
    assert min(around) >= model(newton)
    assert f(newton) < f(model.point)


def test_the_point_of_a_model_stays_when_the_array_changes() -> None:
    x = np.array([1.0, 2.0])
    model = second_order_model(lambda x: float(x @ x), x, lambda x: 2 * x)
    x[:] = 0
    assert model(np.array([1.0, 2.0])) == pytest.approx(5)
