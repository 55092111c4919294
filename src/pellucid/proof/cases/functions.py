"""Proofs of the elementary functions: value and derivative on their domain, both signs, and no outside of it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from pellucid.core.errors import DataError
from pellucid.proof.case import Case, Check, Subject
from pellucid.proof.cases.graph import Twin, between, proven
from pellucid.scratch.graph.functions import exponentials, hyperbolic, inverse_trigonometric, powers, trigonometric


def refuses(operation: Any, values: Sequence[float]) -> float:
    """How many of the values outside its domain a function took."""
    taken = 0
    for value in values:
        try:
            operation.forward(np.array([value]))
        except DataError:
            continue
        taken += 1
    return float(taken)


def powers_cases(layer: Any) -> Sequence[Case]:
    """Whole, broken and negative powers; odd roots of both signs."""
    both, positive = {"both signs": between((0.3, 2), (-2, -0.3))}, {"positive": between((0.3, 2))}
    zero = {"and zero": lambda rng: (np.array([0.0, 1.5, -2.0]),)}

    def border() -> float:
        """At 0: which powers are defined, and what they are."""
        taken = refuses(layer.power(-2), [0]) + refuses(layer.power(0.5), [-1]) + refuses(layer.power(-0.5), [0, -1])
        taken += refuses(layer.root(2), [-1]) + refuses(layer.reciprocal(2), [0])
        taken += refuses(layer.reciprocal(0.5), [0, -1]) + refuses(layer.reciprocal(-0.5), [-1])
        at = np.zeros(1)
        values = [layer.power(0.5), layer.power(3), layer.root(2), layer.root(3), layer.reciprocal(-2)]
        return taken + sum(abs(float(function.forward(at)[0][0])) for function in values)

    def names() -> float:
        """How many are called otherwise than they are written, or say another domain."""
        found = [layer.power(2).name, layer.reciprocal(1).name, layer.reciprocal(2).name, layer.reciprocal(0).name]
        wrong = sum(a != b for a, b in zip(found, ["x^2", "1/x", "1/x^2", "1/x^0"], strict=True))
        domains = [layer.root(3).domain, layer.root(2).domain, layer.power(-1).domain, layer.power(0.5).domain]
        return float(wrong + sum(a != b for a, b in zip(domains, ["all x", "x ≥ 0", "x ≠ 0", "x ≥ 0"], strict=True)))

    def degrees() -> float:
        """How many roots of an impossible degree were made."""
        made = 0
        for n in (0, -2, 2.5):
            try:
                layer.root(n)
            except DataError:
                continue
            made += 1
        return float(made)

    def cube_root(x: torch.Tensor) -> torch.Tensor:
        return x.sign() * x.abs() ** (1 / 3)

    return [
        proven("constant", layer.constant(3.0), both, lambda x: x * 0 + 3),
        *(proven(f"power {n}", layer.power(n), both, lambda x, n=n: x**n) for n in (3, 2, 1, 0, -1, -2)),
        *(proven(f"power {n}", layer.power(n), positive, lambda x, n=n: x**n) for n in (2.5, 0.5, -0.5)),
        *(proven(f"power {n} with zero", layer.power(n), zero, lambda x, n=n: x**n) for n in (3, 1, 0)),
        proven("root 3", layer.root(3), both, cube_root),
        *(proven(f"root {n}", layer.root(n), positive, lambda x, n=n: x ** (1 / n)) for n in (1, 2, 4)),
        proven("root 1 with zero", layer.root(1), zero, lambda x: x * 1),
        *(proven(f"reciprocal {n}", layer.reciprocal(n), both, lambda x, n=n: 1 / x**n) for n in (1, 2, 0, -2)),
        proven("reciprocal 0.5", layer.reciprocal(0.5), positive, lambda x: 1 / x**0.5),
        proven("reciprocal 0 with zero", layer.reciprocal(0), zero, lambda x: x * 0 + 1),
        Check("powers at zero", border),
        Check("names of powers", names),
        Check("degree of a root", degrees),
    ]


def exponentials_cases(layer: Any) -> Sequence[Case]:
    """Bases above and below 1."""
    both, positive = {"both signs": between((-2, 2))}, {"small and large": between((0.01, 0.9), (1.1, 9))}
    bases = (2.0, 0.5, 10)

    def border() -> float:
        """Zero has no logarithm, and neither have negative numbers."""
        return refuses(layer.ln, [0, -1]) + refuses(layer.logarithm(2), [0, -1])

    return [
        *(proven(f"exponential {n}", layer.exponential(n), both, lambda x, n=n: n**x) for n in bases),
        *(proven(f"log {a}", layer.logarithm(a), positive, lambda x, a=a: x.log() / math.log(a)) for a in bases),
        proven("ln", layer.ln, positive, torch.log),
        proven("exp", layer.exp, both, torch.exp),
        Check("domain of logarithms", border),
    ]


def trigonometric_cases(layer: Any) -> Sequence[Case]:
    """Around zero and a turn away, in all four quadrants."""
    inputs = {"four quadrants": between((0.2, 1.3), (1.8, 2.9), (3.4, 4.5), (-1.3, -0.2))}
    twins: dict[str, Twin] = {
        "sin": torch.sin,
        "cos": torch.cos,
        "tan": torch.tan,
        "cot": lambda x: 1 / torch.tan(x),
        "sec": lambda x: 1 / torch.cos(x),
        "csc": lambda x: 1 / torch.sin(x),
    }

    def border() -> float:
        """The sine of 0 is below the line in two of them; no number has a cosine of 0, so the others take all."""
        at = np.zeros(1)
        taken = refuses(layer.cot, [0]) + refuses(layer.csc, [0])
        return taken + abs(float(layer.tan.forward(at)[0][0])) + abs(float(layer.sec.forward(at)[0][0]) - 1)

    return [
        *(proven(name, getattr(layer, name), inputs, twin) for name, twin in twins.items()),
        Check("domain of cot and csc", border),
    ]


def inverse_trigonometric_cases(layer: Any) -> Sequence[Case]:
    """Both signs of each, because arcsec and arccsc need |x|."""
    inside, outside = {"both signs": between((-0.95, 0.95))}, {"both signs": between((1.05, 3), (-3, -1.05))}
    everywhere = {"both signs": between((0.1, 4), (-4, -0.1))}
    twins: dict[str, tuple[Mapping[str, Any], Twin]] = {
        "arcsin": (inside, torch.arcsin),
        "arccos": (inside, torch.arccos),
        "arctan": (everywhere, torch.arctan),
        "arccot": (everywhere, lambda x: math.pi / 2 - torch.arctan(x)),
        "arcsec": (outside, lambda x: torch.arccos(1 / x)),
        "arccsc": (outside, lambda x: torch.arcsin(1 / x)),
    }

    def border() -> float:
        """The ends of the domain belong to it, what lies beyond does not."""
        taken = sum(refuses(getattr(layer, name), [1.5, -1.5]) for name in ("arcsin", "arccos"))
        taken += sum(refuses(getattr(layer, name), [0.5, -0.5, 0]) for name in ("arcsec", "arccsc"))
        ends = np.array([1.0, -1.0])
        wanted = {"arcsin": [1, -1], "arccos": [0, 2], "arcsec": [0, 2], "arccsc": [1, -1]}  # in quarter turns
        values = {name: getattr(layer, name).forward(ends)[0] for name in wanted}
        errors = [np.abs(values[name] - np.array(wanted[name]) * np.pi / 2).max() for name in wanted]
        return float(taken + max(errors))

    return [
        *(proven(name, getattr(layer, name), inputs, twin) for name, (inputs, twin) in twins.items()),
        Check("ends of the inverse functions", border),
    ]


def hyperbolic_cases(layer: Any) -> Sequence[Case]:
    """The functions and their inverses, both signs where they have them."""
    both = {"both signs": between((0.1, 2), (-2, -0.1))}
    inputs = {"arcosh": {"above 1": between((1.05, 4))}, "artanh": {"both signs": between((-0.95, 0.95))}}
    twins: dict[str, Twin] = {
        "sinh": torch.sinh,
        "cosh": torch.cosh,
        "tanh": torch.tanh,
        "arsinh": torch.asinh,
        "arcosh": torch.acosh,
        "artanh": torch.atanh,
    }

    def border() -> float:
        """The ends of the domain: artanh is infinite at ±1, arcosh is 0 at 1."""
        taken = refuses(layer.artanh, [1, -1, 2]) + refuses(layer.arcosh, [0.5, -1])
        return taken + abs(float(layer.arcosh.forward(np.ones(1))[0][0]))

    return [
        *(proven(name, getattr(layer, name), inputs.get(name, both), twin) for name, twin in twins.items()),
        Check("ends of arcosh and artanh", border),
    ]


SUBJECTS: dict[str, Subject] = {
    "powers": Subject(powers, powers_cases),
    "exponentials": Subject(exponentials, exponentials_cases),
    "trigonometric": Subject(trigonometric, trigonometric_cases),
    "inverse-trigonometric": Subject(inverse_trigonometric, inverse_trigonometric_cases),
    "hyperbolic": Subject(hyperbolic, hyperbolic_cases),
}
