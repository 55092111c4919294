"""Average precision as Pascal VOC has it: one threshold, and things marked difficult.

Everingham et al. 2010, "The Pascal Visual Object Classes (VOC) Challenge", and VOCevaldet.m of the development kit
(http://host.robots.ox.ac.uk/pascal/VOC/). Unlike in COCO's rule, a found thing looks only at the true thing of its
class that it overlaps most: is that taken already, it is wrong, even if it reaches another one. What finds a difficult
thing does not count, however often.

Letters: F found things, K classes.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from pellucid.metrics.detection.detections import Detections
from pellucid.metrics.detection.matching import overlapping_pairs, things

TENTHS = np.linspace(0, 1, 11)


def voc_average_precision(
    given: Detections,
    n_classes: int,
    difficult: np.ndarray | None = None,
    threshold: float = 0.5,
    points: Literal["all", "11"] = "all",
) -> np.ndarray:
    """(K,) average precision of each class; NaN where it does not occur. mAP is their mean, `np.nanmean`.

    Args:
        difficult: (N, M) bool, things that do not count; None takes those marked as crowds.
        threshold: least IoU.
        points: `all` is the area under the curve of the best precision at each recall or above (from VOC 2010 on);
            `11` the mean of that precision at recall 0, 0.1 ... 1 (VOC 2007).
    """
    difficult = given.truth_crowd if difficult is None else np.asarray(difficult, dtype=bool)
    plain = replace(given, truth_crowd=np.zeros_like(given.truth_crowd))  # IoU with a difficult thing is that with any
    found, true = things(given.labels, True, -given.scores), things(given.truth_label, True)
    who, whom, iou = overlapping_pairs(plain, found, true, threshold)
    best = np.lexsort((whom, -iou, who))  # of each found thing the most first, of equal ones the first
    first = np.unique(who[best], return_index=True)[1]
    chosen = np.full(len(found.key), -1)
    chosen[who[best][first]] = whom[best][first]
    hard = difficult[true.picture, true.place]
    ignored = np.append(hard, False)[chosen]  # the last is for none
    right = np.zeros(len(chosen), bool)
    right[np.unique(chosen, return_index=True)[1]] = True  # found things are ordered by score within a picture
    right &= (chosen >= 0) & ~ignored
    scores = given.scores[found.picture, found.place]
    by_score = np.argsort(-scores, kind="stable")
    n_true = np.bincount(true.label[~hard], minlength=n_classes)
    result = np.full(n_classes, np.nan)
    for k in np.flatnonzero(n_true):
        rows = by_score[(found.label[by_score] == k) & ~ignored[by_score]]
        result[k] = _area(right[rows], int(n_true[k]), points)
    return result


def _area(right: np.ndarray, n_true: int, points: str) -> float:
    """Of found things (F,) by falling score, each right or wrong."""
    tp = right.cumsum()
    precision, recall = tp / np.arange(1, len(right) + 1), tp / n_true
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    if points == "11":
        return float(best[np.searchsorted(recall, TENTHS - 1e-12, side="left")].mean())
    return float((np.diff(recall, prepend=0.0) * best[:-1]).sum())
