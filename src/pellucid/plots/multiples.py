"""Small multiples: many little curves on the same scale, so that they can be compared at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.core.errors import DataError
from pellucid.plots import axes, svg

COLUMNS, WIDTH = 4, 900.0
GAP, TALL, HEAD, FOOT = 26.0, 96.0, 24.0, 40.0


@dataclass(frozen=True)
class Panel:
    """One little curve.

    Attributes:
        title: above it.
        x, y: numbers, as many of both; NaN leaves a gap.
        x_label: what x counts.
    """

    title: str
    x: Sequence[float]
    y: Sequence[float]
    x_label: str = ""


def multiples(
    panels: Sequence[Panel],
    title: str,
    y_label: str,
    level: float | None = None,
    limits: tuple[float, float] | None = None,
) -> str:
    """Draw all panels with the same y axis, four in a row.

    Args:
        panels: in order.
        title: heading inside the drawing.
        y_label: what y measures.
        level: a value drawn as a dashed line into each panel.
        limits: lowest and highest y; None fits all values.

    Returns:
        SVG.

    Raises:
        DataError: x and y of a panel differ in length.
    """
    for panel in panels:
        if len(panel.x) != len(panel.y):
            raise DataError(f"Panel {panel.title!r} has {len(panel.x)} x values but {len(panel.y)} y values.")
    every = np.array([*(value for panel in panels for value in panel.y), *([] if level is None else [level])])
    columns = min(COLUMNS, max(1, len(panels)))
    margin = axes.left_of(_up(every, limits, 0))
    wide = (WIDTH - margin - (columns - 1) * GAP) / columns
    parts, top = [svg.text(0, 18, title, "title"), svg.text(0, 40, f"↑ {y_label}", "soft")], 52.0
    for k, panel in enumerate(panels):
        row, column = divmod(k, columns)
        left = margin + column * (wide + GAP)
        bottom = top + row * (HEAD + TALL + FOOT) + HEAD + TALL
        parts += _panel(panel, left, left + wide, bottom, _up(every, limits, bottom), column == 0, level)
    rows = -(-len(panels) // columns)
    return svg.document(WIDTH, top + rows * (HEAD + TALL + FOOT), _spoken(title, y_label, panels), parts)


def _up(values: np.ndarray, limits: tuple[float, float] | None, bottom: float) -> axes.Scale:
    if limits is None:
        return axes.fit(values, bottom, bottom - TALL)
    return axes.Scale(*limits, bottom, bottom - TALL)


def _panel(
    panel: Panel, left: float, right: float, bottom: float, up: axes.Scale, first: bool, level: float | None
) -> list[str]:
    x, y = np.asarray(panel.x, dtype=np.float64), np.asarray(panel.y, dtype=np.float64)
    across = axes.fit(x, left, right, pad=0)
    parts = [svg.text(left, bottom - TALL - 8, panel.title, "title")]
    for tick in up.ticks(4):
        at = float(up(tick))
        parts.append(svg.line(left, at, right, at, "grid"))
        if first:
            parts.append(svg.text(left - 8, at + 4.5, f"{tick:g}", "soft", "end"))
    for tick in across.ticks(3):
        at = float(across(tick))
        anchor = "end" if at > right - 14 else "start" if at < left + 4 else "middle"
        parts.append(svg.text(at, bottom + 16, f"{tick:g}", "soft", anchor))
    parts.append(svg.line(left, bottom, right, bottom, "axis"))
    parts.append(svg.text(right, bottom + 32, panel.x_label, "soft", "end"))
    if level is not None:
        parts.append(svg.line(left, float(up(level)), right, float(up(level)), "guide"))
    there = np.isfinite(y)
    points = list(zip(across(x[there]).tolist(), up(y[there]).tolist(), strict=True))
    parts.append(svg.path([points] if points else [], "curve s1"))
    for (px, py), value, at_x in zip(points, y[there], x[there], strict=True):
        parts.append(svg.circle(px, py, 3, "f1"))
        parts.append(svg.circle(px, py, 8, "touch", f"{panel.title} {at_x:g}: {value:.4g}"))
    return parts


def _spoken(title: str, y_label: str, panels: Sequence[Panel]) -> str:
    told = "; ".join(f"{p.title} from {p.y[0]:.4g} to {p.y[-1]:.4g}" for p in panels if len(p.y))
    return f"{title}, {y_label}: {told or 'nothing to show'}."
