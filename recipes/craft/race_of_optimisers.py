"""What holds plain gradient descent up, and what helps?

Four landscapes, four troubles. In a narrow valley the rate that the steep sides allow is far too small for the floor.
Behind a small dip lies the real minimum. Beside the ridge of a saddle the gradient is nearly nothing, and a plain step
is as small as the gradient. And where the gradient is noisy, every step of the same size keeps the point jumping.

The table counts the steps until a point is within a tenth of a minimum and stays there. Momentum runs through the
valley in a third of the steps, out of the dip, and away from the saddle while plain descent still creeps along its
ridge. RMSProp and Adam divide by the size of past gradients, which makes the valley rounder and turns the tiny
gradients of the saddle into whole steps at once; the dip stops RMSProp as it does plain descent. Under noise it is the
other way round: momentum adds up ten steps' worth of it and wanders farthest from the minimum, which is why rates are
decayed.

    python recipes/craft/race_of_optimisers.py
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from pellucid.plots import svg
from pellucid.scratch.optimisers.adam import adam
from pellucid.scratch.optimisers.momentum import sgd_momentum
from pellucid.scratch.optimisers.rmsprop import rmsprop
from pellucid.scratch.optimisers.sgd import sgd

STEPS, NEAR = 600, 0.1
DRAWN, FRAMES, SIDE, GRID = 200, 60, 190.0, 61  # steps that leave a line, moments shown; pixels, cells


@dataclass(frozen=True)
class Landscape:
    """A function of points (..., 2), its minima, and where the race starts. Drawn with x and y from -2 to 2."""

    height: Callable[[np.ndarray], np.ndarray]
    minima: tuple[tuple[float, float], ...]
    start: tuple[float, float]
    noise: float = 0.0

    def gradient(self, point: np.ndarray, rng: np.random.Generator, h: float = 1e-5) -> np.ndarray:
        """Central differences of the height, and noise."""
        ahead = point + h * np.eye(2)
        behind = point - h * np.eye(2)
        return (self.height(ahead) - self.height(behind)) / (2 * h) + self.noise * rng.standard_normal(2)


LANDSCAPES = {
    "narrow valley": Landscape(lambda p: 0.25 * p[..., 0] ** 2 + 12.5 * p[..., 1] ** 2, ((0, 0),), (-1.8, 0.6)),
    "a dip on the way": Landscape(
        lambda p: 0.5 * (p[..., 0] - 1.0) ** 2 + p[..., 1] ** 2 - 0.35 * np.exp(-40 * (p[..., 0] + 0.7) ** 2),
        ((1.0, 0),),
        (-1.7, 0.8),
    ),
    "saddle": Landscape(
        lambda p: p[..., 0] ** 2 - p[..., 1] ** 2 / 4 + p[..., 1] ** 4 / 8, ((0, 1), (0, -1)), (-1.6, 1e-5)
    ),
    "noise": Landscape(lambda p: p[..., 0] ** 2 + p[..., 1] ** 2, ((0, 0),), (-1.6, 1.2), noise=1.0),
}
RULES: dict[str, tuple[Callable[..., Any], dict[str, float]]] = {
    "SGD": (sgd, {"learning_rate": 0.03}),
    "momentum 0.9": (sgd_momentum, {"learning_rate": 0.03, "momentum": 0.9}),
    "RMSProp": (rmsprop, {"learning_rate": 0.01}),
    "Adam": (adam, {"learning_rate": 0.03}),
}


def path(landscape: Landscape, rule: str) -> np.ndarray:
    """Points (STEPS + 1, 2) from the start on."""
    step, settings = RULES[rule]
    rng, point, config = np.random.default_rng(0), np.array(landscape.start), dict(settings)
    points = [point]
    for _ in range(STEPS):
        point, config = step(point, landscape.gradient(point, rng), config)
        points.append(point)
    return np.array(points)


def distance(landscape: Landscape, points: np.ndarray) -> np.ndarray:
    """From each point to the nearest minimum."""
    away = points[:, None] - np.array(landscape.minima)
    return np.linalg.norm(away, axis=-1).min(axis=1)


def arrival(landscape: Landscape, points: np.ndarray) -> str:
    """The first step from which on the point is near a minimum."""
    late = np.flatnonzero(distance(landscape, points) > NEAR)
    return str(late[-1] + 1) if late[-1] < STEPS else "never"


def contours(landscape: Landscape, left: float, top: float) -> list[str]:
    """Bands of equal height, pale, as a grid of cells whose neighbours of one band are joined."""
    axis = np.linspace(-2, 2, GRID)
    height = landscape.height(np.stack(np.meshgrid(axis, axis), axis=-1))
    band = np.digitize(height, np.quantile(height, np.linspace(0, 1, 11)[1:-1]))
    cell, parts = SIDE / GRID, []
    for row, values in enumerate(band):
        ends = [0, *(np.flatnonzero(np.diff(values)) + 1), GRID]
        for start, stop in pairwise(ends):
            if values[start] % 2:
                y = top + SIDE - (row + 1) * cell
                parts.append(svg.rect(left + start * cell, y, (stop - start) * cell, cell, "f6 pale"))
    return ['<g opacity="0.4">', *parts, "</g>"]


def runner(points: np.ndarray, style: int, left: float, top: float) -> list[str]:
    """The way, and a point that runs along it over and over."""
    x, y = left + (points[:, 0] + 2) / 4 * SIDE, top + SIDE - (points[:, 1] + 2) / 4 * SIDE
    x, y = np.clip(x, left, left + SIDE), np.clip(y, top, top + SIDE)
    frames = np.unique(np.round(np.linspace(0, 1, FRAMES) ** 2 * STEPS).astype(int))  # the beginning slowly
    moves = "".join(
        f'<animate attributeName="{name}" dur="8s" repeatCount="indefinite" values="'
        f'{";".join(svg.number(value) for value in values[frames])}"/>'
        for name, values in (("cx", x), ("cy", y))
    )
    dot = svg.circle(x[0], y[0], 4, f"f{style}").replace("</circle>", f"{moves}</circle>")
    return [svg.path([list(zip(x[:DRAWN], y[:DRAWN], strict=True))], f"curve s{style}"), dot]


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Steps to the minimum for each rule and landscape, and the race as a picture that moves."""
    paths = {rule: {name: path(place, rule) for name, place in LANDSCAPES.items()} for rule in RULES}
    rows = []
    for rule, found in paths.items():
        steps = [arrival(place, found[name]) for name, place in LANDSCAPES.items() if not place.noise]
        wandering = np.mean(distance(LANDSCAPES["noise"], found["noise"])[-200:])
        rows.append([rule, *steps, f"{wandering:.2f}"])
    key, tall = svg.key_rows(
        [(svg.line(0, 0, 22, 0, f"curve s{k}"), rule) for k, rule in enumerate(RULES, 1)], 400, 0, 30
    )
    parts = [svg.text(0, 18, "The race", "title"), *key]
    for k, (name, place) in enumerate(LANDSCAPES.items()):
        left, top = (k % 2) * (SIDE + 20), 54 + tall + (k // 2) * (SIDE + 30)
        parts += [svg.text(left, top - 8, name, "soft"), *contours(place, left, top)]
        for style, found in enumerate(paths.values(), 1):
            parts += runner(found[name], style, left, top)
    spoken = "Momentum passes the dip and leaves the saddle; plain descent stays in the dip and lingers at the saddle."
    picture = svg.document(2 * SIDE + 20, 2 * SIDE + 90 + tall, spoken, parts)
    header = ["rule", *(name for name, place in LANDSCAPES.items() if not place.noise), "noise: distance at the end"]
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(26) for cell in row))
