"""Average precision, from matches to the twelve numbers, in plain NumPy: the whole formula on one page.

Letters: F found things, K classes, T thresholds, A ranges of sizes, R points of recall.
"""

import numpy as np

from pellucid.metrics.detection.coco import IOUS, MOST, RECALLS, SIZES, CocoResult
from pellucid.metrics.detection.detections import Detections
from pellucid.metrics.detection.matching import NONE, Matches, match


def average_precision(given: Detections, n_classes: int, most: tuple[int, int, int] = MOST) -> CocoResult:
    """Compare what was found with what is there, as COCO does, over all pictures.

    Of equal scores, that which stands first in its picture comes first; of different pictures, the first picture.

    Args:
        most: limits of how many things of a class and picture are looked at, rising; precision is at the last of them.
    """
    matches = match(given, IOUS, tuple(SIZES.values()), most[-1])
    shape = (len(IOUS), len(RECALLS), n_classes, len(SIZES))
    precision, recall = np.full(shape, np.nan), np.full((shape[0], *shape[2:], len(most)), np.nan)
    counts = true_things(matches, given.truth_label, n_classes)  # (K, A)
    by_score = np.argsort(-matches.score, kind="stable")
    by_class = by_score[np.argsort(matches.label[by_score], kind="stable")]
    ends = np.searchsorted(matches.label[by_class], np.arange(n_classes + 1))
    for k in range(n_classes):
        rows = by_class[ends[k] : ends[k + 1]]
        right = (matches.truth[rows] != NONE) & ~matches.ignored[rows]  # (F, T, A)
        wrong = (matches.truth[rows] == NONE) & ~matches.ignored[rows]
        so_far = np.cumsum(wrong, axis=0, dtype=np.int32)
        for a in np.flatnonzero(counts[k]):
            for t in range(len(IOUS)):
                places = np.flatnonzero(right[:, t, a])
                precision[t, :, k, a] = precision_at(so_far[places, t, a], int(counts[k, a]), RECALLS)
        for m, limit in enumerate(most):
            with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: of such a size there is nothing
                recall[:, k, :, m] = right[matches.rank[rows] < limit].sum(0) / counts[k]
    return CocoResult(precision, recall)


def precision_at(wrong_before: np.ndarray, n_true: int, recalls: np.ndarray) -> np.ndarray:
    """The best precision at each recall or above; 0 where it is not reached.

    Precision after each found thing, surest first, is TP / (TP + FP), recall TP / n_true. The best precision from
    somewhere on is always that of a right thing, so only those are looked at.

    Args:
        wrong_before: a number for each right thing, surest first: how many wrong ones are surer.
        n_true: how many true things there are, at least 1.
        recalls: (R,) rising, in 0..1.
    """
    tp = np.arange(1, len(wrong_before) + 1)
    precision = tp / (wrong_before + tp + np.spacing(1))  # so that it rounds as in COCO's code
    best = np.maximum.accumulate(precision[::-1])[::-1]
    first = np.searchsorted(tp / n_true, recalls, side="left")
    return np.append(best, 0.0)[np.minimum(first, len(best))]


def true_things(matches: Matches, truth_label: np.ndarray, n_classes: int) -> np.ndarray:
    """(K, A) how many true things count."""
    picture, place, size = np.nonzero(~matches.truth_ignored)
    counts = np.zeros((n_classes, matches.truth_ignored.shape[2]), np.int64)
    np.add.at(counts, (truth_label[picture, place], size), 1)
    return counts
