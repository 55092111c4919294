"""What counts in detection. The number that decides is `ap`, that of COCO: the mean over ten thresholds of IoU."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.core.task import Metric
from pellucid.core.verdict import Verdict
from pellucid.doctor.why_zero_boxes import why_zero_boxes
from pellucid.metrics.detection.average_precision import average_precision
from pellucid.metrics.detection.certainty import found_calibration_error
from pellucid.metrics.detection.coco import IOUS
from pellucid.metrics.detection.confusion import confusion_with_nothing
from pellucid.metrics.detection.curves import curves_of
from pellucid.metrics.detection.detections import Detections
from pellucid.metrics.detection.keypoints import keypoint_similarity
from pellucid.metrics.detection.matching import match
from pellucid.tasks.detect.outlines import mask_records

METRICS = (
    Metric("ap"),
    Metric("ap50"),
    Metric("ap75"),
    Metric("ap_small"),
    Metric("ap_medium"),
    Metric("ap_large"),
    Metric("ar100"),
    Metric("f1"),
    Metric("mask_ap"),
    Metric("mask_ap50"),
    Metric("keypoint_ap"),
    Metric("keypoint_ap50"),
    Metric("loss", higher_is_better=False),
)
POINTS_MOST = (1, 10, 20)  # things a picture, as COCO counts keypoints
By = Literal["boxes", "masks", "keypoints"]


def score(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """One row a picture, as the table of `tasks.detect.task` says."""
    affine = batch["canvas_affine"]  # (N, 2, 3)
    labels = outputs["found_labels"]
    records = {
        "boxes_xyxy": to_file(outputs["found_boxes_xyxy"], affine) * (labels >= 0)[..., None],
        "scores": outputs["found_scores"],
        "labels": labels,
        "truth_xyxy": to_file(batch["boxes_xyxy"], affine) * (batch["box_label"] >= 0)[..., None],
        "truth_label": batch["box_label"],
        "truth_crowd": batch["is_crowd"],
        "truth_area": batch["box_area"],
        "size_hw": batch["original_hw"],
        "index": batch["index"],
    }
    if "found_masks" in outputs and "instance_mask" in batch:
        records |= mask_records(outputs, batch)
    if "found_keypoints" in outputs and "keypoints" in batch:
        records |= _keypoint_records(outputs["found_keypoints"], batch["keypoints"], affine, records)
    return records


def to_file(boxes_xyxy: Tensor, affine: Tensor) -> Tensor:
    """(N, M, 4) in pixels of the canvas -> (N, M, 4) float64 in pixels of the file.

    Args:
        affine: (N, 2, 3), from the canvas to the file; it neither turns nor shears.
    """
    n, m = boxes_xyxy.shape[:2]
    return _points_to_file(boxes_xyxy.reshape(n, m, 2, 2), affine).reshape(n, m, 4)


def _points_to_file(xy: Tensor, affine: Tensor) -> Tensor:
    """(N, M, P, 2) -> the same in float64 and in pixels of the file."""
    scale, offset = affine[:, [0, 1], [0, 1]].double(), affine[:, :, 2].double()  # (N, 2)
    return xy.double() * scale[:, None, None] + offset[:, None, None]


def _keypoint_records(found: Tensor, true: Tensor, affine: Tensor, boxes: Mapping[str, Tensor]) -> dict[str, Tensor]:
    marked = true[..., 2:] > 0
    points = torch.cat([_points_to_file(true[..., :2], affine), marked.double()], -1)
    arrays = (_points_to_file(found[..., :2], affine), points, boxes["truth_area"].double(), boxes["truth_xyxy"])
    similarity = keypoint_similarity(*(each.detach().cpu().numpy() for each in arrays))
    return {"keypoint_similarity": torch.from_numpy(similarity), "truth_points": marked.sum((2, 3))}


def summarise(records: Mapping[str, Tensor], facts: DataFacts) -> dict[str, Any]:
    """Numbers and per-class lists over all pictures.

    `best_conf` is the least score at which precision and recall are best together (F1, all classes as one);
    `precision`, `recall` and the confusion matrix are those of everything from there on, at IoU 0.5.
    """
    k, given = facts.n_classes, detections(records)
    found = average_precision(given, k)
    matches = match(given, IOUS[:1])
    *_, every = curves_of(matches, given.truth_label, k)
    best = every.best
    conf = float(every.score[best]) if best >= 0 else float("nan")
    precision, recall = every.at(conf) if best >= 0 else (float("nan"), float("nan"))
    each: dict[str, list[Any]] = {
        "class": list(facts.classes),
        "ap": found.per_class().tolist(),
        "ap50": found.per_class(0).tolist(),
        "ap75": found.per_class(5).tolist(),
        "recall50": found.recall_per_class(0).tolist(),
        "things": np.bincount(given.truth_label[given.true & ~given.truth_crowd], minlength=k).tolist(),
        "found": np.bincount(given.labels[given.found & (given.scores >= conf)], minlength=k).tolist(),
    }
    others: dict[str, float] = {}
    if "mask_iou" in records:
        by_masks = average_precision(detections(records, "masks"), k)
        others |= {f"mask_{name}": value for name, value in by_masks.numbers.items()}
        each |= {"mask_ap": by_masks.per_class().tolist(), "mask_ap50": by_masks.per_class(0).tolist()}
    if "keypoint_similarity" in records:
        numbers = average_precision(detections(records, "keypoints"), k, POINTS_MOST).numbers
        kept = ("ap", "ap50", "ap75", "ap_medium", "ap_large", "ar100")
        others |= {f"keypoint_{name.replace('100', '20')}": numbers[name] for name in kept}
    return {
        **found.numbers,
        **others,
        "f1": float(every.f1[best]) if best >= 0 else _none_found(given),
        "precision": precision,
        "recall": recall,
        "best_conf": conf,
        "calibration_error": found_calibration_error(matches),
        "per_class": each,
        "confusion": confusion_with_nothing(given, k, conf if best >= 0 else np.inf).tolist(),
    }


def _none_found(given: Detections) -> float:
    """F1 where nothing was found: 0 if there was something, else not a number."""
    return 0.0 if (given.true & ~given.truth_crowd).any() else float("nan")


def detections(records: Mapping[str, Tensor], by: By = "boxes") -> Detections:
    """The records as metrics read them, found things compared with true ones by boxes, masks or keypoints."""
    arrays = {name: _array(value) for name, value in records.items()}
    names = ("boxes_xyxy", "scores", "labels", "truth_xyxy", "truth_label", "truth_crowd", "truth_area")
    given = Detections(*(arrays[name] for name in names))
    if by == "masks":
        return replace(given, area=arrays["mask_area"], overlap=arrays["mask_iou"])
    if by == "keypoints":  # what has no marked point is of no size that counts
        truth_area = np.where(arrays["truth_points"] > 0, given.truth_area, -1.0)
        return replace(given, truth_area=truth_area, overlap=arrays["keypoint_similarity"])
    return given


def _array(values: Tensor) -> np.ndarray:
    return values.detach().to("cpu", torch.float64 if values.is_floating_point() else values.dtype).numpy()


def chance(facts: DataFacts) -> dict[str, float]:
    """What the best answer reaches that is always the same: about nothing."""
    return {metric.name: 0.0 for metric in METRICS if metric.higher_is_better}


def explain(summary: Mapping[str, Any], records: Mapping[str, Tensor], facts: DataFacts) -> list[Verdict]:
    """Why AP is near 0."""
    return why_zero_boxes(detections(records), _array(records["size_hw"]), facts.classes, facts.class_counts)
