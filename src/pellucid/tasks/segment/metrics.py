"""What counts in semantic segmentation. The number that decides is `miou`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.core.task import Metric
from pellucid.core.verdict import Verdict
from pellucid.doctor.why_zero import Answers, why_zero
from pellucid.metrics.borders import border_errors, boundary_counts, boundary_f1, mean_boundary_f1, trimap_accuracy
from pellucid.metrics.classification import per_class
from pellucid.metrics.segmentation import (
    confusion,
    dice,
    frequency_weighted_iou,
    iou,
    mean_accuracy,
    mean_dice,
    mean_iou,
    pixel_accuracy,
)
from pellucid.tasks.segment.loss import IGNORE

METRICS = (
    Metric("miou"),
    Metric("pixel_accuracy"),
    Metric("boundary_f1"),
    Metric("dice"),
    Metric("mean_accuracy"),
    Metric("frequency_weighted_iou"),
    Metric("loss", higher_is_better=False),
)


def score(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """One row a picture, as the table of `tasks.segment.task` says. Pixels of 255 do not count."""
    logits, mask = outputs["logits"], batch["mask"]  # (N, K, H, W), (N, H, W)
    called = logits.argmax(1)
    return {
        "confusion": confusion(called, mask, logits.shape[1], IGNORE),
        "outlines": boundary_counts(called, mask, logits.shape[1], IGNORE),
        "border_errors": border_errors(called, mask, IGNORE),
        "index": batch["index"],
    }


def summarise(records: Mapping[str, Tensor], facts: DataFacts) -> dict[str, Any]:
    """Numbers and per-class lists over all pixels of all pictures; the confusion matrix has true rows."""
    matrix = records["confusion"].sum(0)  # (K, K)
    each = per_class(matrix)
    outlines = records["outlines"]
    return {
        "miou": mean_iou(matrix),
        "pixel_accuracy": pixel_accuracy(matrix),
        "dice": mean_dice(matrix),
        "boundary_f1": mean_boundary_f1(outlines),
        "trimap_accuracy": trimap_accuracy(records["border_errors"]),
        "mean_accuracy": mean_accuracy(matrix),
        "frequency_weighted_iou": frequency_weighted_iou(matrix),
        "confusion": matrix.tolist(),
        "per_class": {
            "class": list(facts.classes),
            "iou": iou(matrix).tolist(),
            "dice": dice(matrix).tolist(),
            "recall": each.recall.tolist(),
            "precision": each.precision.tolist(),
            "boundary_f1": boundary_f1(outlines).tolist(),
            "pixels": each.support.tolist(),
            "called": matrix.sum(0).tolist(),
        },
    }


def chance(facts: DataFacts) -> dict[str, float]:
    """What the class of most training pixels reaches when it is always the answer."""
    share = max(facts.class_counts) / max(sum(facts.class_counts), 1)
    k = facts.n_classes
    return {
        "miou": share / k,
        "pixel_accuracy": share,
        "boundary_f1": 0.0,
        "dice": 2 * share / (1 + share) / k,
        "mean_accuracy": 1 / k,
        "frequency_weighted_iou": share**2,
    }


def explain(summary: Mapping[str, Any], records: Mapping[str, Tensor], facts: DataFacts) -> list[Verdict]:
    """Why mean IoU is no better than chance."""
    matrix = np.asarray(summary["confusion"])
    height, width = facts.preprocess.size
    ignored = len(records["confusion"]) * height * width - int(matrix.sum())
    return why_zero(Answers(matrix, facts.classes, ignored, facts.class_counts))
