"""Pictures of optimisers: the path that a rule takes downhill, beside that of plain gradient descent."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lessons.pictures.chart import LEFT, RIGHT, SAMPLES, Panel, key, panel
from lessons.pictures.drawing import arrow, caption, picture
from pellucid.plots import svg
from pellucid.scratch.optimisers.adadelta import adadelta
from pellucid.scratch.optimisers.adagrad import adagrad
from pellucid.scratch.optimisers.adam import adam, adam_uncorrected
from pellucid.scratch.optimisers.adamw import adamw
from pellucid.scratch.optimisers.batches import batches
from pellucid.scratch.optimisers.clip import clip_by_norm
from pellucid.scratch.optimisers.momentum import sgd_momentum
from pellucid.scratch.optimisers.nesterov import sgd_nesterov
from pellucid.scratch.optimisers.rmsprop import rmsprop
from pellucid.scratch.optimisers.second_order.gauss_newton import gauss_newton_step
from pellucid.scratch.optimisers.second_order.lbfgs import lbfgs
from pellucid.scratch.optimisers.second_order.line_search import ARMIJO, CURVATURE, strong_wolfe
from pellucid.scratch.optimisers.second_order.newton import newton_step
from pellucid.scratch.optimisers.sgd import sgd
from pellucid.scratch.optimisers.table import Rule

STEEP = np.array([1.0, 12.0])  # curvatures of the bowl along its two axes
START = np.array([-9.0, 2.0])
LEVELS = [0.5, 3, 8, 16, 27, 42, 60]
STEPS = 20
Walk = tuple[Rule, dict[str, Any], int]  # a rule, its settings, the number of its colour
PLAIN: Walk = (sgd, {"learning_rate": 0.15}, 6)


def bowl(w: np.ndarray) -> np.ndarray:
    return (STEEP * w**2).sum(axis=-1) / 2


def steps_of(rule: Rule, config: Mapping[str, Any], steps: int, start: np.ndarray = START) -> np.ndarray:
    """The points (steps + 1, 2) that a rule visits in the bowl."""
    points, settings = [start], dict(config)
    for _ in range(steps):
        w, settings = rule(points[-1], STEEP * points[-1], settings)
        points.append(w)
    return np.array(points)


def in_the_bowl(title: str, walks: Mapping[str, Walk], steps: int = STEPS) -> str:
    """Paths of several rules from one start, over the level lines of the bowl."""
    parts, top = key({name: series for name, (_, _, series) in walks.items()})
    area = panel(0, top + 10, 480, 202, (-10.2, 3.8), (-2.95, 2.95))
    parts += [area.contours(bowl, LEVELS), *marked(area, 0, 0)]
    for rule, config, series in reversed(list(walks.values())):
        parts += area.walk(inside(area, steps_of(rule, config, steps)), series)
    parts.append(caption(0, top + 230, f"{steps} steps on a bowl 12 times steeper across than along"))
    return picture(title, top + 240, f"{title}: paths of {', '.join(walks)} over the level lines of a bowl.", parts)


def inside(area: Panel, points: np.ndarray) -> np.ndarray:
    """The points up to the first that leaves the panel."""
    lo, hi = (area.across.lo, area.up.lo), (area.across.hi, area.up.hi)
    out = ((points < lo) | (points > hi)).any(axis=1)
    return points[: int(out.argmax())] if out.any() else points


def marked(area: Panel, x: float, y: float) -> list[str]:
    """A cross at a minimum."""
    left, top = area.at(x, y)
    return [svg.line(left - 5, top, left + 5, top, "axis"), svg.line(left, top - 5, left, top + 5, "axis")]


def plain() -> str:
    return in_the_bowl(
        "η above 2 / curvature: the swings only grow",
        {
            "η = 0.02": (sgd, {"learning_rate": 0.02}, 3),
            "η = 0.15": (sgd, {"learning_rate": 0.15}, 1),
            "η = 0.17, above 2 / 12": (sgd, {"learning_rate": 0.17}, 2),
        },
    )


def momentum() -> str:
    return in_the_bowl(
        "Speed where gradients agree, little where they flip",
        {"momentum 0.8": (sgd_momentum, {"learning_rate": 0.05, "momentum": 0.8}, 1), "gradient descent": PLAIN},
    )


def nesterov() -> str:
    return in_the_bowl(
        "Looking ahead, it brakes before it is too late",
        {
            "Nesterov 0.8": (sgd_nesterov, {"learning_rate": 0.05, "momentum": 0.8}, 1),
            "momentum 0.8": (sgd_momentum, {"learning_rate": 0.05, "momentum": 0.8}, 2),
            "gradient descent": PLAIN,
        },
    )


def with_own_scales() -> str:
    return in_the_bowl(
        "Both directions advance alike, in ever shorter steps",
        {"AdaGrad, η = 1.5": (adagrad, {"learning_rate": 1.5}, 1), "gradient descent": PLAIN},
    )


def fading() -> str:
    return in_the_bowl(
        "The memory fades, so the steps keep their length",
        {
            "RMSProp, η = 0.5": (rmsprop, {"learning_rate": 0.5, "decay_rate": 0.9}, 1),
            "AdaGrad, η = 0.5": (adagrad, {"learning_rate": 0.5}, 2),
            "gradient descent": PLAIN,
        },
    )


def own_rate() -> str:
    return in_the_bowl(
        "No learning rate: steps grow with the steps before",
        {"Adadelta, ε = 0.01": (adadelta, {"epsilon": 1e-2}, 1), "gradient descent": PLAIN},
        40,
    )


def two_moments() -> str:
    return in_the_bowl(
        "Without the correction, early steps are too long",
        {
            "Adam, η = 0.6": (adam, {"learning_rate": 0.6}, 1),
            "uncorrected": (adam_uncorrected, {"learning_rate": 0.6}, 2),
            "gradient descent": PLAIN,
        },
    )


def decoupled() -> str:
    """Decay beside Adam against a penalty inside its gradient."""

    def penalised(w: np.ndarray, dw: np.ndarray, config: dict[str, Any] | None = None) -> Any:
        return adam(w, dw + 0.5 * w, config)

    return in_the_bowl(
        "Inside the gradient, Adam scales the decay away",
        {
            "AdamW, λ = 0.5": (adamw, {"learning_rate": 0.3, "weight_decay": 0.5}, 1),
            "Adam, 0.5 w in its gradient": (penalised, {"learning_rate": 0.3}, 2),
            "Adam: the same path": (adam, {"learning_rate": 0.3}, 6),
        },
    )


def clipping() -> str:
    """Several gradients and what is left of them."""
    angles = np.array([0.2, 1.1, 2.0, 2.75, 3.6, 4.4, 5.3])
    lengths = np.array([3.0, 0.7, 1.7, 3.4, 0.9, 1.2, 2.2])
    area = panel(60, 36, 360, 216, (-4, 4), (-2.4, 2.4))
    turns = np.linspace(0, 2 * np.pi, 97)
    parts = [area.curve(np.cos(turns), np.sin(turns), "s2")]
    for gradient in np.stack([lengths * np.cos(angles), lengths * np.sin(angles)], axis=1):
        kept, _ = clip_by_norm(gradient, 1.0)
        parts += arrow(area.at(0, 0), area.at(*gradient))
        parts += arrow(area.at(0, 0), area.at(*kept), kind="curve s1")
    parts.append(caption(0, 262, "thin: gradients; thick: clipped to length 1, the circle"))
    return picture("Too long a gradient is shortened, not turned", 272, "Gradients before and after clipping.", parts)


def batch_sizes() -> str:
    """Least squares with three batch sizes, one epoch budget each."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 2)) * [1.0, 2.0]
    y = x @ [1.0, -0.5] + 0.8 * rng.standard_normal(64)

    def loss(w: np.ndarray) -> np.ndarray:
        return ((w @ x.T - y) ** 2).mean(axis=-1) / 2

    best = np.linalg.lstsq(x, y)[0]
    parts = []
    for number, (size, epochs) in enumerate(((64, 30), (8, 4), (1, 1))):
        points = [np.array([-1.6, 1.0])]
        for batch in batches(64, size, epochs, np.random.default_rng(2)):
            rows = batch.indices
            gradient = x[rows].T @ (x[rows] @ points[-1] - y[rows]) / len(rows)
            points.append(sgd(points[-1], gradient, {"learning_rate": 0.12})[0])
        left = 164 * number
        area = panel(left, 64, 150, 150, (-2.0, 2.2), (-2.3, 1.9))
        parts += [svg.text(left, 54, f"B = {size}"), *area.cross()[:1]]
        parts += [area.contours(loss, [0.4, 0.7, 1.3, 2.5, 4.5, 7.5]), *marked(area, *best)]
        parts += area.walk(inside(area, np.array(points)), 1, 1.6)
        parts.append(caption(left, 236, f"{len(points) - 1} steps, {epochs} epoch{'s' * (epochs > 1)}", "start"))
    return picture("Small batches: noisy steps, but many for one look", 246, "Paths with three batch sizes.", parts)


def newton() -> str:
    """One step in the bowl."""
    parts, top = key({"Newton, one step": 1, "gradient descent, 20 steps": 6})
    area = panel(0, top + 10, 480, 202, (-10.2, 3.8), (-2.95, 2.95))
    parts += [area.contours(bowl, LEVELS), *marked(area, 0, 0)]
    parts += area.walk(inside(area, steps_of(PLAIN[0], PLAIN[1], STEPS)), 6)
    end = newton_step(START, STEEP * START, np.diag(STEEP))
    parts += area.walk(np.array([START, end]), 1, 4)
    parts.append(caption(0, top + 230, "the bowl is quadratic, so its second-order model is the bowl"))
    return picture("Straight to the minimum, however narrow the valley", top + 240, "One Newton step in a bowl.", parts)


def gauss_newton() -> str:
    """A curve that moves to its data."""
    t = np.linspace(0, 3, 13)
    data = 3 * np.exp(-1.1 * t) + 0.12 * np.random.default_rng(0).standard_normal(len(t))
    points = [np.array([1.0, 0.35])]
    for _ in range(4):
        a, b = points[-1]
        jacobian = np.stack([np.exp(b * t), a * t * np.exp(b * t)], axis=1)
        points.append(gauss_newton_step(points[-1], a * np.exp(b * t) - data, jacobian))
    names = {"start": 6, "step 1": 3, "step 2": 2, "step 4": 1}
    parts, top = key(names)
    area = panel(LEFT, top + 10, RIGHT - LEFT, 180, (-0.1, 3.1), (-1.2, 3.4))
    parts += area.frame("t")
    fine = np.linspace(0, 3, SAMPLES)
    for (a, b), series in zip((points[n] for n in (0, 1, 2, 4)), names.values(), strict=True):
        parts.append(area.curve(fine, a * np.exp(b * fine), f"s{series}"))
    parts += [svg.circle(*area.at(*point), 3, "f4") for point in zip(t, data, strict=True)]
    return picture("a exp(b t) is bent to its data in a few steps", top + 234, "A fit after each step.", parts)


def line_search() -> str:
    """What is tried, and what is taken."""

    def phi(a: Any) -> tuple[Any, Any]:
        return (a - 1.6) ** 2 * (0.5 + 0.1 * a) + 0.5, 2 * (a - 1.6) * (0.5 + 0.1 * a) + 0.1 * (a - 1.6) ** 2

    tried: list[float] = []

    def watched(a: float) -> tuple[float, float]:
        tried.append(a)
        return phi(a)

    value, slope = phi(0.0)
    taken = strong_wolfe(watched, value, slope, 4.9)
    a = np.linspace(0, 5.2, SAMPLES)
    flat = np.where(np.abs(phi(a)[1]) <= CURVATURE * abs(slope), 0.15, np.nan)
    lines = {"φ(a)": (phi(a)[0], 1), "low enough below": (value + ARMIJO * a * slope, 2), "flat enough": (flat, 4)}
    parts, top = key({name: series for name, (_, series) in lines.items()})
    area = panel(LEFT, top + 10, RIGHT - LEFT, 190, (0, 5.2), (0, 4.4))
    parts += [*area.frame("step length a"), *(area.curve(a, y, f"s{series}") for y, series in lines.values())]
    for number, step in enumerate(tried, 1):
        height = float(phi(step)[0])
        x, y = area.at(step, min(height, 4.0))
        seen, shown = height < 4, "taken" if step == taken else "too high ↑" if height > value else "too steep"
        parts += [svg.circle(x, y, 4, "f1" if step == taken else "f6")] if seen else []
        parts.append(svg.text(x, y - 10, f"{number}: {shown}", "small", "middle"))
    return picture("Halved until it is low enough and flat enough", top + 244, "Trials of a line search.", parts)


def quasi_newton() -> str:
    """Rosenbrock's valley."""

    def valley(w: np.ndarray) -> np.ndarray:
        return (1 - w[..., 0]) ** 2 + 10 * (w[..., 1] - w[..., 0] ** 2) ** 2

    def with_gradient(w: np.ndarray) -> tuple[float, np.ndarray]:
        bend = w[1] - w[0] ** 2
        return float(valley(w)), np.array([-2 * (1 - w[0]) - 40 * w[0] * bend, 20 * bend])

    start = np.array([-1.3, 1.2])
    steps = len(lbfgs(with_gradient, start).losses) - 1
    path = np.array([lbfgs(with_gradient, start, steps=n).x for n in range(steps + 1)])
    slow = [start]
    for _ in range(60):
        slow.append(sgd(slow[-1], with_gradient(slow[-1])[1], {"learning_rate": 0.012})[0])
    parts, top = key({f"L-BFGS, {steps} steps": 1, "gradient descent, 60 steps": 6})
    area = panel(40, top + 10, 400, 220, (-2.0, 2.0), (-0.5, 1.7))
    parts += [*area.cross()[:1], area.contours(valley, [0.3, 1, 3, 8, 18, 35, 60]), *marked(area, 1, 1)]
    parts += area.walk(inside(area, np.array(slow)), 6, 1.5) + area.walk(inside(area, path), 1)
    return picture("From gradients alone it learns how the valley bends", top + 240, "L-BFGS in a bent valley.", parts)


PICTURES: dict[str, Callable[[], str]] = {
    "sgd": plain,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": with_own_scales,
    "adadelta": own_rate,
    "rmsprop": fading,
    "adam": two_moments,
    "adamw": decoupled,
    "clip": clipping,
    "batches": batch_sizes,
    "newton": newton,
    "gauss-newton": gauss_newton,
    "line-search": line_search,
    "l-bfgs": quasi_newton,
}
