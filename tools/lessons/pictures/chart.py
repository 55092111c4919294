"""Curves, paths and contour lines over two scales, for the pictures that plot numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lessons.pictures.drawing import STYLE, WIDTH
from pellucid.plots import axes, svg

LEFT, RIGHT = 44.0, 468.0  # of the area of a full chart
SAMPLES = 241  # of a curve
JUMP = 1 / 16  # of the height: neighbours further apart are not joined
GRID = (49, 33)  # places along x and y between which contour lines are drawn

Range = tuple[float, float]


@dataclass(frozen=True)
class Panel:
    """A rectangle of a picture with a scale along each side."""

    across: axes.Scale
    up: axes.Scale

    def frame(self, x_label: str = "", y_label: str = "") -> list[str]:
        """Grid lines, ticks and labels: for a panel of the whole width."""
        left, right, bottom = self.across.start, self.across.stop, self.up.start
        return [*axes.y_axis(self.up, left, right, y_label), *axes.x_axis(self.across, bottom, x_label)]

    def cross(self) -> list[str]:
        """Thin lines at x = 0 and y = 0, where they are in sight: for small panels."""
        left, right, bottom, top = self.across.start, self.across.stop, self.up.start, self.up.stop
        parts = [svg.rect(left, top, right - left, bottom - top, "cell")]
        if self.across.lo < 0 < self.across.hi:
            at = float(self.across(0))
            parts.append(svg.line(at, bottom, at, top, "grid"))
        if self.up.lo < 0 < self.up.hi:
            at = float(self.up(0))
            parts.append(svg.line(left, at, right, at, "grid"))
        return parts

    def curve(self, x: Any, y: Any, kind: str, jump: float = JUMP) -> str:
        """A function; nothing is drawn outside the panel, nor across a jump, as a part of the panel's height."""
        x, y = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        with np.errstate(invalid="ignore"):
            inside = (y >= self.up.lo) & (y <= self.up.hi) & (x >= self.across.lo) & (x <= self.across.hi)
            far = np.abs(np.diff(self.up(y))) > jump * abs(self.up.start - self.up.stop)
        breaks = np.flatnonzero(far | ~inside[1:] | ~inside[:-1]) + 1
        runs = [run for run in np.split(np.arange(len(x)), breaks) if inside[run[0]] and len(run) > 1]
        return svg.path([self.pixels(np.stack([x[run], y[run]], axis=1)) for run in runs], f"curve {kind}")

    def walk(self, points: Any, series: int, radius: float = 2.2) -> list[str]:
        """Steps from point to point (N, 2), each with a dot; what leaves the panel is cut off at the last inside."""
        places = self.pixels(np.asarray(points, dtype=np.float64))
        dots = [svg.circle(x, y, radius, f"f{series}") for x, y in places]
        return [svg.path([places], f"curve s{series}"), *dots]

    def contours(self, f: Callable[[np.ndarray], np.ndarray], levels: Sequence[float], kind: str = "cell") -> str:
        """Lines along which f takes each level; f takes points (..., 2)."""
        x = np.linspace(self.across.lo, self.across.hi, GRID[0])
        y = np.linspace(self.up.lo, self.up.hi, GRID[1])
        z = f(np.stack(np.meshgrid(x, y), axis=-1))
        return svg.path([self.pixels(run) for level in levels for run in level_lines(x, y, z, level)], kind)

    def pixels(self, points: np.ndarray) -> list[tuple[float, float]]:
        """Places in the picture of points (N, 2)."""
        return list(zip(self.across(points[:, 0]).tolist(), self.up(points[:, 1]).tolist(), strict=True))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place of one point."""
        return float(self.across(x)), float(self.up(y))


def panel(x: float, y: float, width: float, height: float, xs: Range, ys: Range, log: str = "") -> Panel:
    """A panel by its top left corner, its size and what its sides range over; `log` names logarithmic sides."""
    return Panel(
        axes.Scale(*xs, x, x + width, "x" in log),
        axes.Scale(*ys, y + height, y, "y" in log),
    )


def around(*values: Any, pad: float = 0.06) -> Range:
    """A range that shows all of the values, and a little more."""
    every = np.concatenate([np.ravel(np.asarray(value, dtype=np.float64)) for value in values])
    every = every[np.isfinite(every)]
    margin = pad * float(np.ptp(every))
    return float(every.min()) - margin, float(every.max()) + margin


def key(series: Mapping[str, int], y: float = 28, x: float = 0) -> tuple[list[str], float]:
    """A legend: name -> number of the series; the shapes, and where they end."""
    swatches = [(svg.line(0, 0, 22, 0, f"curve s{number}"), name) for name, number in series.items()]
    parts, tall = svg.key_rows(swatches, WIDTH - x, x, y)
    return parts, y + tall


def chart(
    title: str,
    spoken: str,
    x: np.ndarray,
    lines: Mapping[str, tuple[Any, int]],
    x_label: str = "x",
    ys: Range | None = None,
    height: float = 180,
    y_label: str = "",
) -> str:
    """Functions of one number over a common axis.

    Args:
        title, spoken: heading, and what a screen reader says.
        x: (N,) where they are drawn.
        lines: name -> values (N,) and number of the series; a grey 6 is for what is only compared with.
        x_label, y_label: of the axes.
        ys: range of the values; None shows all.
        height: of the panel.
    """
    parts, bottom = key({name: series for name, (_, series) in lines.items()})
    area = panel(
        LEFT,
        bottom + (30 if y_label else 10),
        RIGHT - LEFT,
        height,
        (float(x[0]), float(x[-1])),
        ys or around(*(values for values, _ in lines.values())),
    )
    parts += area.frame(x_label, y_label)
    parts += [area.curve(x, values, f"s{series}") for values, series in lines.values()]
    return svg.document(WIDTH, area.up.start + 42, spoken, [STYLE, svg.text(0, 18, title, "title"), *parts])


def level_lines(x: np.ndarray, y: np.ndarray, z: np.ndarray, level: float) -> list[np.ndarray]:
    """Polylines (N, 2) along which z (len(y), len(x)) crosses a level, found cell by cell and joined at their edges."""
    above = z > level
    crossings: dict[tuple[int, int, int], tuple[float, float]] = {}
    for row, column in np.argwhere(above[:, 1:] != above[:, :-1]).tolist():
        part = (level - z[row, column]) / (z[row, column + 1] - z[row, column])
        crossings[0, row, column] = (x[column] + part * (x[column + 1] - x[column]), y[row])
    for row, column in np.argwhere(above[1:] != above[:-1]).tolist():
        part = (level - z[row, column]) / (z[row + 1, column] - z[row, column])
        crossings[1, row, column] = (x[column], y[row] + part * (y[row + 1] - y[row]))
    beside: dict[tuple[int, int, int], list[tuple[int, int, int]]] = {edge: [] for edge in crossings}
    for row, column in {cell for edge in crossings for cell in _cells(edge, z.shape)}:
        around_it = ((0, row, column), (1, row, column + 1), (0, row + 1, column), (1, row, column))
        found = [edge for edge in around_it if edge in crossings]
        for a, b in zip(found[::2], found[1::2], strict=True):
            beside[a].append(b)
            beside[b].append(a)
    lines, seen = [], set()
    for start in sorted(crossings, key=lambda edge: (len(beside[edge]), edge)):  # open lines from their ends
        if start in seen:
            continue
        run, here = [start], start
        seen.add(start)
        while following := [edge for edge in beside[here] if edge not in seen]:
            here = following[0]
            seen.add(here)
            run.append(here)
        if len(run) > 2 and start in beside[here]:
            run.append(start)
        lines.append(np.array([crossings[edge] for edge in run]))
    return lines


def _cells(edge: tuple[int, int, int], shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """The one or two cells beside an edge of the grid."""
    side, row, column = edge
    both = [(row, column), (row - 1, column) if side == 0 else (row, column - 1)]
    return [(r, c) for r, c in both if 0 <= r < shape[0] - 1 and 0 <= c < shape[1] - 1]
