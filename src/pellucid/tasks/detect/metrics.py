"""What counts in detection. The number that decides is `ap`, that of COCO: the mean over ten thresholds of IoU."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.core.task import Metric
from pellucid.metrics.detection.average_precision import average_precision
from pellucid.metrics.detection.detections import Detections

METRICS = (
    Metric("ap"),
    Metric("ap50"),
    Metric("ap75"),
    Metric("ap_small"),
    Metric("ap_medium"),
    Metric("ap_large"),
    Metric("ar100"),
    Metric("loss", higher_is_better=False),
)


def score(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """One row a picture, as the table of `tasks.detect.task` says."""
    affine = batch["canvas_affine"]  # (N, 2, 3)
    labels = outputs["found_labels"]
    return {
        "boxes_xyxy": to_file(outputs["found_boxes_xyxy"], affine) * (labels >= 0)[..., None],
        "scores": outputs["found_scores"],
        "labels": labels,
        "truth_xyxy": to_file(batch["boxes_xyxy"], affine) * (batch["box_label"] >= 0)[..., None],
        "truth_label": batch["box_label"],
        "truth_crowd": batch["is_crowd"],
        "truth_area": batch["box_area"],
        "index": batch["index"],
    }


def to_file(boxes_xyxy: Tensor, affine: Tensor) -> Tensor:
    """(N, M, 4) in pixels of the canvas -> (N, M, 4) float64 in pixels of the file.

    Args:
        affine: (N, 2, 3), from the canvas to the file; it neither turns nor shears.
    """
    n, m = boxes_xyxy.shape[:2]
    scale = affine[:, [0, 1], [0, 1]].double()  # (N, 2)
    corners = boxes_xyxy.double().reshape(n, m, 2, 2) * scale[:, None, None] + affine[:, None, None, :, 2].double()
    return corners.reshape(n, m, 4)


def summarise(records: Mapping[str, Tensor], facts: DataFacts) -> dict[str, Any]:
    """Numbers and per-class lists over all pictures."""
    given = detections(records)
    found = average_precision(given, facts.n_classes)
    true = given.truth_label[given.true & ~given.truth_crowd]
    return {
        **found.numbers,
        "per_class": {
            "class": list(facts.classes),
            "ap": found.per_class().tolist(),
            "ap50": found.per_class(0).tolist(),
            "ap75": found.per_class(5).tolist(),
            "recall50": found.recall_per_class(0).tolist(),
            "things": np.bincount(true, minlength=facts.n_classes).tolist(),
            "found": np.bincount(given.labels[given.found], minlength=facts.n_classes).tolist(),
        },
    }


def detections(records: Mapping[str, Tensor]) -> Detections:
    """The records as metrics read them: what boxes say."""
    arrays = {name: _array(value) for name, value in records.items()}
    return Detections(
        arrays["boxes_xyxy"],
        arrays["scores"],
        arrays["labels"],
        arrays["truth_xyxy"],
        arrays["truth_label"],
        arrays["truth_crowd"],
        arrays["truth_area"],
    )


def _array(values: Tensor) -> np.ndarray:
    return values.detach().to("cpu", torch.float64 if values.is_floating_point() else values.dtype).numpy()


def chance(facts: DataFacts) -> dict[str, float]:
    """What the best answer reaches that is always the same: about nothing."""
    return {metric.name: 0.0 for metric in METRICS if metric.higher_is_better}
