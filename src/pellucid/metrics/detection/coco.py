"""The twelve numbers of the COCO evaluation, computed by faster-coco-eval. K classes, T thresholds, R points of recall.

Lin et al. 2014, "Microsoft COCO: Common Objects in Context" (arXiv:1405.0312); https://cocodataset.org/#detection-eval.

For each class: of the 100 surest things found in each picture, surest first, each takes the true thing that it overlaps
most among those that are still free, if IoU reaches the threshold. Over all pictures, by falling score, that gives
precision at each recall; AP is its mean at recall 0, 0.01 ... 1, where precision at a recall is the best there or
above. A number is the mean over classes that occur, and over the thresholds 0.50, 0.55 ... 0.95 unless it names one.
`own.average_precision` is the same in thirty lines.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from pellucid.metrics.detection.detections import Detections, overlaps

IOUS = np.linspace(0.5, 0.95, 10)  # (T,)
RECALLS = np.linspace(0, 1, 101)  # (R,)
MOST = (1, 10, 100)  # things a picture
SIZES = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}  # px
NUMBERS = (
    "ap",
    "ap50",
    "ap75",
    "ap_small",
    "ap_medium",
    "ap_large",
    "ar1",
    "ar10",
    "ar100",
    "ar_small",
    "ar_medium",
    "ar_large",
)
NOT_MEASURED = -1.0  # what COCO's code says of a class that does not occur


@dataclass(frozen=True, eq=False)
class CocoResult:
    """Precision and recall of every class, from which all numbers are means. NaN where a class does not occur.

    Attributes:
        precision: (T, R, K, 4, 3) float64 in 0..1, at each threshold, recall, class, range of sizes and limit.
        recall: (T, K, 4, 3) float64 in 0..1, the highest that is reached.
        scores: (T, R, K, 4, 3) float64, the score from which on the recall is reached.
    """

    precision: np.ndarray
    recall: np.ndarray
    scores: np.ndarray

    @property
    def numbers(self) -> dict[str, float]:
        """The twelve numbers; NaN for those that nothing was measured for."""
        p, r = self.precision, self.recall
        values = [
            p[..., 0, 2],
            p[0, ..., 0, 2],
            p[5, ..., 0, 2],
            *(p[..., size, 2] for size in (1, 2, 3)),
            *(r[..., 0, most] for most in (0, 1, 2)),
            *(r[..., size, 2] for size in (1, 2, 3)),
        ]
        return {name: _mean(value) for name, value in zip(NUMBERS, values, strict=True)}

    def per_class(self, threshold: int | None = None, size: int = 0) -> np.ndarray:
        """(K,) AP of each class; over all thresholds, or at `IOUS[threshold]`; of things of one range of sizes."""
        chosen = self.precision if threshold is None else self.precision[threshold : threshold + 1]
        return np.array([_mean(chosen[:, :, k, size, 2]) for k in range(chosen.shape[2])])

    def recall_per_class(self, threshold: int | None = None) -> np.ndarray:
        """(K,) the highest recall of each class, as `per_class`."""
        chosen = self.recall if threshold is None else self.recall[threshold : threshold + 1]
        return np.array([_mean(chosen[:, k, 0, 2]) for k in range(chosen.shape[1])])


def evaluate(given: Detections, n_classes: int) -> CocoResult:
    """Compare what was found with what is there, as COCO does, over all pictures.

    Of equal scores, that which stands first in its picture comes first; of equal pictures' scores, the first picture.
    """
    import faster_coco_eval.faster_eval_api_cpp as compiled

    assert given.truth_area is not None and given.area is not None and given.truth_crowd is not None
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
    pairs = [[_pairs(given, i, k) for k in classes] for i in pictures]
    result = compiled.COCOevalEvaluateAccumulate(asked, pairs, true, found, pictures, classes, True)
    shape = (len(IOUS), len(RECALLS), n_classes, len(SIZES), len(MOST))
    precision, scores = (np.array(result[name], np.float64).reshape(shape) for name in ("precision", "scores"))
    recall = np.array(result["recall"], np.float64).reshape(shape[0], *shape[2:])
    scores = np.where(precision == NOT_MEASURED, np.nan, scores)
    return CocoResult(_known(precision), _known(recall), scores)


def _pairs(given: Detections, i: int, k: int) -> np.ndarray | list[float]:
    """How the things of class k that were found in picture i overlap the true ones, surest first."""
    assert given.truth_crowd is not None
    mine, theirs = np.flatnonzero(given.labels[i] == k), np.flatnonzero(given.truth_label[i] == k)
    if not len(mine) or not len(theirs):
        return []
    mine = mine[np.argsort(-given.scores[i, mine], kind="stable")][: MOST[-1]]
    if given.overlap is not None:
        return given.overlap[i][np.ix_(mine, theirs)]
    return overlaps(given.boxes_xyxy[i, mine], given.truth_xyxy[i, theirs], given.truth_crowd[i, theirs])


def _known(values: np.ndarray) -> np.ndarray:
    return np.where(values == NOT_MEASURED, np.nan, values)


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
