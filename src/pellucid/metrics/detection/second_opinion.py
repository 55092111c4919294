"""The COCO evaluation by faster-coco-eval, whose compiled code follows pycocotools: a second opinion on our numbers.

Only its matching and counting are used; how much things overlap is handed in, so masks and keypoints need no second
form. `tests/metrics/detection` hold both, and pycocotools, to each other.
"""

from types import SimpleNamespace

import numpy as np

from pellucid.metrics.detection.coco import IOUS, MOST, RECALLS, SIZES, CocoResult
from pellucid.metrics.detection.detections import NOTHING, Detections, overlaps

NOT_MEASURED = -1.0  # what COCO's code says of a class that does not occur


def by_faster_coco_eval(given: Detections, n_classes: int) -> CocoResult:
    """The same as `average_precision`, to the last digits: https://github.com/MiXaiLL76/faster_coco_eval."""
    import faster_coco_eval.faster_eval_api_cpp as compiled

    found, true = compiled.Dataset(), compiled.Dataset()
    for number, (i, j) in enumerate(np.argwhere(given.true).tolist(), start=1):
        crowd = int(given.truth_crowd[i, j])
        about = {"id": number, "area": float(given.truth_area[i, j]), "iscrowd": crowd, "ignore": crowd}
        true.append(i, int(given.truth_label[i, j]), about)
    for number, (i, j) in enumerate(np.argwhere(given.found).tolist(), start=1):
        about = {"id": number, "score": float(given.scores[i, j]), "area": float(given.area[i, j])}
        found.append(i, int(given.labels[i, j]), about)
    pictures, classes = list(range(len(given))), list(range(n_classes))
    asked = SimpleNamespace(
        iouThrs=IOUS,
        recThrs=RECALLS,
        maxDets=list(MOST),
        areaRng=[list(size) for size in SIZES.values()],
        imgIds=pictures,
        catIds=classes,
        useCats=1,
    )
    pairs: list[list[np.ndarray | list[float]]] = [[[] for _ in classes] for _ in pictures]
    for i in pictures:
        for k in set(given.labels[i].tolist()) & set(given.truth_label[i].tolist()) - {NOTHING}:
            pairs[i][k] = _pairs(given, i, k)
    result = compiled.COCOevalEvaluateAccumulate(asked, pairs, true, found, pictures, classes, True)
    shape = (len(IOUS), len(RECALLS), n_classes, len(SIZES), len(MOST))
    precision = np.array(result["precision"], np.float64).reshape(shape)[..., -1]
    recall = np.array(result["recall"], np.float64).reshape(shape[0], *shape[2:])
    return CocoResult(_known(precision), _known(recall))


def _pairs(given: Detections, i: int, k: int) -> np.ndarray:
    """How the things of class k that were found in picture i overlap the true ones, surest first."""
    mine, theirs = np.flatnonzero(given.labels[i] == k), np.flatnonzero(given.truth_label[i] == k)
    mine = mine[np.argsort(-given.scores[i, mine], kind="stable")][: MOST[-1]]
    if given.overlap is not None:
        return given.overlap[i][np.ix_(mine, theirs)]
    return overlaps(given.boxes_xyxy[i, mine], given.truth_xyxy[i, theirs], given.truth_crowd[i, theirs])


def _known(values: np.ndarray) -> np.ndarray:
    return np.where(values == NOT_MEASURED, np.nan, values)
