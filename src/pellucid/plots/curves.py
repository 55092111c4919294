"""Curves over time: losses, metrics, learning rates."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from pellucid.core.errors import DataError
from pellucid.plots import axes, svg

WIDTH, RIGHT, AREA = 480.0, 464.0, 190.0
SHORT = 12  # letters of an axis that a legend repeats
SMALL = 13.0  # size of the letters of marks
MOST_POINTS = 800  # of one curve; more cannot be told apart on paper
MOST_TOUCHES = 120  # invisible dots that show their value under the pointer

Points = tuple[Any, Any]


def curves(
    series: Mapping[str, Points],
    title: str,
    x_label: str = "epoch",
    y_label: str = "",
    best: tuple[float, float] | None = None,
    log_y: bool = False,
    marks: Sequence[tuple[float, str]] = (),
) -> str:
    """Draw curves over a common x axis.

    Args:
        series: name -> (x, y), two sequences of the same length. NaN and infinities in y, and on a
            logarithmic axis numbers that are not positive, leave a gap.
        title: heading inside the drawing.
        x_label, y_label: what the axes count.
        best: point to ring, in the units of the data; left out when its y is not finite.
        log_y: logarithmic y axis.
        marks: places on the x axis where something happens, and what; an upright line each. Those that lie too close
            to the one before for their text to be read keep the line, and show the text under the pointer.

    Returns:
        SVG. Without one usable point it says so instead of showing axes.

    Raises:
        DataError: x and y of a series differ in length.
    """
    best = best if best and np.isfinite(best).all() else None
    data = {name: _columns(name, points) for name, points in series.items()}
    extra = [np.array([best], dtype=np.float64).T] if best else []
    every = np.concatenate([*(np.stack(columns) for columns in data.values()), *extra, np.empty((2, 0))], axis=1)
    key, tall = svg.key_rows(_key(data, best, x_label), WIDTH, 0, 30)
    top = 30 + tall + (30 if y_label else 8)
    bottom = top + AREA
    up = axes.fit(every[1], bottom, top, log_y)
    left = axes.left_of(up)
    across = axes.fit(every[0], left, RIGHT, pad=0)
    parts = [svg.text(0, 18, title, "title"), *key]
    if any(_usable(y, log_y).any() for _, y in data.values()):
        whole = bool(np.all(every[0] == np.round(every[0])))
        parts += [*axes.y_axis(up, left, RIGHT, y_label), *axes.x_axis(across, bottom, x_label, whole)]
        parts += _places(marks, across, top, bottom)
        parts += [svg.path(_runs(x, y, across, up), f"curve s{_style(k)}") for k, (x, y) in enumerate(data.values())]
        parts += _mark(best, across, up, bottom) if best else []
        for name, (x, y) in data.items():
            parts += _touches(name, x, y, across, up, x_label)
    else:
        parts.append(svg.text(WIDTH / 2, (top + bottom) / 2, "nothing was recorded", "soft", "middle"))
    return svg.document(WIDTH, bottom + 46, _spoken(title, data, best, x_label), parts)


def _columns(name: str, points: Points) -> tuple[np.ndarray, np.ndarray]:
    x, y = (np.asarray(values, dtype=np.float64).ravel() for values in points)
    if len(x) != len(y):
        raise DataError(f"Curve {name!r} has {len(x)} x values but {len(y)} y values; it needs as many of both.")
    return x, y


def _usable(y: np.ndarray, log: bool) -> np.ndarray:
    return (np.abs(y) < axes.LARGEST) & ((y > 0) | (not log))  # no comparison holds for NaN


def _style(k: int) -> int:
    return k % svg.SERIES + 1


def _runs(x: np.ndarray, y: np.ndarray, across: axes.Scale, up: axes.Scale) -> list[list[tuple[float, float]]]:
    """The stretches without a gap, in pixels."""
    rows = np.flatnonzero(_usable(y, up.log) & np.isfinite(x))
    runs = []
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        run = run[_thin(y[run])]
        if len(run):
            runs.append(list(zip(across(x[run]).tolist(), up(y[run]).tolist(), strict=True)))
    return runs


def _thin(y: np.ndarray) -> np.ndarray:
    """Rows to keep of a long curve: its ends and, so that no spike is lost, the extremes of every stretch."""
    if len(y) <= MOST_POINTS:
        return np.arange(len(y))
    edges = np.linspace(0, len(y), MOST_POINTS // 2 + 1).astype(int)
    kept = [0, len(y) - 1]
    for start, stop in pairwise(edges):
        kept += [start + int(y[start:stop].argmin()), start + int(y[start:stop].argmax())]
    return np.unique(kept)


def _mark(best: tuple[float, float], across: axes.Scale, up: axes.Scale, bottom: float) -> list[str]:
    x, y = float(across(best[0])), float(up(best[1]))
    if not np.isfinite(y):  # not positive, on a logarithmic axis
        return []
    return [svg.line(x, y + 6, x, bottom, "guide"), svg.circle(x, y, 6, "ring axis")]


def _places(marks: Sequence[tuple[float, str]], across: axes.Scale, top: float, bottom: float) -> list[str]:
    """Upright lines, with their text at the top as long as there is room."""
    parts, free = [], -np.inf
    for place, said in marks:
        x = float(across(place))
        parts += [svg.line(x, top, x, bottom, "guide"), svg.circle(x, top, 7, "touch", said)]
        width = svg.width_of(said, SMALL)
        start = x + 4 if x + 4 + width <= RIGHT else x - 4 - width
        if start > free:
            parts.append(svg.text(start, top + SMALL, said, "soft"))
            free = start + width + 4
    return parts


def _touches(name: str, x: np.ndarray, y: np.ndarray, across: axes.Scale, up: axes.Scale, x_label: str) -> list[str]:
    rows = np.flatnonzero(_usable(y, up.log) & np.isfinite(x))
    if len(rows) > MOST_TOUCHES:
        return []
    return [
        svg.circle(float(across(x[row])), float(up(y[row])), 7, "touch", f"{name}, {x_label} {x[row]:g}: {y[row]:.4g}")
        for row in rows
    ]


def _key(data: Mapping[str, Points], best: tuple[float, float] | None, x_label: str) -> list[tuple[str, str]]:
    entries = [(svg.line(0, 0, 22, 0, f"curve s{_style(k)}"), name) for k, name in enumerate(data)]
    entries = entries if len(data) > 1 or best else []
    if best:
        where = f"{x_label} {best[0]:g}" if len(x_label) <= SHORT else f"{best[0]:.3g}"  # the axis has its name
        entries.append((svg.circle(11, 0, 6, "ring axis"), f"best: {best[1]:.4g} at {where}"))
    return entries


def _spoken(title: str, data: Mapping[str, Points], best: tuple[float, float] | None, x_label: str) -> str:
    """What the drawing shows, for those who hear it."""
    parts = []
    for name, (_, y) in data.items():
        seen = y[np.isfinite(y)]
        parts.append(f"{name} goes from {seen[0]:.4g} to {seen[-1]:.4g}" if len(seen) else f"{name} has no values")
    if best:
        parts.append(f"best {best[1]:.4g} at {x_label} {best[0]:g}")
    return f"{title}: {'; '.join(parts)}." if parts else f"{title}: nothing was recorded."
