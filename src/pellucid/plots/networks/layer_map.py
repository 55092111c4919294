"""Every layer of a network over the steps of its training: a map in which colour is trouble."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from pellucid.core.errors import DataError
from pellucid.plots import svg

WIDTH, NAMES, ROW = 480.0, 150.0, 15.0
MOST_ROWS, MOST_COLUMNS = 32, 60
DECADES = 2.0  # away from 1, where the colour is full
LEVELS = 5  # of opacity; the palest is nothing


def layer_map(values: Mapping[str, Sequence[float]], steps: Sequence[int], title: str) -> str:
    """Draw one row a layer and one column a look. What is near 1 stays blank.

    Args:
        values: layer -> a positive number a look, the first layer first. 0 and NaN count as far below 1. Of more
            layers, and more looks, than can be drawn, as many are drawn, evenly spread.
        steps: of the looks.
        title: heading inside the drawing.

    Returns:
        SVG.

    Raises:
        DataError: a layer has another number of values than there are steps.
    """
    for name, row in values.items():
        if len(row) != len(steps):
            raise DataError(f"Layer {name!r} has {len(row)} values for {len(steps)} steps; it needs as many of both.")
    names = [list(values)[k] for k in _spread(len(values), MOST_ROWS)]
    looks = _spread(len(steps), MOST_COLUMNS)
    parts = [svg.text(0, 18, title, "title"), *_key()]
    top, wide = 58.0, (WIDTH - NAMES) / max(len(looks), 1)
    cells: dict[tuple[str, int], list[str]] = {}
    for place, name in enumerate(names):
        y = top + place * ROW
        # of `backbone.stages.16.4.2` the end tells the most
        parts.append(
            svg.text(NAMES - 8, y + ROW - 4, svg.shorten(name[::-1], NAMES - 8)[::-1], "soft", "end", hover=name)
        )
        for column, look in enumerate(looks):
            colour, level = _shade(values[name][look])
            if level:
                x = svg.number(NAMES + column * wide)
                size = f"h{svg.number(wide)}v{svg.number(ROW)}h-{svg.number(wide)}z"
                cells.setdefault((colour, level), []).append(f"M{x},{svg.number(y)}{size}")
    for (colour, level), squares in sorted(cells.items()):
        parts.append(f'<path d="{"".join(squares)}" class="{colour}" fill-opacity="{level / LEVELS:g}"/>')
    bottom = top + len(names) * ROW
    for y in (top, bottom):
        parts.append(svg.line(NAMES, y, WIDTH, y, "grid"))
    parts += _ends([steps[k] for k in looks], bottom)
    return svg.document(WIDTH, bottom + 40, _spoken(title, values), parts)


def _spread(n: int, most: int) -> list[int]:
    return sorted({int(k) for k in np.linspace(0, n - 1, min(n, most)).round()}) if n else []


def _shade(value: float) -> tuple[str, int]:
    """Colour (low or high) and how strong, 0 to `LEVELS`."""
    if not value > 0:
        return "f2", LEVELS
    away = math.log10(value)
    return "f2" if away < 0 else "f3", round(LEVELS * min(abs(away) / DECADES, 1.0))


def _key() -> list[str]:
    limit = 10**DECADES
    parts, x = [], NAMES
    for colour, levels, label in (
        ("f2", range(LEVELS, 0, -1), f"{1 / limit:g} or less"),
        ("f3", range(1, LEVELS + 1), f"{limit:g} or more"),
    ):
        if colour == "f2":
            parts.append(svg.text(x, 42, label, "soft"))
            x += svg.width_of(label, 13) + 6
        for level in levels:
            square = f"M{svg.number(x)},32h12v12h-12z"
            parts.append(f'<path d="{square}" class="{colour}" fill-opacity="{level / LEVELS:g}"/>')
            x += 12
        if colour == "f2":
            parts.append(svg.text(x + 12, 42, "1", "soft", "middle"))
            x += 24
        else:
            parts.append(svg.text(x + 6, 42, label, "soft"))
    return parts


def _ends(steps: Sequence[int], bottom: float) -> list[str]:
    if not steps:
        return [svg.text((NAMES + WIDTH) / 2, bottom + 16, "nothing was recorded", "soft", "middle")]
    return [
        svg.text(NAMES, bottom + 16, f"{steps[0]}", "soft"),
        svg.text((NAMES + WIDTH) / 2, bottom + 30, "looks, by step", "soft", "middle"),
        svg.text(WIDTH, bottom + 16, f"{steps[-1]}", "soft", "end"),
    ]


def _spoken(title: str, values: Mapping[str, Sequence[float]]) -> str:
    told = "; ".join(f"{name} from {row[0]:.3g} to {row[-1]:.3g}" for name, row in values.items() if len(row))
    return f"{title}: {told or 'nothing was recorded'}."
