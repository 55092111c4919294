"""A slice: the score of every candidate against one of its settings, with the edges of the range marked."""

from collections.abc import Sequence

import numpy as np

from pellucid.core.shapes import require_shape
from pellucid.plots import axes, svg

WIDTH, RIGHT, AREA, TOP = 480.0, 464.0, 190.0, 60.0
MOST_LABELS = 8


def slices(
    values: Sequence[float],
    scores: Sequence[float],
    title: str,
    low: float,
    high: float,
    log: bool = False,
    edge: float = 0.05,
    best: int | None = None,
    names: Sequence[str] = (),
    y_label: str = "",
) -> str:
    """Draw a dot for each candidate.

    Args:
        values: (T,) of the setting; for a choice, the number of its option.
        scores: (T,); candidates without one (NaN) are left out.
        title: heading inside the drawing.
        low, high: ends of the range.
        log: logarithmic scale.
        edge: share of the range at either end that is shaded; 0 for a choice.
        best: the candidate to ring.
        names: of the options of a choice, in order; () for numbers.
        y_label: what the scores are.

    Returns:
        SVG. Without one score it says so.

    Raises:
        DataError: there are not as many scores as values.
    """
    x, y = np.asarray(values, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    require_shape(y, "T", f"scores of {title!r}", T=len(x))
    usable = np.isfinite(y) & np.isfinite(x)
    parts = [svg.text(0, 18, title, "title")]
    bottom = TOP + AREA
    if not usable.any():
        parts.append(svg.text(WIDTH / 2, TOP + AREA / 2, "nothing was recorded", "soft", "middle"))
        return svg.document(WIDTH, bottom + 46, f"{title}: nothing was recorded.", parts)
    up = axes.fit(y[usable], bottom, TOP)
    left = axes.left_of(up)
    across = axes.Scale(low, high, left + 8, RIGHT - 8, log)
    wide = (across.stop - across.start) * edge
    for start in (across.start, across.stop - wide) if edge else ():
        parts.append(f'<g opacity="0.16">{svg.rect(start, TOP, wide, AREA, "f2", "the edge of the range")}</g>')
    parts += axes.y_axis(up, left, RIGHT, y_label)
    parts += _named(across, bottom, names) if names else axes.x_axis(across, bottom, "")
    for row in np.flatnonzero(usable):
        at = float(across(x[row])), float(up(y[row]))
        said = f"{names[int(x[row])] if names else f'{x[row]:.4g}'}: {y[row]:.4g}"
        parts.append(f'<g opacity="0.6">{svg.circle(*at, 4.5, "f1", said)}</g>')
    if best is not None and usable[best]:
        parts.append(svg.circle(float(across(x[best])), float(up(y[best])), 8, "ring axis"))
    top = int(np.nanargmax(np.where(usable, y, -np.inf)))
    spoken = f"{title}: {int(usable.sum())} candidates, scores from {y[usable].min():.4g} to {y[top]:.4g}."
    return svg.document(WIDTH, bottom + 46, spoken, parts)


def _named(across: axes.Scale, y: float, names: Sequence[str]) -> list[str]:
    parts = [svg.line(across.start, y, across.stop, y, "axis")]
    room = (across.stop - across.start) / max(len(names), 1)
    for number, name in enumerate(names[:MOST_LABELS]):
        shown = svg.shorten(name, room, 13)
        parts.append(svg.text(float(across(number)), y + 18, shown, "soft", "middle", name if shown != name else ""))
    return parts
