"""Horizontal bars: one row a name, one or several numbers each."""

from collections.abc import Mapping, Sequence

import numpy as np

from pellucid.core.shapes import require_shape
from pellucid.plots import svg

WIDTH, NAMES, THICK = 480.0, 150.0, 16.0
MOST_ROWS = 40


def bars(
    series: Mapping[str, Sequence[float]],
    names: Sequence[str],
    title: str,
    top: float | None = None,
    stacked: bool = False,
) -> str:
    """Draw a bar for every name and series.

    Args:
        series: what is measured -> one number a name; not negative, NaN leaves the bar out.
        names: labels of the rows, in order. After 40 rows the rest is counted, not drawn.
        title: heading inside the drawing.
        top: value of a full bar; None takes the largest (or the largest sum, when stacked).
        stacked: lay the series of one name end to end instead of below each other.

    Returns:
        SVG.

    Raises:
        DataError: a series has not one number a name.
    """
    columns = {name: np.asarray(numbers, dtype=np.float64) for name, numbers in series.items()}
    for name, column in columns.items():
        require_shape(column, "N", f"bars {name!r}", N=len(names))
    values = np.stack([np.empty(len(names)), *columns.values()])[1:]  # (S, N), for no series too
    solid = np.where(np.isfinite(values) & (values > 0), values, 0.0)
    full = top or float((solid.sum(0) if stacked else solid).max(initial=0)) or 1.0
    left = min(NAMES, max((svg.width_of(name) for name in names[:MOST_ROWS]), default=0.0))
    counts = bool((solid == solid.round()).all() and solid.max(initial=0) > 1)  # else a 1 is a share, 1.000
    room = max((svg.width_of(_shown(float(v), counts)) for v in [*values.flat, *values.sum(0)]), default=0.0) + 12
    right = WIDTH - max(60.0, room)  # where a full bar ends: its number stands behind it
    swatches = [(svg.rect(0, -8, 22, 12, f"f{k % svg.SERIES + 1}"), name) for k, name in enumerate(series)]
    key, tall = svg.key_rows(swatches if len(series) > 1 else [], WIDTH, 0, 30)
    lanes = 1 if stacked else max(1, len(series))
    row_height = lanes * THICK + 8
    parts, y = [svg.text(0, 18, title, "title"), *key], 36 + tall
    for n, name in enumerate(names[:MOST_ROWS]):
        shown = svg.shorten(name, NAMES)
        middle = y + lanes * THICK / 2 + 4.5
        parts.append(svg.text(left, middle, shown, "", "end", name if shown != name else ""))
        scale = (right - left - 8) / full
        parts += _row(values[:, n], list(series), name, left + 8, y, scale, stacked, counts)
        y += row_height
    if len(names) > MOST_ROWS:
        parts.append(svg.text(0, y + 14, f"and {len(names) - MOST_ROWS} more", "soft"))
        y += 24
    return svg.document(WIDTH, y + 6, _spoken(title, series, names, counts), parts)


def _row(
    values: np.ndarray, series: list[str], name: str, left: float, y: float, scale: float, stacked: bool, counts: bool
) -> list[str]:
    parts, x = [], left
    for k, value in enumerate(values):
        lane = y if stacked else y + k * THICK
        if np.isfinite(value) and value > 0:
            hover = f"{name}, {series[k]}: {_shown(value, counts)}"
            parts.append(svg.rect(x, lane + 1, value * scale, THICK - 2, f"f{k % svg.SERIES + 1}", hover))
        if stacked:
            x += value * scale if np.isfinite(value) and value > 0 else 0.0
        else:
            end = left + (value * scale if np.isfinite(value) else 0.0)
            parts.append(svg.text(end + 6, lane + THICK / 2 + 4.5, _shown(value, counts), "soft"))
    if stacked:
        parts.append(svg.text(x + 6, y + THICK / 2 + 4.5, _shown(float(np.nansum(values)), counts), "soft"))
    return parts


def _shown(value: float, counts: bool) -> str:
    if not np.isfinite(value):
        return "–"
    return f"{value:,.0f}" if value == round(value) and (counts or value != 1) else f"{value:.3f}"


def _spoken(title: str, series: Mapping[str, Sequence[float]], names: Sequence[str], counts: bool) -> str:
    rows = [
        f"{name} {_shown(float(values[n]), counts)}" for values in series.values() for n, name in enumerate(names[:10])
    ]
    more = "; and more" if len(names) > 10 else ""
    return f"{title}: {'; '.join(rows) or 'nothing to show'}{more}."
