"""Proofs of the measuring tools: functions whose derivatives, curvatures and variances are known."""

from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from math import erf, exp, pi, sqrt
from typing import Any

import numpy as np
import torch

from pellucid.proof.case import Case, Check, Subject
from pellucid.scratch.checks import activation_statistics, hessian, initialise, jacobian, numerical, taylor


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


def initialise_cases(module: Any) -> Sequence[Case]:
    """Every rule draws the same normal numbers times its own deviation; and what advice is given."""
    shape, kernels = (6, 2), (5, 4, 3, 2)

    def scale(init: str, of: tuple[int, ...]) -> float:
        drawn = module.INITIALISERS[init](of, np.random.default_rng(0)) / np.random.default_rng(0).standard_normal(of)
        return float(drawn.flat[0]) if np.ptp(drawn) < 1e-12 else float("nan")

    def off(init: str, of: tuple[int, ...], wanted: float) -> float:
        return abs(scale(init, of) - wanted)

    deviations = [
        ("normal", shape, 0.01),
        ("xavier", shape, sqrt(1 / 6)),
        ("xavier", kernels, sqrt(1 / 24)),
        ("xavier_average", shape, 0.5),
        ("xavier_average", kernels, sqrt(2 / (24 + 30))),
        ("he", shape, sqrt(1 / 3)),
        ("he", kernels, sqrt(1 / 12)),
        ("lecun", kernels, sqrt(1 / 24)),
    ]

    def alike() -> float:
        rng = np.random.default_rng(0)
        return distance(module.zeros(shape, rng), np.zeros(shape)) + distance(
            module.constant(shape, rng), np.full(shape, 0.1)
        )

    def by_rule() -> float:
        """`auto` draws what the rule of each activation draws, and another name what it says."""
        wrong = 0
        for activation, init in module.RULE.items():
            drawn = module.initialise(shape, activation, np.random.default_rng(1))
            wrong += not np.array_equal(drawn, module.INITIALISERS[init](shape, np.random.default_rng(1)))
        drawn = module.initialise(shape, "relu", np.random.default_rng(1), "xavier")
        return float(wrong + (not np.array_equal(drawn, module.xavier(shape, np.random.default_rng(1)))))

    def signs(n_in: int, n_out: int, size: float) -> np.ndarray:
        """Weights whose mean square is exactly `size`²."""
        return size * np.where(np.arange(n_in * n_out).reshape(n_in, n_out) % 2, 1.0, -1.0)

    def silent(n_in: int, n_out: int, variance: float, activation: str) -> bool:
        return not module.advise([("fc", signs(n_in, n_out, sqrt(variance)), activation)])

    def limits() -> float:
        """With n numbers a variance may be off by √2 · exp(4 √(2/n)); here n is 800 and that is √2 · exp(0.2)."""
        limit, average = exp(0.2) * sqrt(2), 40 / 60
        wide, narrow = (20, 40), (40, 20)  # the average rule allows 2/60 instead of 1/20, and instead of 1/40
        found = [
            silent(*wide, 1 / 20 * limit * 0.99, "tanh"),
            not silent(*wide, 1 / 20 * limit * 1.01, "tanh"),
            silent(*wide, 1 / 20 * average / limit * 1.01, "tanh"),
            not silent(*wide, 1 / 20 * average / limit * 0.99, "tanh"),
            silent(*narrow, 2 / 40 * 2 * average * limit * 0.99, "relu"),
            not silent(*narrow, 2 / 40 * 2 * average * limit * 1.01, "relu"),
            silent(*narrow, 2 / 40 / limit * 1.01, "relu"),
            not silent(*narrow, 2 / 40 / limit * 0.99, "relu"),
        ]
        return float(not all(found))

    def words() -> float:
        """Only the layers that break the rule are named, in order, and the factor is of the mean square."""
        good, small, large = signs(100, 50, 0.1), signs(100, 50, 0.01), signs(100, 50, 1.0)
        said = module.advise(
            [
                ("a", good, "tanh"),
                ("b", small, "tanh"),
                ("c", large, "relu"),
                ("d", np.ones((4, 4)), "selu"),
                ("e", np.ones((1, 1)), "tanh"),
                ("f", np.zeros((2, 1)), "elu"),
            ]
        )
        wanted = [
            "b: its weights have std 0.0100, but xavier before tanh has 0.1000. The mean square of the signal shrinks "
            "to 0.01 times itself. Use xavier.",
            "c: its weights have std 1.0000, but he before relu has 0.1414. The mean square of the signal grows "
            "to 50 times itself. Use he.",
            "d: all its weights are equal, so its units stay copies of each other. Use lecun.",
            "f: all its weights are equal, so its units stay copies of each other. Use he.",
        ]
        return float(said != wanted)

    return [
        *(Check(f"initialise, {init} {of}", partial(off, init, of, wanted)) for init, of, wanted in deviations),
        Check("initialise, fans", lambda: distance([module.fans(shape), module.fans(kernels)], [shape, (24, 30)])),
        Check("initialise, all alike", alike),
        Check("initialise, by rule", by_rule),
        Check("initialise, limits of the advice", limits),
        Check("initialise, advice", words),
    ]


def activation_statistics_cases(module: Any) -> Sequence[Case]:
    """A net drawn again by hand, layer by layer; and integrals that have closed forms."""
    x = np.random.default_rng(0).standard_normal((7, 5))

    def net(activation: str, init: Any, deviations: list[float], function: Any, bounds: Any) -> float:
        found = module.activation_statistics(x, activation, [6, 4], np.random.default_rng(3), init)
        rng, h, errors = np.random.default_rng(3), x, []
        for number, (layer, width) in enumerate(zip(found, [None, 6, 4], strict=True)):
            if width:
                h = function(h @ (deviations[number - 1] * rng.standard_normal((h.shape[1], width))))
            name = f"hidden layer {number}" if number else "input layer"
            counts, edges = np.histogram(h, 20)
            near = bounds(h).mean() if number and bounds else None
            errors += [
                float(layer.name != name),
                distance(layer.counts, counts),
                distance(layer.edges, edges),
                distance(
                    [layer.mean, layer.std, layer.zeros],
                    [h.mean(), sqrt(((h - h.mean()) ** 2).mean()), (h == 0).mean()],
                ),
                float((layer.saturated is None) != (near is None)) or abs((layer.saturated or 0) - (near or 0)),
            ]
        return float(np.max(errors))

    def relu(z: np.ndarray) -> np.ndarray:
        return np.maximum(z, 0)

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    def relu_theory() -> float:
        """Mean s / √(2π) and mean square s² / 2, with s² the gain squared times the mean square before."""
        wanted, square = [], 1.0
        for _ in range(4):
            s = 1.3 * sqrt(square)
            square = s**2 / 2
            wanted.append((s / sqrt(2 * pi), sqrt(square - s**2 / (2 * pi))))
        return distance(module.expected_statistics("relu", 1.3, 4), wanted)

    def relu6_theory() -> float:
        """E[min(max(z, 0), 6)] and its square for z ~ N(0, 3²), by the normal distribution function."""
        phi, density = (1 + erf(2 / sqrt(2))) / 2, exp(-2) / sqrt(2 * pi)
        mean = 3 * (1 / sqrt(2 * pi) - density) + 6 * (1 - phi)
        square = 9 * (phi - 0.5 - 2 * density) + 36 * (1 - phi)
        return distance(module.expected_statistics("relu6", 3.0, 1), [(mean, sqrt(square - mean**2))])

    def said() -> float:
        layers = module.activation_statistics(np.ones((2, 3)), "relu", [2], np.random.default_rng(0), 0.0)
        wanted = [
            "input layer had mean 1.000000 and std 0.000000",
            "hidden layer 1 had mean 0.000000 and std 0.000000",
        ]
        return float(module.lines(layers) != wanted)

    def tanh_ends(h: np.ndarray) -> np.ndarray:
        return np.abs(h) > 0.9

    def on_the_edge() -> float:
        """Outputs of 0.9 and -0.9 are not yet near the ends, the next numbers are."""
        edge = np.array([0.9, -0.9, np.nextafter(0.9, 1), np.nextafter(-0.9, -1)])
        return abs(module.activation_statistics(edge[None], "tanh", [], np.random.default_rng(0))[0].zeros) + abs(
            module._measure("edge", edge, (-1.0, 1.0)).saturated - 0.5
        )

    return [
        Check("activations, tanh", lambda: net("tanh", 1.0, [1.0, 1.0], np.tanh, tanh_ends)),
        Check("activations, relu", lambda: net("relu", "auto", [sqrt(2 / 5), sqrt(2 / 6)], relu, None)),
        Check("activations, xavier", lambda: net("relu", "xavier", [sqrt(1 / 5), sqrt(1 / 6)], relu, None)),
        Check("activations, sigmoid", lambda: net("sigmoid", 3.0, [3.0, 3.0], sigmoid, lambda h: abs(h - 0.5) > 0.45)),
        Check(
            "activations, relu6",
            lambda: net("relu6", 4.0, [4.0, 4.0], lambda z: np.clip(z, 0, 6), lambda h: abs(h - 3) > 2.7),
        ),
        Check(
            "activations, hard sigmoid",
            lambda: net(
                "hard_sigmoid", 2.0, [2.0, 2.0], lambda z: np.clip(z / 6 + 0.5, 0, 1), lambda h: abs(h - 0.5) > 0.45
            ),
        ),
        Check("activations, expected of relu", relu_theory, 1e-5),
        Check("activations, expected of relu6", relu6_theory, 1e-5),
        Check("activations, edge", on_the_edge),
        Check("activations, in words", said),
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
    "initialise": Subject(
        initialise,
        initialise_cases,
        harmless={
            "zeros: return constant(shape, rng, 0.0) -> return -constant(shape, rng, 0.0)": "-0 is 0",
            "zeros: return constant(shape, rng, 0.0) -> return 2.0 * constant(shape, rng, 0.0)": "2 · 0 is 0",
            "_advise_one: found < wanted -> found <= wanted": "a layer that is as wanted is not spoken of",
        },
    ),
    "activation-statistics": Subject(
        activation_statistics,
        activation_statistics_cases,
        harmless={
            f"expected_statistics: {old} -> {new}": "the integral is as good over a finer or wider grid"
            for old, new in (
                ("-8", "-9"),
                ("np.linspace(-8, 8, 4001)", "np.linspace(-8, 9, 4001)"),
                ("np.linspace(-8, 8, 4001)", "np.linspace(-8, 8, 4002)"),
            )
        },
    ),
}
