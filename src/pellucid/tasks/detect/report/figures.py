"""Curves and bars of a detector's report."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from pellucid.metrics.detection.certainty import bins_of, found_reliability
from pellucid.metrics.detection.curves import Curve, precision_recall
from pellucid.metrics.detection.detections import Detections
from pellucid.metrics.detection.matching import NONE, Matches
from pellucid.plots.bars import bars
from pellucid.plots.curves import curves
from pellucid.plots.reliability import reliability
from pellucid.report.blocks import Figure

MOST_CURVES = 5  # of single classes
BINS = 10


def precision_figures(given: Detections, classes: Sequence[str], order: Sequence[int]) -> list[Figure]:
    """Precision over recall, of all classes and of the first of `order`; and what a least score does to both."""
    *each, every = precision_recall(given, len(classes))
    if every.best < 0:
        return []
    shown = [k for k in order if each[k].n_true and len(each[k].score)][:MOST_CURVES]
    series = {"all classes": _points(every)} | {classes[k]: _points(each[k]) for k in shown}
    best = (float(every.recall[every.best]), float(every.precision[every.best]))
    first = curves(series, "Precision over recall (IoU 0.50)", x_label="recall", y_label="precision", best=best)
    score, kept = every.score[::-1], slice(None, None, -1)
    second = curves(
        {
            "precision": (score, every.precision[kept]),
            "recall": (score, every.recall[kept]),
            "F1": (score, every.f1[kept]),
        },
        "What a least score does",
        x_label="least score (--conf)",
        best=(float(every.score[every.best]), float(every.f1[every.best])),
    )
    note = "The ring: where F1 is highest, which is the best least score when both kinds of error are equally bad."
    weak = f"Beside all classes, the {len(shown)} with the lowest AP." if len(shown) < len(classes) else ""
    return [Figure(first, weak), Figure(second, note)]


def _points(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """As used for AP: the best precision at each recall or above, from recall 0 on."""
    best = np.maximum.accumulate(curve.precision[::-1])[::-1]
    return np.concatenate([[0.0], curve.recall]), np.concatenate([best[:1], best])


def certainty_figures(matches: Matches) -> list[Figure]:
    """Scores of right and of wrong found things, and score against share that is right."""
    counts = ~matches.ignored[:, 0, 0]
    right = matches.truth[counts, 0, 0] != NONE
    edges = np.linspace(0, 1, BINS + 1)
    inside = bins_of(matches.score[counts], edges)
    names = [f"{low:.1f} to {high:.1f}" for low, high in pairwise(edges)]
    series = {
        "right": np.bincount(inside[right], minlength=BINS)[::-1].tolist(),
        "wrong": np.bincount(inside[~right], minlength=BINS)[::-1].tolist(),
    }
    bins = found_reliability(matches, BINS)
    drawn = reliability(bins.edges, bins.confidence, bins.accuracy, bins.count, "Is a score a chance?", "found things")
    return [Figure(bars(series, names[::-1], "Found things by score", stacked=True)), Figure(drawn)]
