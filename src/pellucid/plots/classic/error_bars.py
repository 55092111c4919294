"""Scores against a hyperparameter: every fold a dot, their mean a line, their spread a bar, the best one ringed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.plots import axes, svg

WIDTH, RIGHT, AREA = 480.0, 464.0, 210.0
CAP, APART = 4.0, 7.0  # half the width of a bar's ends; how far bars of two series at one place stand apart

# V values of the hyperparameter, F folds


def error_bars(
    series: Mapping[str, tuple[Sequence[float], Any]],
    title: str,
    x_label: str = "k",
    y_label: str = "accuracy",
    log_x: bool = False,
    best: tuple[str, float] | None = None,
) -> str:
    """Draw the scores of a cross-validation.

    Args:
        series: name -> (values (V,), scores (V, F)) of each value on each fold; NaN is left out.
        title: heading inside the drawing.
        x_label, y_label: what the axes count.
        log_x: logarithmic x axis, for values from 1 to 100 or penalties.
        best: (series, value) to ring; None takes the highest mean, of equal ones the first.

    Returns:
        SVG. A bar reaches one sample standard deviation of the folds to both sides of their mean.

    Raises:
        DataError: scores do not fit the values, there are none, or `best` is none of them.
    """
    data = {name: _columns(name, *pair, log_x) for name, pair in series.items()}
    if not any(len(x) for x, _, _ in data.values()):
        raise DataError("There are no scores to draw.")
    ringed = _best(data, best)
    entries = [
        (svg.line(0, 0, 22, 0, f"curve s{_style(n)}") + svg.circle(11, 0, 3.5, f"f{_style(n)}"), name)
        for n, name in enumerate(data)
    ]
    told = f"best: {ringed[2]:.4g} at {x_label} {ringed[1]:g}"
    key, tall = svg.key_rows([*entries, (svg.circle(11, 0, 7, "ring axis"), told)], WIDTH, 0, 30)
    top = 30 + tall + 30
    bottom = top + AREA
    reach = [np.concatenate([scores.ravel(), mean - std, mean + std]) for _, scores, (mean, std) in data.values()]
    up = axes.fit(np.concatenate(reach), bottom, top)
    left = axes.left_of(up)
    places = np.concatenate([x for x, _, _ in data.values()])
    across = _across(places, left + 14, RIGHT - 14, log_x)
    parts = [svg.text(0, 18, title, "title"), *key, *axes.y_axis(up, left, RIGHT, y_label)]
    parts += axes.x_axis(across, bottom, x_label, bool(np.all(places == np.round(places))))
    for n, (name, (x, scores, moments)) in enumerate(data.items()):
        shift = (n - (len(data) - 1) / 2) * APART
        parts += _series(name, x, scores, moments, _style(n), shift, across, up, x_label)
        if name == ringed[0]:
            parts.append(svg.circle(float(across(ringed[1])) + shift, float(up(ringed[2])), 8, "ring axis"))
    return svg.document(WIDTH, bottom + 46, _spoken(title, data, told, x_label), parts)


def _columns(
    name: str, values: Sequence[float], scores: Any, log: bool
) -> tuple[np.ndarray, np.ndarray, tuple[Any, Any]]:
    """Values (V,) ascending, scores (V, F), and their means and standard deviations (V,)."""
    x, scores = np.asarray(values, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    require_shape(scores, "V F", f"scores of {name!r}", V=len(x))
    if log and len(x) and not (x > 0).all():
        raise DataError(f"A logarithmic axis needs values above 0, got {x.min():g} in {name!r}.")
    order = np.argsort(x, kind="stable")
    order = order[np.isfinite(scores[order]).any(axis=1)]
    scores = scores[order]
    mean = np.nanmean(scores, axis=1)
    count = np.isfinite(scores).sum(axis=1)
    std = np.sqrt(np.nansum((scores - mean[:, None]) ** 2, axis=1) / np.maximum(count - 1, 1))
    return x[order], scores, (mean, std)


def _across(places: np.ndarray, start: float, stop: float, log: bool) -> axes.Scale:
    """From the smallest value to the largest, without the margin that would hide the ticks between 1 and 100."""
    if log and places.min() < places.max():
        return axes.Scale(float(places.min()), float(places.max()), start, stop, log=True)
    return axes.fit(places, start, stop, log, pad=0)


def _best(data: Mapping[str, Any], best: tuple[str, float] | None) -> tuple[str, float, float]:
    """The series, the value and the mean that are ringed."""
    if best is None:
        tops = [
            (float(mean.max()), name, float(x[int(mean.argmax())]))
            for name, (x, _, (mean, _)) in data.items()
            if len(x)
        ]
        mean, name, value = max(tops, key=lambda top: top[0])  # the first of equals
        return name, value, mean
    name, value = best
    x, _, (mean, _) = data.get(name, (np.empty(0), None, (np.empty(0), None)))
    found = np.flatnonzero(np.isclose(x, value, rtol=1e-12))
    if not len(found):
        raise DataError(f"The best is {value:g} of {name!r}, but nothing was measured there.")
    return name, value, float(mean[found[0]])


def _series(
    name: str,
    x: np.ndarray,
    scores: np.ndarray,
    moments: tuple[np.ndarray, np.ndarray],
    style: int,
    shift: float,
    across: axes.Scale,
    up: axes.Scale,
    x_label: str,
) -> list[str]:
    mean, std = moments
    at = across(x) + shift
    means, lows, highs = up(mean), up(mean - std), up(mean + std)
    parts = [svg.circle(place, float(up(s)), 2, f"f{style} pale") for place, row in zip(at, scores, strict=True)
             for s in row if np.isfinite(s)]  # fmt: skip
    for place, low, high in zip(at, lows, highs, strict=True):
        parts.append(svg.rect(place - 0.75, high, 1.5, low - high, f"f{style}"))
        parts += [svg.rect(place - CAP, end - 0.75, 2 * CAP, 1.5, f"f{style}") for end in (low, high)]
    parts.append(svg.path([list(zip(at.tolist(), means.tolist(), strict=True))], f"curve s{style}"))
    for n, place in enumerate(at):
        hover = f"{name}, {x_label} {x[n]:g}: {mean[n]:.4g} ± {std[n]:.2g}"
        parts.append(svg.circle(place, float(means[n]), 3.5, f"f{style}", hover))
    return parts


def _style(n: int) -> int:
    return n % svg.SERIES + 1


def _spoken(title: str, data: Mapping[str, Any], told: str, x_label: str) -> str:
    ranges = [
        f"{name} from {mean[0]:.4g} at {x_label} {x[0]:g} to {mean[-1]:.4g} at {x_label} {x[-1]:g}"
        for name, (x, _, (mean, _)) in data.items()
        if len(x)
    ]
    return f"{title}: {'; '.join(ranges)}; {told}."
