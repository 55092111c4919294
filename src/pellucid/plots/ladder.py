"""Ways to the same goal: what each reaches against what it costs, and the steps of the best so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pellucid.core.errors import DataError
from pellucid.plots import axes, svg

WIDTH, RIGHT, AREA = 640.0, 624.0, 300.0
DOT, GAP, TALL = 5.5, 10.0, 17.0  # radius of a point, how far off its name stands, height of a name


@dataclass(frozen=True)
class Step:
    """One of them.

    Attributes:
        name: written beside its point.
        cost, reached: both finite, the cost above 0.
        detail: shown under the pointer.
    """

    name: str
    cost: float
    reached: float
    detail: str = ""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "Box") -> float:
        """Pixels squared that both cover."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        tall = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(wide, 0.0) * max(tall, 0.0)


def ladder(steps: Sequence[Step], title: str, x_label: str = "CPU seconds", y_label: str = "accuracy, %") -> str:
    """Draw costs to the right by logarithm, what is reached upwards, and a staircase along the best so far.

    Args:
        steps: one or more. Those that no cheaper one beats stand on the stairs and are filled.

    Returns:
        SVG.

    Raises:
        DataError: there are none, or a cost is not above 0, or a number is not finite.
    """
    costs, reached = (np.array([getattr(step, name) for step in steps]) for name in ("cost", "reached"))
    if not len(steps) or not np.isfinite([costs, reached]).all() or not (costs > 0).all():
        raise DataError("A ladder needs steps with finite numbers and costs above 0.")
    top, bottom = 60.0, 60.0 + AREA
    up = axes.fit(reached, bottom, top, pad=0.1)
    left = axes.left_of(up)
    across = axes.fit(costs, left + 8, RIGHT - 8, log=True, pad=0.08)
    best = frontier(costs, reached)
    x, y = across(costs), up(reached)
    parts = [svg.text(0, 18, title, "title"), *axes.y_axis(up, left, RIGHT, y_label)]
    parts += axes.x_axis(across, bottom, x_label)
    corners = stairs(x[best], y[best], RIGHT)
    parts.append(svg.path([corners], "curve s1 pale"))
    for k, step in enumerate(steps):
        told = f"{step.name}: {step.reached:.2f} at {step.cost:,.1f} {x_label}{'; ' * bool(step.detail)}{step.detail}"
        parts.append(svg.circle(float(x[k]), float(y[k]), DOT, "f1" if k in best else "f6", told))
    lines = [
        Box(min(a, c) - 1.5, min(b, d) - 1.5, max(a, c) + 1.5, max(b, d) + 1.5) for (a, b), (c, d) in pairwise(corners)
    ]
    parts += _names(steps, x, y, Box(left, top - 8, RIGHT, bottom), lines)
    spoken = "; ".join(f"{step.name} {step.reached:.2f} at {step.cost:,.0f} {x_label}" for step in steps)
    return svg.document(WIDTH, bottom + 46, f"{title}: {spoken}.", parts)


def frontier(costs: np.ndarray, reached: np.ndarray) -> list[int]:
    """Positions of those that no other reaches at the same cost or less, by rising cost."""
    order = sorted(range(len(costs)), key=lambda k: (costs[k], -reached[k]))
    found: list[int] = []
    for k in order:
        if not found or reached[k] > reached[found[-1]]:
            found.append(k)
    return found


def stairs(x: np.ndarray, y: np.ndarray, end: float) -> list[tuple[float, float]]:
    """Corners of the line that goes right along each height and up at the next cost, and on to `end`."""
    corners = [(float(x[0]), float(y[0]))]
    for k in range(1, len(x)):
        corners += [(float(x[k]), float(y[k - 1])), (float(x[k]), float(y[k]))]
    return [*corners, (max(end, float(x[-1])), float(y[-1]))]


def _names(steps: Sequence[Step], x: np.ndarray, y: np.ndarray, frame: Box, lines: Sequence[Box]) -> list[str]:
    """Each name where it covers least: right of its point, left, above or below it."""
    taken = [*lines]
    taken += [Box(float(u) - DOT, float(v) - DOT, float(u) + DOT, float(v) + DOT) for u, v in zip(x, y, strict=True)]
    parts = []
    for step, u, v in zip(steps, x.tolist(), y.tolist(), strict=True):
        wide = svg.width_of(step.name, 13)
        tries = [
            (u + GAP, v + 4.5, "start", u + GAP),
            (u - GAP, v + 4.5, "end", u - GAP - wide),
            (u, v - GAP, "middle", u - wide / 2),
            (u, v + GAP + 11, "middle", u - wide / 2),
            (u + GAP - 4, v - GAP, "start", u + GAP - 4),
            (u + GAP - 4, v + GAP + 11, "start", u + GAP - 4),
            (u - GAP + 4, v - GAP, "end", u - GAP + 4 - wide),
            (u - GAP + 4, v + GAP + 11, "end", u - GAP + 4 - wide),
        ]
        boxes = [Box(start, base - TALL + 4, start + wide, base + 4) for _, base, _, start in tries]
        costs = [
            sum(box.overlap(other) for other in taken) + wide * TALL - box.overlap(frame) + 0.01 * number
            for number, box in enumerate(boxes)
        ]
        k = costs.index(min(costs))
        taken.append(boxes[k])
        at, base, anchor, _ = tries[k]
        parts.append(svg.text(at, base, step.name, "soft", anchor))
    return parts
