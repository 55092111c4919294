"""What counts in classification. The number that decides is `accuracy`."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.core.task import Metric
from pellucid.metrics.calibration import brier_score, expected_calibration_error, reliability
from pellucid.metrics.classification import (
    accuracy,
    balanced_accuracy,
    confusion_matrix,
    macro_f1,
    per_class,
    top_k_accuracy,
)

METRICS = (
    Metric("accuracy"),
    Metric("top5"),
    Metric("balanced_accuracy"),
    Metric("macro_f1"),
    Metric("ece", higher_is_better=False),
    Metric("brier", higher_is_better=False),
    Metric("loss", higher_is_better=False),
)


def score(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """One row a picture: probabilities (N, K), truth (N,), index (N,)."""
    return {
        "probabilities": outputs["logits"].softmax(1),
        "truth": batch["label"],
        "index": batch["index"],
    }


def summarise(records: Mapping[str, Tensor], facts: DataFacts) -> dict[str, Any]:
    """Numbers, the confusion matrix (rows true), per-class lists, and the bins of the reliability diagram."""
    probabilities, truth = records["probabilities"], records["truth"]
    matrix = confusion_matrix(probabilities, truth)
    each = per_class(matrix)
    bins = reliability(probabilities, truth)
    return {
        "accuracy": accuracy(matrix),
        "top5": top_k_accuracy(probabilities, truth, 5),
        "balanced_accuracy": balanced_accuracy(matrix),
        "macro_f1": macro_f1(matrix),
        "ece": expected_calibration_error(probabilities, truth),
        "brier": brier_score(probabilities, truth),
        "confusion": matrix.tolist(),
        "per_class": {
            "class": list(facts.classes),
            "precision": each.precision.tolist(),
            "recall": each.recall.tolist(),
            "f1": each.f1.tolist(),
            "support": each.support.tolist(),
        },
        "reliability": {name: getattr(bins, name).tolist() for name in ("edges", "confidence", "accuracy", "count")},
    }
