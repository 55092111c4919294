"""Reliability diagram: does a model that says 80 % get 80 % right?

Guo et al., "On calibration of modern neural networks", ICML 2017 (arXiv:1706.04599), figure 1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.shapes import require_shape
from pellucid.plots import axes, svg

WIDTH, LEFT, RIGHT, AREA, BELOW = 480.0, 50.0, 464.0, 240.0, 54.0


@dataclass(frozen=True)
class Bin:
    """What fell between two confidences: how many, how sure on average, and which share was right."""

    start: float
    stop: float
    confidence: float
    accuracy: float
    count: float


def reliability(
    edges: Any, confidence: Any, accuracy: Any, count: Any, title: str = "Calibration", unit: str = "pictures"
) -> str:
    """Draw accuracy against confidence in B bins, the gap to the diagonal, and how many fell into each bin.

    Args:
        edges: (B + 1,) borders of the bins, rising, within 0..1.
        confidence: (B,) mean confidence in each bin; NaN where it is empty.
        accuracy: (B,) share that was right in each bin; NaN where it is empty.
        count: (B,) how many fell into each bin.
        title: heading inside the drawing.
        unit: what is counted.

    Returns:
        SVG.

    Raises:
        DataError: the lengths do not fit each other.
    """
    bins = _filled(edges, confidence, accuracy, count)
    entries = [
        (svg.rect(0, -7, 22, 12, "f1 pale"), "share that was right"),
        (svg.line(11, -9, 11, 7, "bad curve"), "gap"),
        (svg.line(0, 0, 22, 0, "guide"), "perfect"),
    ]
    key, tall = svg.key_rows(entries, WIDTH, 0, 30)
    top = 60 + tall
    bottom = top + AREA
    across, up = axes.Scale(0, 1, LEFT, RIGHT), axes.Scale(0, 1, bottom, top)
    parts = [svg.text(0, 18, title, "title"), *key, *axes.y_axis(up, LEFT, RIGHT, "right")]
    parts += [_column(each, across, up, unit) for each in bins]
    parts.append(svg.line(LEFT, bottom, RIGHT, top, "guide"))
    parts += [_gap(each, across, up) for each in bins]
    parts.append(svg.line(LEFT, bottom, RIGHT, bottom, "axis"))
    parts += _counts(bins, across, bottom + 26, unit)
    parts += axes.x_axis(across, bottom + 26 + BELOW, "confidence")
    said = [f"sure to {each.confidence:.2f}, right in {each.accuracy:.2f} of {each.count:.0f}" for each in bins]
    return svg.document(WIDTH, bottom + BELOW + 72, f"{title}: {'; '.join(said) or 'nothing was counted'}.", parts)


def _filled(edges: Any, confidence: Any, accuracy: Any, count: Any) -> list[Bin]:
    """The bins that hold something."""
    edges = np.asarray(edges, dtype=np.float64)
    columns = [np.asarray(values, dtype=np.float64) for values in (confidence, accuracy, count)]
    for name, values in zip(("confidence", "accuracy", "count"), columns, strict=True):
        require_shape(values, "B", f"reliability: {name}", B=len(edges) - 1)
    rows = np.stack([edges[:-1], edges[1:], *columns], axis=1)  # (B, 5)
    return [Bin(*row) for row in rows[np.isfinite(rows).all(1) & (rows[:, 4] > 0)].tolist()]


def _column(each: Bin, across: axes.Scale, up: axes.Scale, unit: str) -> str:
    left, right, high = float(across(each.start)), float(across(each.stop)), float(up(each.accuracy))
    hover = (
        f"confidence {each.start:.2f} to {each.stop:.2f}: {each.count:.0f} {unit}, "
        f"on average sure to {each.confidence:.3f}, right in {each.accuracy:.3f}"
    )
    return svg.rect(left + 1, high, right - left - 2, float(up(0)) - high, "f1 pale", hover)


def _gap(each: Bin, across: axes.Scale, up: axes.Scale) -> str:
    x, y = float(across(each.confidence)), float(up(each.accuracy))
    return svg.line(x, y, x, float(up(each.confidence)), "bad curve") + svg.circle(x, y, 3.5, "f1")


def _counts(bins: list[Bin], across: axes.Scale, top: float, unit: str) -> list[str]:
    most = max((each.count for each in bins), default=1.0)
    parts = [svg.text(0, top - 7, f"↓ {unit} in each bin, {most if bins else 0:,.0f} at most", "soft")]
    for each in bins:
        left, right = float(across(each.start)), float(across(each.stop))
        tall = max(1.0, each.count / most * BELOW)  # one picture among thousands must still be seen
        hover = f"{each.count:.0f} {unit}"
        parts.append(svg.rect(left + 1, top + BELOW - tall, right - left - 2, tall, "f6 pale", hover))
    return parts
