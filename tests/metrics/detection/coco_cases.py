"""Random pictures with found and true things, and what pycocotools says of them."""

import contextlib
import io
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pellucid.metrics.detection.detections import Detections


def random_detections(
    rng: np.random.Generator, n: int, d: int, m: int, k: int, side: int, crowd: float = 0.1, ties: bool = True
) -> Detections:
    """Most found things lie near a true one and have its class; of both, some places are empty."""
    truth = _boxes(rng, (n, m), side)
    truth_label = rng.integers(-1, k, (n, m))
    near, which = rng.random((n, d)) < 0.7, rng.integers(0, m, (n, d))
    shaken = np.take_along_axis(truth, which[..., None], 1) + rng.integers(-side // 30 - 1, side // 30 + 2, (n, d, 4))
    boxes = np.where(near[..., None], shaken, _boxes(rng, (n, d), side))
    boxes[..., 2:] = np.maximum(boxes[..., 2:], boxes[..., :2] + 1)
    labels = np.where(near, np.take_along_axis(truth_label, which, 1), rng.integers(-1, k, (n, d)))
    scores = rng.integers(0, 10, (n, d)) / 10 if ties else rng.random((n, d))
    return Detections(boxes, scores, labels, truth, truth_label, rng.random((n, m)) < crowd)


def _boxes(rng: np.random.Generator, shape: tuple[int, int], side: int) -> np.ndarray:
    corner = rng.integers(0, side, (*shape, 2))
    return np.concatenate([corner, corner + rng.integers(1, max(2, side // 2), (*shape, 2))], -1).astype(np.float64)


def by_pycocotools(
    given: Detections, n_classes: int, kind: str = "bbox", found: Any = None, truth: Any = None
) -> dict[str, np.ndarray]:
    """`stats`, `precision` (T, R, K, A) and `recall` (T, K, A) of the most things a picture; NaN where not measured.

    Args:
        found, truth: (picture, place) -> what more an annotation holds, such as a segmentation.
    """
    things, answers = [], []
    for number, (i, j) in enumerate(np.argwhere(given.true).tolist(), start=1):
        about = {"id": number, "image_id": i + 1, "category_id": int(given.truth_label[i, j]) + 1}
        about |= {"bbox": _xywh(given.truth_xyxy[i, j]), "area": float(given.truth_area[i, j])}
        things.append({**about, "iscrowd": int(given.truth_crowd[i, j]), **(truth(i, j) if truth else {})})
    for i, j in np.argwhere(given.found).tolist():
        about = {"image_id": i + 1, "category_id": int(given.labels[i, j]) + 1, "score": float(given.scores[i, j])}
        answers.append({**about, **(found(i, j) if found else {"bbox": _xywh(given.boxes_xyxy[i, j])})})
    with contextlib.redirect_stdout(io.StringIO()):
        true = COCO()
        true.dataset = {
            "images": [{"id": i + 1, "height": 512, "width": 512} for i in range(len(given))],
            "categories": [{"id": c + 1} for c in range(n_classes)],
            "annotations": things,
        }
        true.createIndex()
        if answers:
            answered = true.loadRes(answers)
        else:  # loadRes wants one at least
            answered = COCO()
            answered.dataset = {**true.dataset, "annotations": []}
            answered.createIndex()
        judged = COCOeval(true, answered, kind)
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    known = {name: np.where(judged.eval[name] == -1, np.nan, judged.eval[name]) for name in ("precision", "recall")}
    return {
        "stats": np.where(judged.stats == -1, np.nan, judged.stats),
        "precision": known["precision"][..., -1],
        "recall": known["recall"],
    }


def _xywh(box: np.ndarray) -> list[float]:
    left, top, right, bottom = box.tolist()
    return [left, top, right - left, bottom - top]
