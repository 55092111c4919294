"""Proofs of initialisation and of activation statistics: known variances, and nets drawn again by hand."""

from collections.abc import Sequence
from functools import partial
from math import erf, exp, pi, sqrt
from typing import Any

import numpy as np

from pellucid.proof.case import Case, Check, Subject
from pellucid.proof.cases.checks import distance
from pellucid.scratch.checks import activation_statistics, initialise


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

    return [
        *(Check(f"initialise, {init} {of}", partial(off, init, of, wanted)) for init, of, wanted in deviations),
        Check("initialise, fans", lambda: distance([module.fans(shape), module.fans(kernels)], [shape, (24, 30)])),
        Check("initialise, all alike", alike),
        Check("initialise, by rule", by_rule),
        *advice_cases(module),
    ]


def advice_cases(module: Any) -> Sequence[Case]:
    """Which layers are named, and how far a layer may be off before it is."""

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

    def tanh_ends(h: np.ndarray) -> np.ndarray:
        return np.abs(h) > 0.9

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
        *theory_cases(module),
    ]


def theory_cases(module: Any) -> Sequence[Case]:
    """What theory expects, in closed forms; the edge of saturation; the words."""

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

    def on_the_edge() -> float:
        """Outputs of 0.9 and -0.9 are not yet near the ends, the next numbers are."""
        edge = np.array([0.9, -0.9, np.nextafter(0.9, 1), np.nextafter(-0.9, -1)])
        return abs(module.activation_statistics(edge[None], "tanh", [], np.random.default_rng(0))[0].zeros) + abs(
            module._measure("edge", edge, (-1.0, 1.0)).saturated - 0.5
        )

    return [
        Check("activations, expected of relu", relu_theory, 1e-5),
        Check("activations, expected of relu6", relu6_theory, 1e-5),
        Check("activations, edge", on_the_edge),
        Check("activations, in words", said),
    ]


SUBJECTS: dict[str, Subject] = {
    "initialise": Subject(
        initialise,
        initialise_cases,
        harmless={
            "zeros: return np.zeros(shape) -> return -np.zeros(shape)": "-0 is 0",
            "zeros: return np.zeros(shape) -> return 2.0 * np.zeros(shape)": "2 · 0 is 0",
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
