"""What is taken for what, with nothing as one more class.

From a score on, every found thing is one of these: right (it took a true thing of its class); of another class than the
thing it lies on; on nothing. And every true thing is found, found as another class, or missed. Right ones are settled
first, so that a wrong name never takes a thing away from the right one.
"""

import numpy as np

from pellucid.metrics.detection.detections import Detections
from pellucid.metrics.detection.matching import NONE, match


def confusion_with_nothing(given: Detections, n_classes: int, score: float, threshold: float = 0.5) -> np.ndarray:
    """(K + 1, K + 1) int64, rows true and columns found; the last row is nothing there, the last column missed.

    Crowds, and what is found on them, do not count. The last cell is 0: nothing found where nothing is has no number.

    Args:
        score: found things below it do not count.
        threshold: least overlap.
    """
    sure = Detections(**{**vars(given), "labels": np.where(given.scores >= score, given.labels, NONE)})
    first = match(sure, np.array([threshold]))
    taken, settled = first.truth[:, 0, 0], np.zeros(sure.labels.shape, bool)
    settled[first.picture[taken != NONE], first.place[taken != NONE]] = True
    free = sure.true & ~sure.truth_crowd
    right = (taken != NONE) & ~first.ignored[:, 0, 0]
    free[first.picture[right], taken[right]] = False
    matrix = np.zeros((n_classes + 1, n_classes + 1), np.int64)
    np.add.at(matrix, (first.label[right], first.label[right]), 1)

    left = np.where(settled, NONE, sure.labels)  # a crowd takes what it is told of any class
    others = np.where(free | (sure.true & sure.truth_crowd), sure.truth_label, NONE)
    rest = match(
        Detections(**{**vars(sure), "labels": left, "truth_label": others}), np.array([threshold]), by_class=False
    )
    took, counts = rest.truth[:, 0, 0], ~rest.ignored[:, 0, 0]
    mixed = (took != NONE) & counts
    np.add.at(matrix, (others[rest.picture[mixed], took[mixed]], rest.label[mixed]), 1)
    free[rest.picture[mixed], took[mixed]] = False
    np.add.at(matrix[n_classes], rest.label[(took == NONE) & counts], 1)
    np.add.at(matrix[:, n_classes], sure.truth_label[free], 1)
    return matrix
