"""What the pictures are made of: grids of numbers, heat maps, boxes and arrows."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pellucid.plots import svg

WIDTH = 480.0
STEPS = 10  # of opacity in a heat map
STYLE = (
    "<style>.plot .small{font-size:11px}.plot .tiny{font-size:9px}"
    ".plot .cell{fill:none;stroke:currentColor;stroke-opacity:.3}"
    ".plot .frame{fill:none;stroke:currentColor;stroke-width:1.5}"
    ".plot .mark{fill:none;stroke-width:3;stroke-dasharray:none}"
    ".plot .light{opacity:.22}"
    + "".join(f".plot .o{step}{{opacity:{0.95 * step / STEPS:.2f}}}" for step in range(1, STEPS + 1))
    + "</style>"
)

Kind = Callable[[int, int], str]


def picture(title: str, height: float, label: str, parts: Sequence[str]) -> str:
    """A whole picture of the usual width, its title on top; the rest begins at about y = 40."""
    return svg.document(WIDTH, height, label, [STYLE, svg.text(0, 18, title, "title"), *parts])


def show(value: float, decimals: int = 2) -> str:
    """A number for a cell: no trailing zeros, nothing where there is no number."""
    if not np.isfinite(value):
        return "" if np.isnan(value) else "∞" if value > 0 else "-∞"
    shown = f"{value:.{decimals}f}"
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return "0" if shown == "-0" else shown


def numbers(
    x: float, y: float, values: Any, kind: Kind | str = "", size: float = 24, decimals: int = 2, words: str = "small"
) -> list[str]:
    """A matrix as a grid of cells with their numbers in it.

    Args:
        x, y: top left corner.
        values: (R, C) numbers; NaN is an empty cell.
        kind: classes that fill a cell, for all or by row and column; "" for none.
        size: of a cell, in pixels.
        decimals: at most so many.
        words: class of the numbers.
    """
    values = np.asarray(values, dtype=np.float64)
    parts = []
    for row, column in np.ndindex(*values.shape):
        left, top = x + column * size, y + row * size
        fill = kind if isinstance(kind, str) else kind(row, column)
        parts += [svg.rect(left, top, size, size, fill)] if fill else []
        parts.append(svg.rect(left, top, size, size, "cell"))
        if shown := show(values[row, column], decimals):
            parts.append(svg.text(left + size / 2, top + size / 2 + 4, shown, words, "middle"))
    return parts


def heat(x: float, y: float, values: Any, size: float, most: float | None = None, kinds: str = "f1 f2") -> list[str]:
    """A matrix as a heat map: opacity for how large, the second colour for what is below zero.

    Args:
        x, y: top left corner.
        values: (R, C) numbers.
        size: of a cell, in pixels.
        most: full opacity; None takes the largest.
        kinds: two classes, for numbers above and below zero.
    """
    values = np.asarray(values, dtype=np.float64)
    full = float(np.abs(values).max(initial=0)) if most is None else most
    steps = np.clip(np.round(np.abs(values) / (full or 1.0) * STEPS), 0, STEPS).astype(int)
    parts = []
    for kind, sign in zip(kinds.split(), (values >= 0, values < 0), strict=True):
        for step in range(1, STEPS + 1):
            places = np.argwhere((steps == step) & sign).tolist()
            squares = [corners(x + column * size, y + row * size, size, size) for row, column in places]
            parts += [svg.path(squares, f"{kind} o{step}")] if squares else []
    rows, columns = values.shape
    return [*parts, svg.rect(x, y, columns * size, rows * size, "cell")]


def corners(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    """A rectangle as a run of `svg.path`."""
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]


def frame(x: float, y: float, width: float, height: float, series: int = 0) -> str:
    """An outline around something: in the colour of letters, or thicker in that of a series."""
    return svg.rect(x, y, width, height, f"mark s{series}" if series else "frame")


def box(
    x: float, y: float, width: float, height: float, label: str, kind: str = "f6 light", words: str = ""
) -> list[str]:
    """A block of a diagram."""
    return [
        svg.rect(x, y, width, height, kind),
        svg.rect(x, y, width, height, "cell"),
        svg.text(x + width / 2, y + height / 2 + 4.5, label, words, "middle"),
    ]


def knot(x: float, y: float, label: str, radius: float = 10) -> list[str]:
    """A round operation of a diagram: a sum, a product."""
    return [svg.circle(x, y, radius, "frame"), svg.text(x, y + 4.5, label, "", "middle")]


def arrow(*points: tuple[float, float], kind: str = "axis", head: float = 6) -> list[str]:
    """Straight pieces through the points, with a head at the last one."""
    parts = [svg.line(*a, *b, kind) for a, b in itertools.pairwise(points)]
    (x1, y1), (x2, y2) = points[-2:]
    turn = math.atan2(y2 - y1, x2 - x1)
    sides = [(x2 - head * math.cos(turn + side), y2 - head * math.sin(turn + side)) for side in (-0.45, 0.45)]
    return [*parts, *(svg.line(*side, x2, y2, kind) for side in sides)]


def caption(x: float, y: float, words: str, anchor: str = "start") -> str:
    """A few quieter words."""
    return svg.text(x, y, words, "soft", anchor)
