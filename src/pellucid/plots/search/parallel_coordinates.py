"""Parallel coordinates: each candidate is a line that crosses an upright axis for each of its settings, and the score.

Source: Inselberg, "The plane with parallel coordinates", The Visual Computer 1 (1985).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.core.shapes import require_shape
from pellucid.plots import svg

# T candidates, A axes

WIDTH, HEIGHT, TOP = 980.0, 250.0, 74.0
PALEST = 0.12  # the worst line; the best is drawn fully
SIDE = 70.0  # room for labels beside the outermost axes


@dataclass(frozen=True)
class Upright:
    """One axis.

    Attributes:
        name: above it.
        positions: (T,) where each candidate crosses it, 0 at the bottom and 1 at the top; NaN: it does not get there.
        ticks: (position, label).
    """

    name: str
    positions: Sequence[float]
    ticks: Sequence[tuple[float, str]]


def parallel_coordinates(axes: Sequence[Upright], scores: Sequence[float], names: Sequence[str], title: str) -> str:
    """Draw candidates as lines, the better the darker, the best one on top.

    Args:
        axes: from left to right.
        scores: (T,) larger is better; only the order counts, NaN is the worst.
        names: (T,) what the pointer shows.
        title: heading inside the drawing.

    Returns:
        SVG. Without an axis or a candidate it says so.

    Raises:
        DataError: numbers of candidates differ.
    """
    order = np.argsort(np.where(np.isnan(scores), -np.inf, scores), kind="stable") if len(scores) else np.empty(0, int)
    for axis in axes:
        require_shape(np.asarray(axis.positions, dtype=float), "T", f"axis {axis.name!r}", T=len(scores))
    parts = [svg.text(0, 18, title, "title")]
    if not axes or not len(order):
        parts.append(svg.text(WIDTH / 2, TOP + HEIGHT / 2, "nothing was recorded", "soft", "middle"))
        return svg.document(WIDTH, TOP + HEIGHT, f"{title}: nothing was recorded.", parts)
    across = np.linspace(SIDE, WIDTH - SIDE, len(axes)) if len(axes) > 1 else np.array([WIDTH / 2])
    for rank, row in enumerate(order.tolist()):
        parts.append(_line(axes, across, row, rank / (len(order) - 1) if len(order) > 1 else 1.0, names[row]))
    for x, axis in zip(across.tolist(), axes, strict=True):
        parts += _upright(x, axis, (across[-1] - across[0]) / max(len(axes) - 1, 1))
    best = int(order[-1])
    parts.append(svg.text(WIDTH, 18, f"best: {names[best]}", "soft", "end"))
    return svg.document(
        WIDTH, TOP + HEIGHT + 20, f"{title}: {len(order)} candidates, the best is {names[best]}.", parts
    )


def _line(axes: Sequence[Upright], across: np.ndarray, row: int, share: float, name: str) -> str:
    points = [
        (float(x), float(_down(axis.positions[row])))
        for x, axis in zip(across, axes, strict=True)
        if np.isfinite(axis.positions[row])
    ]
    best = share == 1.0
    drawn = svg.path([points], "curve s2" if best else "curve s1") if points else ""
    rings = "".join(svg.circle(x, y, 5, "ring s2") for x, y in points) if best else ""
    return f'<g opacity="{PALEST + (1 - PALEST) * share**2:.2f}">{drawn}{rings}{_tip(points, name)}</g>'


def _tip(points: Sequence[tuple[float, float]], name: str) -> str:
    return "".join(svg.circle(x, y, 6, "touch", name) for x, y in points)


def _upright(x: float, axis: Upright, room: float) -> list[str]:
    shown = svg.shorten(axis.name, min(room - 10, 160) if room else 160)
    parts = [svg.line(x, TOP, x, TOP + HEIGHT, "axis"), svg.text(x, TOP - 18, shown, "", "middle", axis.name)]
    for position, label in axis.ticks:
        y = _down(position)
        parts.append(svg.line(x - 4, y, x, y, "axis"))
        parts.append(svg.text(x - 8, y + 4.5, svg.shorten(label, 110), "soft", "end", label))
    return parts


def _down(position: float) -> float:
    return TOP + HEIGHT * (1 - position)
