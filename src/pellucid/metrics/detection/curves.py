"""Precision and recall as the least score is lowered, and the score at which both are best together.

Letters: F found things, K classes.
"""

from dataclasses import dataclass

import numpy as np

from pellucid.metrics.detection.detections import Detections
from pellucid.metrics.detection.matching import NONE, Matches, match


@dataclass(frozen=True, eq=False)
class Curve:
    """Of one class, or of all together: what is reached when everything down to a score is named.

    Attributes:
        score: (F,) falling, of the found things that count.
        precision: (F,) share of those named that are right.
        recall: (F,) share of the true things that are found, rising; NaN where there are none.
        n_true: how many true things there are.
    """

    score: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    n_true: int

    @property
    def f1(self) -> np.ndarray:
        """(F,) the harmonic mean of both: 2 P R / (P + R), 0 where nothing is right."""
        both = self.precision + self.recall
        return np.divide(2 * self.precision * self.recall, both, out=np.zeros_like(both), where=both > 0)

    @property
    def best(self) -> int:
        """Where F1 is highest; -1 where nothing was found or nothing is there."""
        return int(np.argmax(self.f1)) if len(self.score) and self.n_true else -1

    def at(self, score: float) -> tuple[float, float]:
        """Precision and recall of everything from a score on; of nothing NaN and 0."""
        count = int((self.score >= score).sum())
        if not count:
            return float("nan"), 0.0 if self.n_true else float("nan")
        return float(self.precision[count - 1]), float(self.recall[count - 1])


def precision_recall(given: Detections, n_classes: int, threshold: float = 0.5) -> list[Curve]:
    """A curve for each class, and last one of all together. Found things are matched as in COCO's rule.

    Args:
        threshold: least overlap of what counts as right.
    """
    return curves_of(match(given, np.array([threshold])), given.truth_label, n_classes)


def curves_of(matches: Matches, truth_label: np.ndarray, n_classes: int) -> list[Curve]:
    """The same from matches, at their first threshold and first range of sizes."""
    counted = ~matches.ignored[:, 0, 0]
    right = (matches.truth[:, 0, 0] != NONE) & counted
    true = np.bincount(truth_label[~matches.truth_ignored[..., 0]], minlength=n_classes)
    order = np.argsort(-matches.score, kind="stable")
    order = order[counted[order]]
    label = matches.label[order]
    each = [_curve(matches.score, right, order[label == k], int(true[k])) for k in range(n_classes)]
    return [*each, _curve(matches.score, right, order, int(true.sum()))]


def _curve(score: np.ndarray, right: np.ndarray, rows: np.ndarray, n_true: int) -> Curve:
    tp = right[rows].cumsum()
    with np.errstate(invalid="ignore"):
        recall = tp / np.float64(n_true)
    return Curve(score[rows], tp / np.arange(1, len(rows) + 1), recall, n_true)
