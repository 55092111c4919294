"""A number that falls as something rises, with a picture of each step above its point.

Made to be set side by side, all on the same scale: small multiples (Tufte, "Envisioning Information", 1990).
"""

from collections.abc import Sequence

import numpy as np

from pellucid.core.errors import DataError
from pellucid.plots import axes, svg

WIDTH, RIGHT, AREA, HEAD = 480.0, 472.0, 120.0, 30.0
LARGEST = 76.0  # pixels of a picture's side
GAP = 8.0


def rising(
    title: str,
    strengths: Sequence[float],
    values: Sequence[float],
    x_label: str,
    y_label: str,
    pictures: Sequence[tuple[str, float]] = (),
    limits: tuple[float, float] | None = None,
) -> str:
    """Draw the values over the strengths, evenly spaced; the first is a dashed line all along.

    Args:
        strengths, values: as many of both; a NaN value leaves a gap.
        x_label, y_label: what strengths and values are.
        pictures: one a strength, or none: address (a data URI) and width over height.
        limits: lowest and highest value of the axis; None fits the values.

    Returns:
        SVG.

    Raises:
        DataError: the numbers of strengths, values and pictures differ.
    """
    if len(strengths) != len(values) or (pictures and len(pictures) != len(values)):
        raise DataError(
            f"{title!r}: {len(strengths)} strengths need as many values and pictures, got {len(values)} and "
            f"{len(pictures)}."
        )
    y = np.asarray(values, dtype=np.float64)
    margin = axes.left_of(_up(y, limits, 0.0))
    slot = (RIGHT - margin) / max(1, len(y))
    at = margin + slot * (np.arange(len(y)) + 0.5)  # the middle of each step
    side = min(LARGEST, slot - GAP)
    tall = max((min(side, side / ratio) for _, ratio in pictures), default=0.0)
    top = HEAD + tall + (22 if pictures else 0)
    bottom = top + AREA
    up = _up(y, limits, bottom)
    parts = [svg.text(0, 18, title, "title")]
    for x, (address, ratio), strength in zip(at.tolist(), pictures, strengths, strict=False):
        wide, high = min(side, side * ratio), min(side, side / ratio)
        parts.append(svg.image(x - wide / 2, HEAD + tall - high, wide, high, address, f"{title}, {strength:g}"))
    parts += [*axes.y_axis(up, margin, RIGHT, ""), svg.text(RIGHT, 18, f"↑ {y_label}", "soft", "end")]
    parts.append(svg.line(margin, bottom, RIGHT, bottom, "axis"))
    for x, strength in zip(at.tolist(), strengths, strict=True):
        parts.append(svg.text(x, bottom + 18, f"{strength:g}", "soft", "middle"))
    parts.append(svg.text(RIGHT, bottom + 37, f"{x_label} →", "soft", "end"))
    if len(y) and np.isfinite(y[0]):
        parts.append(svg.line(margin, float(up(y[0])), RIGHT, float(up(y[0])), "guide"))
    for run in np.split(np.arange(len(y)), np.flatnonzero(~np.isfinite(y))):
        run = run[np.isfinite(y[run])]
        if len(run):
            parts.append(svg.path([list(zip(at[run].tolist(), up(y[run]).tolist(), strict=True))], "curve s1"))
    for k in np.flatnonzero(np.isfinite(y)).tolist():
        parts.append(svg.circle(float(at[k]), float(up(y[k])), 3.5, "f1"))
        parts.append(svg.circle(float(at[k]), float(up(y[k])), 9, "touch", f"{x_label} {strengths[k]:g}: {y[k]:.4g}"))
    return svg.document(WIDTH, bottom + 46, _spoken(title, y_label, y), parts)


def _up(values: np.ndarray, limits: tuple[float, float] | None, bottom: float) -> axes.Scale:
    return axes.fit(values, bottom, bottom - AREA) if limits is None else axes.Scale(*limits, bottom, bottom - AREA)


def _spoken(title: str, y_label: str, values: np.ndarray) -> str:
    seen = values[np.isfinite(values)]
    told = f"from {seen[0]:.4g} to {seen[-1]:.4g}" if len(seen) else "has no values"
    return f"{title}: {y_label} {told}."
