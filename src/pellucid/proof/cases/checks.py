"""Proofs of the measuring tools: functions whose derivatives and curvatures are known."""

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
import torch

from pellucid.proof.case import Case, Check, Subject
from pellucid.scratch.checks import hessian, jacobian, numerical, taylor


def distance(a: Any, b: Any) -> float:
    """Largest difference; infinite where the shapes differ."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(np.max(np.abs(a - b), initial=0.0)) if a.shape == b.shape else float("inf")


def wave(x: np.ndarray) -> float:
    """A function of (2, 2) numbers that mixes them all, with third derivatives everywhere."""
    return float(np.sin(x[0, 0]) * np.exp(x[0, 1] / 2) + x[1, 0] ** 2 * x[1, 1] + x[0, 0] * x[1, 1] ** 3)


def wave_slopes(x: torch.Tensor) -> torch.Tensor:
    """The same for autograd."""
    return torch.sin(x[0, 0]) * torch.exp(x[0, 1] / 2) + x[1, 0] ** 2 * x[1, 1] + x[0, 0] * x[1, 1] ** 3


POINT = np.array([[0.3, -0.7], [1.1, 0.4]])


def wave_gradient(x: np.ndarray) -> np.ndarray:
    """By autograd, (2, 2)."""
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    return torch.autograd.grad(wave_slopes(tensor), tensor)[0].numpy()


def wave_hessian() -> np.ndarray:
    """At the point, by autograd, (4, 4)."""
    return torch.autograd.functional.hessian(wave_slopes, torch.from_numpy(POINT)).numpy().reshape(4, 4)


def square_map(x: np.ndarray) -> np.ndarray:
    """(2, 2) numbers to (3, 1): a product, a cube, and a sum."""
    return np.array([[x[0, 0] * x[1, 1]], [x[0, 1] ** 3], [x[1, 0] + 2 * x[0, 0]]])


SQUARE_JACOBIAN = np.array([[0.4, 0, 0, 0.3], [0, 3 * 0.49, 0, 0], [2, 0, 1, 0]])
ANSWER = np.zeros((3, 1))


def reused(x: np.ndarray) -> np.ndarray:
    """The same map, which writes its answer into one array each time."""
    ANSWER[...] = square_map(x)
    return ANSWER


def numerical_cases(module: Any) -> Sequence[Case]:
    """Derivatives of known functions; how far each formula is off on x² and x³, where Taylor says it exactly."""

    def cube(x: np.ndarray) -> float:
        return float(x[()] ** 3)

    def said(**settings: Any) -> int:
        """Lines that are printed."""
        with redirect_stdout(StringIO()) as out:
            module.eval_numerical_gradient(wave, POINT.copy(), **settings)
        return len(out.getvalue().splitlines())

    dout = np.array([[1.0], [-2.0], [0.5]])
    gradient, array = module.eval_numerical_gradient, module.eval_numerical_gradient_array
    x = POINT.copy()
    return [
        Check("numerical, gradient", lambda: distance(gradient(wave, x), wave_gradient(POINT)), 1e-9),
        Check("numerical, one-sided", lambda: distance(gradient(wave, x, centred=False), wave_gradient(POINT)), 1e-4),
        Check("numerical, centred is off by h²", lambda: abs(gradient(cube, np.array(1.0), h=0.1) - 3.01)),
        Check("numerical, one-sided by 3h + h²", lambda: abs(gradient(cube, np.array(1.0), False, 0.1, False) - 3.31)),
        Check("numerical, usual step", lambda: abs(gradient(cube, np.array(0.0)) / 1e-10 - 1)),
        Check(
            "numerical, array",
            lambda: distance(array(reused, x, dout).reshape(4), (SQUARE_JACOBIAN.T @ dout).reshape(4)),
            1e-9,
        ),
        Check("numerical, array, step", lambda: distance(array(lambda x: x**3, np.ones(2), 2.0, 0.1), [6.02, 6.02])),
        Check("numerical, array, usual step", lambda: abs(array(cube, np.array(0.0), 1.0) / 1e-10 - 1)),
        Check("numerical, silent", lambda: abs(said() - 0) + abs(said(verbose=True) - 4)),
        Check("numerical, arguments put back", lambda: distance(x, POINT)),
        Check(
            "numerical, relative error", lambda: abs(module.rel_error(np.array([1.0, 3.0]), np.array([1.0, 2])) - 0.2)
        ),
        Check("numerical, relative error of numbers near 0", lambda: abs(module.rel_error(2e-9, -1e-9) - 0.3)),
        Check("numerical, relative error of nothing", lambda: module.rel_error(np.zeros(0), np.zeros(0))),
    ]


def jacobian_cases(module: Any) -> Sequence[Case]:
    """A map of four numbers to three, and one from nothing."""
    x = POINT.copy()
    find = module.numerical_jacobian
    return [
        Check("jacobian", lambda: distance(find(reused, x), SQUARE_JACOBIAN), 1e-9),
        Check("jacobian, arguments put back", lambda: distance(x, POINT)),
        Check("jacobian, step", lambda: distance(find(lambda x: x**3, np.ones(2), 0.1), 3.01 * np.eye(2))),
        Check("jacobian, usual step", lambda: distance(find(lambda x: x**3, np.zeros(1)) / 1e-10, [[1.0]])),
        Check("jacobian, no inputs", lambda: distance(find(lambda x: np.ones(3), np.zeros(0)), np.zeros((3, 0)))),
    ]


def hessian_cases(module: Any) -> Sequence[Case]:
    """Autograd's second derivatives; conditions and kinds of points by diagonal matrices."""
    find, kind = module.numerical_hessian, module.classify_critical_point
    wanted = wave_hessian()
    x = POINT.copy()

    def uneven(x: np.ndarray) -> np.ndarray:
        """No gradient of anything: its derivatives are (1, 2; 4, 3)."""
        return np.array([x[0] + 2 * x[1], 4 * x[0] + 3 * x[1]])

    kinds: dict[str, list[list[float]]] = {
        "minimum": [[1, 2], [3], [1e-9, 2e-9]],
        "maximum": [[-1, -2], [-3]],
        "saddle": [[2, -2], [1, 0, -1], [1, 2e-6, -2e-6]],
        "degenerate": [[1, 0], [-1, 0], [0, 0], [1, 0.9e-6], [1, -0.9e-6], [-1, 0.9e-6], [-1e3, -1e-4], []],
    }

    def wrong_kinds() -> float:
        cases = [(name, np.diag(np.array(values, float))) for name, all in kinds.items() for values in all]
        return float(sum(kind(matrix) != name for name, matrix in cases))

    flat = (np.diag([1.0, 0.0]), np.zeros((2, 3)))
    matrix = np.diag([3.0, -0.5, 1.0])[:, ::-1]
    return [
        Check("hessian, from values", lambda: distance(find(wave, x), wanted), 1e-6),
        Check("hessian, from gradients", lambda: distance(find(wave, x, wave_gradient), wanted), 1e-8),
        Check("hessian, arguments unchanged", lambda: distance(x, POINT)),
        # of x⁴ at 0 the formula finds (2 · (2h)⁴) / (4 h²) = 8 h², and of 4x³ as gradient 4 h²
        Check("hessian, step", lambda: distance(find(lambda x: float(x[0] ** 4), np.zeros(1), h=0.1), [[0.08]])),
        Check("hessian, usual step", lambda: distance(find(lambda x: float(x[0] ** 4), np.zeros(1)) / 8e-8, [[1]])),
        Check(
            "hessian, usual step of gradients",
            lambda: distance(find(lambda x: 0.0, np.zeros(1), lambda x: 4 * x**3) / 4e-10, [[1]]),
        ),
        Check(
            "hessian, step of gradients",
            lambda: distance(find(lambda x: 0.0, np.zeros(1), lambda x: 4 * x**3, 0.1), [[0.04]]),
        ),
        Check("hessian, symmetric", lambda: distance(find(wave, np.zeros(2), uneven), [[1, 3], [3, 3]]), 1e-9),
        Check("hessian, condition", lambda: abs(module.condition_number(matrix) - 6)),
        Check("hessian, flat", lambda: float(min(map(module.condition_number, flat)) != float("inf"))),
        Check("hessian, kinds of points", wrong_kinds),
        Check("hessian, tolerance", lambda: float(kind(np.diag([1.0, 0.1]), 0.2) != "degenerate")),
    ]


def taylor_cases(module: Any) -> Sequence[Case]:
    """Exact on a quadratic; elsewhere by the third power, and by less if a part of the model is wrong."""
    a = np.array([[2.0, -1.0], [0.5, 3.0]])

    def quadratic(x: np.ndarray) -> float:
        return float(1.5 + a.sum(0) @ x + x @ a @ x)

    def exact(gradient: Any) -> float:
        model = module.second_order_model(quadratic, np.array([0.3, -0.2]), gradient)
        return max(abs(model(at) - quadratic(at)) for at in (np.array([0.3, -0.2]), np.array([-1.0, 2.0])))

    def order(**change: Any) -> float:
        model = module.second_order_model(wave, POINT, wave_gradient)
        wrong = module.SecondOrderModel(*{**vars(model), **change}.values())
        return float(module.error_order(wave, wrong, np.array([[1.0, 0.5], [-0.3, 0.8]])))

    def by_hand() -> float:
        """x³ at 0, whose model is 0: errors h³, so that any distances give 3, and x⁴ gives 4."""
        model = module.SecondOrderModel(np.zeros(1), 0.0, np.zeros(1), np.zeros((1, 1)))
        return abs(module.error_order(lambda x: x[0] ** 4, model, np.ones(1), [0.5, 0.2, 0.1]) - 4)

    def distances() -> float:
        """What the errors are taken at, unless said."""
        seen: list[float] = []
        model = module.SecondOrderModel(np.zeros(1), 0.0, np.zeros(1), np.zeros((1, 1)))

        def watched(x: np.ndarray) -> float:
            seen.append(float(x[0]))
            return seen[-1] ** 3

        module.error_order(watched, model, np.full(1, 2.0))
        return distance(seen, [0.2, 0.1, 0.05, 0.025])

    return [
        Check("taylor, quadratic from values", lambda: exact(None), 1e-6),
        Check("taylor, quadratic from gradients", lambda: exact(lambda x: a.sum(0) + (a + a.T) @ x), 1e-8),
        Check("taylor, order", lambda: abs(order() - 3), 0.1),
        Check("taylor, order with a wrong gradient", lambda: abs(order(gradient=np.zeros((2, 2))) - 1), 0.1),
        Check("taylor, order with a wrong hessian", lambda: abs(order(hessian=np.eye(4)) - 2), 0.1),
        Check("taylor, order by hand", by_hand),
        Check("taylor, distances", distances),
    ]


SUBJECTS: dict[str, Subject] = {
    "numerical": Subject(numerical, numerical_cases, harmless={"rel_error: x - y -> y - x": "only its size is used"}),
    "jacobian": Subject(jacobian, jacobian_cases),
    "hessian": Subject(hessian, hessian_cases),
    "taylor": Subject(
        taylor,
        taylor_cases,
        harmless={"error_order: float(f(x)) - model(x) -> model(x) - float(f(x))": "only its size is used"},
    ),
}
