"""Decision regions: which class a classifier gives to each place of the plane; white where it cannot say."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from pellucid.core.config import require
from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.plots import svg

WIDTH, GAP, ABOVE = 480.0, 12.0, 22.0
UNDECIDED = -1
PAPER = 'fill="#fff"'  # of undecided places, on dark pages too: the colours of the regions are mixed with it

Box = tuple[float, float, float, float]  # x from, y from, x to, y to
Predict = Callable[[np.ndarray], Any]  # points (N, 2) -> classes (N,), -1 where undecided

# R places along each side of a map


def regions(
    predicts: Mapping[str, Predict],
    points: Any,
    labels: Any,
    title: str,
    columns: int = 3,
    resolution: int = 80,
    box: Box | None = None,
) -> str:
    """Draw the regions of several classifiers side by side, with the samples on top.

    Args:
        predicts: caption -> classifier; takes points (N, 2), gives classes 0..5, or -1 where it is undecided.
        points: (N, 2) samples.
        labels: (N,) their classes.
        title: heading inside the drawing.
        columns: panels in a row.
        resolution: places along each side.
        box: the rectangle that is shown; None is that of the samples with a margin of 8 %.

    Returns:
        SVG.

    Raises:
        DataError: shapes do not fit, or there are more than six classes.
        ConfigError: no classifier, no column or no place.
    """
    points, labels = np.asarray(points, dtype=np.float64), np.asarray(labels)
    require_shape(points, "N 2", "points", **{"2": 2})
    require_shape(labels, "N", "labels", N=len(points))
    require(len(predicts) > 0, "predicts", "at least one classifier", 0)
    require(columns >= 1, "columns", "at least 1", columns)
    box = box or around(points)
    columns = min(columns, len(predicts))
    side = min((WIDTH - GAP * (columns - 1)) / columns, 300.0)
    parts, top = [svg.text(0, 18, title, "title")], 30.0
    for n, (name, predict) in enumerate(predicts.items()):
        left = n % columns * (side + GAP)
        top = 30.0 + n // columns * (side + ABOVE + GAP)
        classes = class_map(predict, box, resolution)
        parts.append(svg.text(left, top + 15, svg.shorten(name, side), "soft"))
        parts += _map(classes, left, top + ABOVE, side)
        parts += _samples(points, labels, box, left, top + ABOVE, side)
    spoken = f"{title}: the regions of {', '.join(predicts)}."
    return svg.document(WIDTH, top + ABOVE + side + 4, spoken, parts)


def class_map(predict: Predict, box: Box, resolution: int = 80) -> np.ndarray:
    """(R, R) int64: the class in the middle of each place, y upwards in the rows, x in the columns; -1 is undecided.

    Raises:
        ConfigError: no place, or a rectangle without area.
        DataError: not one whole number for each point, or one below -1 or above 5.
    """
    require(resolution >= 1, "resolution", "at least 1", resolution)
    left, low, right, high = box
    require(left < right and low < high, "box", "(x from, y from, x to, y to) with area", box)
    steps = (np.arange(resolution) + 0.5) / resolution
    x, y = np.meshgrid(left + steps * (right - left), low + steps * (high - low))
    classes = np.asarray(predict(np.stack([x.ravel(), y.ravel()], axis=1)))
    require_shape(classes, "N", "classes", N=x.size)
    if classes.dtype.kind not in "iub" or classes.min() < UNDECIDED or classes.max() >= svg.SERIES:
        raise DataError(
            f"Regions are drawn for classes 0 to {svg.SERIES - 1}, or {UNDECIDED} for undecided, got {classes.dtype} "
            f"from {classes.min()} to {classes.max()}."
        )
    return classes.astype(np.int64).reshape(x.shape)


def majority(shares: Any) -> np.ndarray:
    """The class with the most votes, or -1 where two or more share the first place: there is no majority.

    Args:
        shares: (N, C) votes, or their shares.
    """
    shares = np.asarray(shares, dtype=np.float64)
    require_shape(shares, "N C", "shares")
    first = np.isclose(shares, shares.max(axis=1, keepdims=True), rtol=1e-9, atol=0)
    return np.where(first.sum(axis=1) == 1, shares.argmax(axis=1), UNDECIDED)


def around(points: np.ndarray, margin: float = 0.08) -> Box:
    """The rectangle of all points, a little larger.

    Raises:
        DataError: there are none, or one is no number.
    """
    if not len(points) or not np.isfinite(points).all():
        raise DataError("A rectangle around points needs at least one, and no NaN or infinity.")
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.where(high > low, margin * (high - low), 1.0)
    (left, bottom), (right, top) = low - room, high + room
    return float(left), float(bottom), float(right), float(top)


def _map(classes: np.ndarray, left: float, top: float, side: float) -> list[str]:
    """White paper, and on it one path a class: a rectangle for each run of places in a column."""
    place = side / len(classes)
    runs: list[list[str]] = [[] for _ in range(svg.SERIES)]
    for column, values in enumerate(classes.T):
        ends = np.flatnonzero(np.diff(values, prepend=-2, append=-2))
        for start, stop in pairwise(ends.tolist()):
            if values[start] != UNDECIDED:
                corner = svg.number(left + column * place), svg.number(top + side - start * place)
                wide, tall = svg.number(place), svg.number((stop - start) * place)
                runs[values[start]].append(f"M{corner[0]} {corner[1]}h{wide}v-{tall}h-{wide}z")
    paths = [f'<path d="{"".join(each)}" class="f{n} pale"/>' for n, each in enumerate(runs, 1) if each]
    paper = svg.rect(left, top, side, side, "").replace("<rect ", f"<rect {PAPER} ")
    return ['<g shape-rendering="crispEdges">', paper, *paths, "</g>"]  # crisp: no seams between the columns


def _samples(points: np.ndarray, labels: np.ndarray, box: Box, left: float, top: float, side: float) -> list[str]:
    x = left + (points[:, 0] - box[0]) / (box[2] - box[0]) * side
    y = top + side - (points[:, 1] - box[1]) / (box[3] - box[1]) * side
    inside = (x >= left) & (x <= left + side) & (y >= top) & (y <= top + side)
    return [svg.circle(x[n], y[n], 2.6, f"f{int(labels[n]) % svg.SERIES + 1}") for n in np.flatnonzero(inside)]
