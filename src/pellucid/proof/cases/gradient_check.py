"""Proofs of the gradient check itself: its errors by its own formula, and every limit from both sides.

Most functions here are straight lines through the origin: their centred differences are exact to the last digits.
"""

from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from math import inf, nan
from typing import Any

import numpy as np

from pellucid.proof.case import Case, Check, Subject
from pellucid.scratch.checks import gradcheck

ROUNDING = 4 * 2.0**-52  # of the larger value, over the step, is the noise that is allowed for
SHORTEST = 1e-7


def total(x: np.ndarray) -> float:
    """Slope 1 in every direction."""
    return float(x.sum())


def bend(x: np.ndarray) -> float:
    """Cubes."""
    return float((x**3).sum())


def corner(left: float, right: float, height: float = 0.0) -> Callable[[np.ndarray], float]:
    """A kink in every entry at 0, with these two slopes."""
    return lambda x: height + float(np.where(x < 0, left * x, right * x).sum())


def relative(found: float, wanted: float) -> float:
    """Difference over the wanted value; infinite for NaN."""
    return abs(found / wanted - 1) if found == found else inf


def error_cases(module: Any) -> Sequence[Case]:
    """The relative error on smooth functions."""
    check = module.check_gradient

    def of_one(f: Any, gradient: float) -> float:
        return float(check(f, np.zeros(1), np.full(1, gradient)).error)

    def noisy(height: float, gradient: float) -> float:
        """The error of a slope 1 on a value that leaves noise: by the first step, as shorter ones are all noise."""
        noise = ROUNDING * height / 1e-5 / 1e-6
        found = of_one(lambda x: -height + total(x), gradient)
        return relative(found, (gradient - 1) / (gradient + 1 + 0.01 * gradient + noise))

    def half_noisy() -> float:
        """Here a tenth of the step still says something: the error is the smaller one, by that step."""
        noise = ROUNDING * 1e3 / 1e-6 / 1e-6  # 0.9, below 2.1
        return relative(of_one(lambda x: 1e3 + total(x), 1.1), 0.1 / (2.1 + 0.011 + noise))

    def report() -> float:
        """The worst entry, with its place and both values; the first of two as bad; nothing if all is right."""
        gradient = np.array([[1.0, 1.2], [1.5, 1.5]])
        found = check(total, np.zeros((2, 2)), gradient)
        same = (found.index, found.by_hand, found.numerical, found.on_kink, found.kinks) == ((1, 0), 1.5, 1.0, False, 0)
        right = check(total, np.zeros((2, 2)), np.ones((2, 2)))
        nothing = {"error": 0.0, "index": (0, 0), "by_hand": 0.0, "numerical": 0.0, "on_kink": False, "kinks": 0}
        return float(
            not same or vars(right) != nothing or vars(module.GradientReport(0.0, (0, 0), 0.0, 0.0)) != nothing
        )

    def away_from_0() -> float:
        found = check(bend, np.array([2.0, -1.0]), np.array([12.0, 3.0]))
        return float(found.error) + found.kinks

    def not_a_number() -> float:
        """A NaN or an infinite entry is the worst of all, found in its place; so is a value that is NaN."""
        wrong = 0
        for value in (nan, inf):
            found = check(total, np.zeros(4), np.array([1.0, 1.5, value, 1.9]))
            wrong += found.passed() or found.index != (2,) or found.numerical != 1 or found.on_kink or found.kinks
        found = check(lambda x: nan, np.zeros(2), np.ones(2))
        return float(wrong or found.passed() or found.index != (0,))

    def verdict() -> float:
        """An error of 1e-6 passes, and a little more does not."""
        reports = [module.GradientReport(error, (0,), 0.0, 0.0) for error in (1e-6, 1.05e-6, nan)]
        passed = [each.passed() for each in reports] + [reports[1].passed(1.05e-6)]
        return float(passed != [True, False, False, True])

    return [
        Check("gradcheck, error", lambda: relative(of_one(total, 1.5), 0.5 / 2.515), 1e-8),
        Check("gradcheck, error of the wrong sign", lambda: relative(of_one(total, -1.0), 2 / 2.01), 1e-8),
        Check("gradcheck, away from 0", away_from_0, 1e-7),
        Check("gradcheck, tiny slopes", lambda: relative(of_one(lambda x: 3e-12 * total(x), 0.0), 0.75), 1e-8),
        Check("gradcheck, noise", lambda: noisy(1e4, 1.1), 1e-5),
        Check("gradcheck, much noise", lambda: noisy(1e6, 1.5), 1e-3),
        Check("gradcheck, some noise", half_noisy, 1e-5),
        Check("gradcheck, report", report),
        Check("gradcheck, not a number", not_a_number),
        Check("gradcheck, verdict", verdict),
    ]


def step_cases(module: Any) -> Sequence[Case]:
    """Which steps are taken, and what a kink changes."""
    check = module.check_gradient

    def steps(gradient: float, **settings: float) -> list[float]:
        """Where the function is called."""
        seen: list[float] = []

        def watched(x: np.ndarray) -> float:
            seen.append(float(x[0]))
            return total(x)

        x = np.zeros(1)
        check(watched, x, np.full(1, gradient), **settings)
        return [*seen, float(x[0])]

    def off(found: Sequence[float], wanted: Sequence[float]) -> float:
        return float(len(found) != len(wanted)) or float(np.abs(np.subtract(found, wanted)).max())

    all_steps = [1.0, -1.0, 0.1, -0.1, 0.01, -0.01, 0.0, 0.0]  # then the middle, then it is put back
    first_step = [1.0, -1.0, 0.0]
    enough, too_little = 1 + 2.01 * 0.95e-7, 1 + 2.01 * 1.05e-7  # a tenth of the tolerance ends the search

    def usual(found: list[float], wanted: list[float]) -> float:
        return off([1e5 * each for each in found], wanted)

    def kink(left: float, right: float, by_hand: float, outside: float, height: float = 0.0) -> float:
        """On a kink the error is the distance from the slopes of both sides."""
        found = check(corner(left, right, height), np.zeros(2), np.array([by_hand, by_hand]))
        scale = abs(left) + abs(right) + 0.01 * abs(by_hand) + ROUNDING * height / SHORTEST / 1e-6
        wrong = not found.on_kink or found.kinks != 2 or relative(found.numerical, (left + right) / 2) > 1e-3
        return float(wrong) or relative(found.error, outside / scale)

    def allowed() -> float:
        """Any slope between the two is right and counted, unless it is the mean, where nothing is to be asked."""
        found = [check(corner(0.0, 1.0), np.zeros(1), np.full(1, slope)) for slope in (0.0, 1.0, 0.3, 0.5)]
        found.append(check(corner(0.0, 1.0), np.zeros(1), np.full(1, 0.5 + 2e-7)))
        return float([(each.error < 1e-6, each.kinks) for each in found] != [(True, 1)] * 3 + [(True, 0)] * 2)

    def apart(gap: float, height: float = 0.0) -> float:
        """Whether two slopes that differ by so much are a kink."""
        return float(check(corner(1.0, 1 + gap, height), np.zeros(1), np.full(1, 2.0)).on_kink)

    return [
        Check("gradcheck, steps", lambda: usual(steps(1.5), all_steps)),
        Check("gradcheck, given step", lambda: off(steps(1.5, h=1.0), all_steps)),
        Check("gradcheck, first step is enough", lambda: usual(steps(enough), first_step)),
        Check("gradcheck, first step is too little", lambda: usual(steps(too_little), all_steps)),
        Check("gradcheck, below a kink", lambda: kink(0.0, 1.0, -0.2, 0.2), 1e-6),
        Check("gradcheck, above a kink", lambda: kink(0.0, 1.0, 1.2, 0.2), 1e-6),
        Check("gradcheck, above a ridge", lambda: kink(2.0, -1.0, 2.5, 0.5), 1e-6),
        Check("gradcheck, beside a kink, with noise", lambda: kink(0.0, 1.0, 1.5, 0.5, 1e4), 1e-3),
        Check("gradcheck, on a kink", allowed),
        Check("gradcheck, slopes apart", lambda: 1 - apart(0.0025)),
        Check("gradcheck, slopes together", lambda: apart(0.0015)),
        Check("gradcheck, slopes apart by noise", lambda: apart(0.009, 1e6)),
        Check("gradcheck, slopes apart by more than noise", lambda: 1 - apart(0.03, 1e6)),
    ]


def sparse_cases(module: Any) -> Sequence[Case]:
    """The course's check: what it prints and returns, drawn again by hand."""

    def sparse(gradient: np.ndarray, count: int, step: float, start: int, **settings: Any) -> float:
        """On x³, whose centred difference is 3 x² + h²."""
        x = np.arange(6.0).reshape(2, 3)
        with redirect_stdout(StringIO()) as out:
            found = module.grad_check_sparse(bend, x, gradient, **settings)
        rng, errors, said = np.random.default_rng(start), [], []
        for _ in range(count):
            index = (int(rng.integers(2)), int(rng.integers(3)))
            n, a = 3 * x[index] ** 2 + step**2, gradient[index]
            errors.append(abs(n - a) / (abs(n) + abs(a)))
            said.append([n, a, errors[-1]])
        words = [line.replace(",", "").split() for line in out.getvalue().splitlines()]
        printed = np.array([[each[1], each[3], each[6]] for each in words], dtype=float)
        wrong = len(found) != count or printed.shape != (count, 3) or not np.array_equal(x.ravel(), np.arange(6.0))
        return float(wrong) or float(np.abs(np.subtract(found, errors)).max() + np.abs(printed - said).max())

    gradient = np.arange(6.0).reshape(2, 3) ** 2 * 2 - 5
    given = {"num_checks": 4, "h": 0.1, "seed": 3}
    flat = np.zeros(2)

    def nothing() -> float:
        with redirect_stdout(StringIO()):
            return float(module.grad_check_sparse(lambda x: 1.0, flat, np.zeros(2)) != [0.0] * 10)

    def usual_step() -> float:
        """At 0 the difference of x³ is h², 1e-10."""
        with redirect_stdout(StringIO()):
            return relative(module.grad_check_sparse(bend, np.zeros(1), np.full(1, 3e-10), 1)[0], 0.5)

    return [
        Check("gradcheck, sparse", lambda: sparse(gradient, 4, 0.1, 3, **given), 1e-5),
        Check("gradcheck, sparse by default", lambda: sparse(gradient, 10, 0.0, 0), 1e-5),
        Check("gradcheck, sparse and flat", nothing),
        Check("gradcheck, sparse, usual step", usual_step, 1e-6),
    ]


def gradcheck_cases(module: Any) -> Sequence[Case]:
    """Errors, steps and kinks, and the sparse check."""
    return [*error_cases(module), *step_cases(module), *sparse_cases(module)]


SUBJECTS: dict[str, Subject] = {
    "gradcheck": Subject(
        gradcheck,
        gradcheck_cases,
        harmless={
            "_check_entry: by_hand - numerical -> numerical - by_hand": "only its size is used",
            "grad_check_sparse: numerical - analytic -> analytic - numerical": "only its size is used",
            "_check_entry: error < best.error -> error <= best.error": "two equal errors are as good",
            **{
                f"_check_entry: {left} {old} {right} -> {left} {new} {right}": "no value lies exactly on this limit"
                for left, old, new, right in (
                    ("noise / TOLERANCE", "<", "<=", "size"),
                    ("best.error", "<=", "<", "TOLERANCE / 10"),
                    ("slopes[1] - slopes[0]", ">", ">=", "APART * scale + noise"),
                    ("best.error", ">", ">=", "TOLERANCE"),
                )
            },
        },
    ),
}
