"""Proofs of the methods that use curvature: closed forms, and the same algorithms with dense matrices."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from pellucid.proof.case import Case, Check, Subject
from pellucid.scratch.optimisers.second_order import gauss_newton, lbfgs, line_search, newton

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


def distance(a: Any, b: Any) -> float:
    """Largest difference; infinite where the shapes differ."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(np.max(np.abs(a - b), initial=0.0)) if a.shape == b.shape else float("inf")


# --------------------------------------------------------------------------------------------- Newton


def newton_cases(module: Any) -> Sequence[Case]:
    """One step to the minimum of a bowl of condition 10,000; the costs of 10 and 1,000 weights."""

    def one_step() -> float:
        rng = np.random.default_rng(0)
        turn, _ = np.linalg.qr(rng.standard_normal((6, 6)))
        hessian = turn @ np.diag(np.logspace(-2, 2, 6)) @ turn.T
        minimum, x = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
        gradient = (hessian @ (x - minimum).reshape(-1)).reshape(2, 3)
        return distance(module.newton_step(x, gradient, hessian), minimum)

    def costs() -> float:
        found = [list(vars(cost).values()) for cost in module.cost_table([10, 1000])]
        return distance(found, [[10, 10, 200, 100, 800, 333], [1000, 1000, 20_000, 10**6, 8 * 10**6, 333_333_333]])

    return [Check("newton, one step", one_step), Check("newton, costs", costs)]


# --------------------------------------------------------------------------------------- Gauss-Newton

TIMES = np.linspace(0, 2, 7)


def decay(x: np.ndarray) -> np.ndarray:
    """Residuals of x0 exp(x1 t) against 2 exp(-t) and a bend that no such curve has."""
    return x[0] * np.exp(x[1] * TIMES) - 2 * np.exp(-TIMES) - 0.1 * np.sin(3 * TIMES)


def decay_jacobian(x: np.ndarray) -> np.ndarray:
    """Of these residuals, (7, 2)."""
    slope = np.exp(x[1] * TIMES)
    return np.stack([slope, x[0] * TIMES * slope], axis=1)


def marquardt(x: np.ndarray, steps: int, damping: float, tolerance: float) -> tuple[list[float], np.ndarray, bool]:
    """The damped method by its normal equations, with losses, end, and whether it arrived."""
    losses, r, j = [np.sum(decay(x) ** 2) / 2], decay(x), decay_jacobian(x)
    for _ in range(steps):
        while True:
            if np.sqrt(np.sum((j.T @ r) ** 2)) <= tolerance:
                return losses, x, True
            new = x - np.linalg.inv(j.T @ j + damping * np.eye(2)) @ j.T @ r
            loss = np.sum(decay(new) ** 2) / 2
            if loss < losses[-1]:
                break
            damping *= 10
        x, damping, losses = new, damping / 10, [*losses, loss]
        r, j = decay(x), decay_jacobian(x)
    return losses, x, bool(np.sqrt(np.sum((j.T @ r) ** 2)) <= tolerance)


def gauss_newton_cases(module: Any) -> Sequence[Case]:
    """Linear residuals in one step; with damping, the normal equations; a curve fit beside the plain algorithm."""
    rng = np.random.default_rng(1)
    j, r, x = rng.standard_normal((5, 3)), rng.standard_normal(5), rng.standard_normal(3)

    def plain() -> float:
        return distance(module.gauss_newton_step(x, r, j), x - np.linalg.inv(j.T @ j) @ j.T @ r)

    def damped() -> float:
        wanted = x - np.linalg.inv(j.T @ j + 0.3 * np.eye(3)) @ j.T @ r
        return distance(module.gauss_newton_step(x, r, j, 0.3), wanted)

    def fit(start: tuple[float, float], steps: int = 100, damping: float = 1e-3, tolerance: float = 1e-8) -> float:
        """The same losses and the same end, whether settings are given or not."""
        given = (steps, damping, tolerance)
        settings = {} if given == (100, 1e-3, 1e-8) else {"steps": steps, "damping": damping, "tolerance": tolerance}
        found = module.levenberg_marquardt(decay, decay_jacobian, np.array(start), **settings)
        losses, end, arrived = marquardt(np.array(start), *given)
        return distance(found.losses, losses) + distance(found.x, end) + float(found.converged != arrived)

    return [
        Check("gauss-newton, plain", plain),
        Check("gauss-newton, damped", damped),
        Check("gauss-newton, fit", lambda: fit((1.0, -0.5))),
        Check("gauss-newton, fit from afar", lambda: fit((0.1, 3.0), 40, 0.1, 1e-5)),
        Check("gauss-newton, a few steps", lambda: fit((5.0, 2.0), 3, 1e-4, 1e-8)),
        Check("gauss-newton, arrived", lambda: fit((5.0, 2.0), 3, 1e-4, 1e9)),
        *fit_ending_cases(module),
    ]


def fit_ending_cases(module: Any) -> Sequence[Case]:
    """When a fit ends: short gradients, no steps left, nothing that descends."""

    def flat_descent() -> float:
        """A gradient of 1.4e-8 at first: not short enough to stop at 1e-8, and hardly less after a step."""
        found = module.levenberg_marquardt(lambda x: 1.4e-8 * x, lambda x: np.full((1, 1), 1.0), np.ones(1), steps=1)
        return float(len(found.losses) != 2 or found.converged)

    def patience() -> float:
        """Residuals 1 / x grow towards smaller x and the limit is at infinity: all 100 steps are used."""
        found = module.levenberg_marquardt(lambda x: 1 / x, lambda x: -1 / x[:, None] ** 2, np.ones(1), tolerance=0.0)
        return float(len(found.losses) != 101 or found.converged)

    def uphill() -> float:
        """With a Jacobian of the wrong sign every step climbs: at 0.0015, 0.015, ..., 1.5e11, and at 1, ..., 1e12."""
        calls: list[float] = []

        def residuals(x: np.ndarray) -> np.ndarray:
            calls.append(float(x[0]))
            return x

        ends = []
        for damping in (1.5e-3, 1.0):
            found = module.levenberg_marquardt(residuals, lambda x: -np.eye(1), np.ones(1), damping=damping)
            ends.append((found.converged, found.losses, found.x.tolist(), len(calls)))
        return float(ends != [(False, [0.5], [1.0], 16), (False, [0.5], [1.0], 16 + 14)])

    def level() -> float:
        """Residuals that no step changes: not a descent, so no step is taken."""
        found = module.levenberg_marquardt(lambda x: np.ones(1), lambda x: np.eye(1), np.ones(1))
        return float(found.converged or len(found.losses) != 1)

    def at_the_limit() -> float:
        """A gradient exactly as short as asked is short enough, before the first step and after the last."""
        ends = [
            module.levenberg_marquardt(lambda x: x, lambda x: np.eye(1), np.full(1, 0.5), steps, tolerance=0.5)
            for steps in (0, 5)
        ]
        return float([(end.converged, len(end.losses)) for end in ends] != [(True, 1)] * 2)

    return [
        Check("gauss-newton, tolerance", flat_descent),
        Check("gauss-newton, patience", patience),
        Check("gauss-newton, uphill", uphill),
        Check("gauss-newton, level", level),
        Check("gauss-newton, at the limit", at_the_limit),
    ]


# ---------------------------------------------------------------------------------------- line search


def trials(
    search: Callable[..., float], line: Any, slope: float = -1.0, start: float = 7.0, **first: float
) -> list[float]:
    """The steps that were tried, and last the one that was returned."""
    tried: list[float] = []

    def watched(a: float) -> tuple[float, float]:
        tried.append(a)
        value, slope_there = line(a)
        return start + value, slope_there

    found = search(watched, start, slope, **first)
    return [*tried, found]


def parabola(bottom: float) -> Any:
    """Slope -1 at 0; above 0 again beyond twice its bottom."""
    return lambda a: (-a + a**2 / (2 * bottom), -1 + a / bottom)


def straight(fall: float, slope_there: float) -> Any:
    """A line, which claims another slope than it has."""
    return lambda a: (-fall * a, slope_there)


def not_a_number(a: float) -> tuple[float, float]:
    """NaN beyond 0.3."""
    return (float("nan"), 0.0) if a > 0.3 else (-a, -0.5)


HALVINGS = [0.5**k for k in range(60)]
ARMIJO: dict[str, Any] = {
    "first": (parabola(1.0), {}, [1, 1]),
    "halved": (parabola(0.2), {}, [1, 0.5, 0.25, 0.25]),
    "begun at 3": (parabola(1.0), {"step": 3.0}, [3, 1.5, 1.5]),
    "just enough": (straight(1.5e-4, 0.0), {}, [1, 1]),
    "exactly": (straight(1e-4, 0.0), {}, [1, 1]),
    "a steeper start": (straight(1.5e-4, 0.0), {"start": 0.0, "slope": -2.0}, [*HALVINGS, 0]),
    "too little": (straight(0.7e-4, 0.0), {"start": 0.0, "step": 3.0}, [*(3 * a for a in HALVINGS), 0]),
    "level, the change lost in rounding": (straight(0.0, 0.0), {"start": 1e20}, [*HALVINGS, 0]),
    "not a number": (not_a_number, {}, [1, 0.5, 0.25, 0.25]),
}
WOLFE: dict[str, Any] = {
    "first": (parabola(1.0), {}, [1, 1]),
    "doubled": (parabola(20.0), {}, [1, 2, 2]),  # slopes -0.95 and -0.9, which is just flat enough
    "doubled twice": (parabola(30.0), {}, [1, 2, 4, 4]),
    "too far": (parabola(0.2), {}, [1, 0.5, 0.25, 0.25]),
    "upwards too steep": (parabola(0.5125), {}, [1, 0.5, 0.5]),  # slope 0.95
    "upwards, flat enough": (parabola(0.54), {}, [1, 1]),  # slope 0.85
    "upwards, just flat enough": (lambda a: (-a, 0.9), {}, [1, 1]),
    "between": (lambda a: (-a, -1.0 if a < 1.2 else 0.0 if a < 1.3 else 1.0), {}, [1, 2, 1.5, 1.25, 1.25]),
    "begun at 3": (parabola(1.0), {"step": 3.0}, [3, 1.5, 1.5]),
    "just enough": (straight(1.5e-4, 0.0), {}, [1, 1]),
    "exactly": (straight(1e-4, 0.0), {}, [1, 1]),
    "a steeper start": (straight(1.5e-4, 0.0), {"start": 0.0, "slope": -2.0}, [*HALVINGS, 0]),
    "too little": (straight(0.7e-4, 0.0), {"start": 0.0, "step": 3.0}, [*(3 * a for a in HALVINGS), 0]),
    "steep, flat enough": (straight(1.0, -1.75), {"slope": -2.0}, [1, 1]),
    "steep, upwards": (straight(1.0, 1.75), {"slope": -2.0}, [1, 1]),
    "never flat": (straight(1.0, -1.0), {}, [*(2.0**k for k in range(60)), 2.0**59]),
    "not a number": (not_a_number, {}, [1, 0.5, 0.25, 0.25]),
}


def line_search_cases(module: Any) -> Sequence[Case]:
    """Lines on which every trial is known by hand."""

    def check(name: str, search: Callable[..., float], line: Any, settings: dict[str, float], wanted: Any) -> Check:
        return Check(f"line search, {name}", lambda: distance(trials(search, line, **settings), wanted), 1e-12)

    return [
        *(check(f"armijo, {name}", module.armijo, *given) for name, given in ARMIJO.items()),
        *(check(f"wolfe, {name}", module.strong_wolfe, *given) for name, given in WOLFE.items()),
    ]


# --------------------------------------------------------------------------------------------- L-BFGS


def dense_inverse(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The inverse Hessian that BFGS makes of the pairs, written down."""
    s, y = pairs[-1]
    identity = np.eye(len(s))
    inverse = (s @ y) / (y @ y) * identity
    for s, y in pairs:
        rho = 1 / (y @ s)
        inverse = (identity - rho * np.outer(s, y)) @ inverse @ (identity - rho * np.outer(y, s)) + rho * np.outer(s, s)
    return inverse


def dense_lbfgs(f: Function, x: np.ndarray, steps: int, history: int, search: str, tolerance: float) -> list[float]:
    """The losses of the same method with matrices."""
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    value, g = f(x)
    losses = [value]
    while np.sqrt(g @ g) > tolerance and len(losses) <= steps:
        direction = -dense_inverse(pairs) @ g if pairs else -g

        def line(a: float, x: np.ndarray = x, direction: np.ndarray = direction) -> tuple[float, float]:
            value, gradient = f(x + a * direction)
            return value, float(gradient @ direction)

        first = 1.0 if pairs else min(1.0, 1 / np.sqrt(g @ g))
        a = line_search.LINE_SEARCHES[search](line, value, float(g @ direction), first)
        value, there = f(x + a * direction)
        s, y = a * direction, there - g
        if s @ y > 1e-10 * np.sqrt(s @ s) * np.sqrt(y @ y):
            pairs = [*pairs, (s, y)][-history:]
        x, g, losses = x + a * direction, there, [*losses, value]
    return losses


def valley(x: np.ndarray) -> tuple[float, np.ndarray]:
    """Rosenbrock's curved valley in four dimensions: bends both ways on the way to (1, 1, 1, 1)."""
    a, b = 1 - x[:-1], x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[:-1] = -2 * a - 40 * x[:-1] * b
    gradient[1:] += 20 * b
    return float(np.sum(a**2 + 10 * b**2)), gradient


def long_bowl(x: np.ndarray) -> tuple[float, np.ndarray]:
    """Twenty-four directions whose curvatures lie between 0.01 and 1."""
    curvatures = np.logspace(-2, 0, len(x))
    return float(curvatures @ x**2 / 2), curvatures * x


def slope_down(x: np.ndarray) -> tuple[float, np.ndarray]:
    """A plane, which has no curvature and no end."""
    return float(-np.sum(x)), -np.ones_like(x)


START = np.array([-1.2, 1.0, -0.5, 2.0])
LONG_START = np.random.default_rng(2).standard_normal(24)


def lbfgs_cases(module: Any) -> Sequence[Case]:
    """The two loops against the dense formula, and whole paths against the dense method."""
    rng = np.random.default_rng(2)

    def loops(count: int) -> float:
        draws = rng.standard_normal((count, 2, 5))
        pairs = [(s, y if s @ y > 0 else -y) for s, y in draws]
        g = rng.standard_normal(5)
        return distance(module.two_loop(g, pairs), dense_inverse(pairs) @ g if pairs else g)

    def path(f: Function, x: np.ndarray, **settings: Any) -> float:
        """The same losses, as many calls as the function counts itself, and an end that fits what is said of it."""
        calls: list[np.ndarray] = []

        def counted(at: np.ndarray) -> tuple[float, np.ndarray]:
            calls.append(at)
            return f(at)

        found = module.lbfgs(counted, x, **settings)
        filled: dict[str, Any] = {"steps": 100, "history": 10, "line_search": "wolfe", "tolerance": 1e-6} | settings
        wanted = dense_lbfgs(f, x, *filled.values())
        value, gradient = f(found.x)
        said = [len(calls) == found.evaluations, len({tuple(at) for at in calls}) == len(calls)]
        said += [
            found.converged == (found.gradient_norm <= filled["tolerance"]),
            distance(value, found.losses[-1]) == 0,
        ]
        said.append(distance(np.sqrt(gradient @ gradient), found.gradient_norm) < 1e-12)
        return distance(found.losses[:25], wanted[:25]) + abs(len(found.losses) - len(wanted)) + float(not all(said))

    return [
        *(Check(f"l-bfgs, two loops over {count} pairs", partial(loops, count)) for count in (0, 1, 2, 4)),
        Check("l-bfgs, by default", lambda: path(valley, START), 1e-6),
        Check("l-bfgs, long bowl", lambda: path(long_bowl, LONG_START), 1e-6),
        Check("l-bfgs, short history", lambda: path(long_bowl, LONG_START, history=3, tolerance=1e-3), 1e-6),
        Check("l-bfgs, armijo", lambda: path(valley, START, line_search="armijo"), 1e-6),
        Check("l-bfgs, few steps", lambda: path(valley, START, steps=5), 1e-6),
        Check("l-bfgs, no curvature", lambda: path(slope_down, START, line_search="armijo")),
        Check("l-bfgs, small gradients", lambda: path(long_bowl, 0.1 * LONG_START), 1e-6),
        *lbfgs_edge_cases(module),
    ]


def lbfgs_edge_cases(module: Any) -> Sequence[Case]:
    """Where a path ends, which pairs are kept, and weights that are no vector."""

    def ends() -> float:
        """At the very start if the gradient is 0 there or short enough; not if it is a little longer than 1e-6."""
        starts: Any = ((0.0, {}), (0.9e-6, {}), (1.5e-6, {}), (0.5, {"tolerance": 0.5}))
        found = [module.lbfgs(long_bowl, np.array([0.0, at]), **more) for at, more in starts]
        return distance([len(each.losses) for each in found], [1, 1, 2, 1]) + sum(not each.converged for each in found)

    def flat(tilt: float) -> float:
        """A plane that bends a little to one side: step and change of gradient are square but for `tilt`."""

        def gutter(x: np.ndarray) -> tuple[float, np.ndarray]:
            return float(x[0] / 2 + x[1] ** 2 / 2), np.array([0.5, x[1]])

        x = np.array([0.0, tilt / 2])
        found = module.lbfgs(gutter, x, steps=2, line_search="armijo")
        wanted = dense_lbfgs(gutter, x, 2, 10, "armijo", 1e-6)
        return distance(found.losses, wanted) / max(map(abs, wanted))

    def stuck() -> float:
        """Gradients of the wrong sign after a while: then nothing lowers the value, with pairs or without."""
        results = []
        for turned in (1, 12):
            calls: list[int] = []

            def f(x: np.ndarray, turned: int = turned, calls: list[int] = calls) -> tuple[float, np.ndarray]:
                calls.append(1)
                value, gradient = long_bowl(x)
                return value, -gradient if len(calls) >= turned else gradient

            found = module.lbfgs(f, LONG_START)
            results.append((found.converged, "rounding" in found.reason, found.losses == sorted(found.losses)[::-1]))
        return float(results != [(False, True, True)] * 2)

    def shaped() -> float:
        """Weights of any shape, and the start unchanged."""
        x = START.reshape(2, 2).copy()
        found = module.lbfgs(lambda w: (valley(w.reshape(4))[0], valley(w.reshape(4))[1].reshape(2, 2)), x)
        return distance(found.x, np.ones((2, 2))) + distance(x, START.reshape(2, 2))

    return [
        Check("l-bfgs, ends", ends),
        Check("l-bfgs, a pair just good enough", lambda: flat(1.5e-10), 1e-3),
        Check("l-bfgs, a pair just too flat", lambda: flat(0.7e-10), 1e-3),
        Check("l-bfgs, stuck", stuck),
        Check("l-bfgs, shapes", shaped, 1e-5),
    ]


SUBJECTS: dict[str, Subject] = {
    "newton": Subject(newton, newton_cases),
    "gauss-newton": Subject(gauss_newton, gauss_newton_cases),
    "line-search": Subject(line_search, line_search_cases),
    "l-bfgs": Subject(
        lbfgs,
        lbfgs_cases,
        harmless={
            "lbfgs: np.dot(s, y) > FLAT * np.linalg.norm(s) * np.linalg.norm(y) -> "
            "np.dot(s, y) >= FLAT * np.linalg.norm(s) * np.linalg.norm(y)": "no pair lies exactly on the limit",
        },
    ),
}
