"""What counts in classification. The number that decides is `accuracy`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.core.task import Metric
from pellucid.core.verdict import Verdict
from pellucid.doctor.why_zero import Answers, area_under_curve, why_zero
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


def chance(facts: DataFacts) -> dict[str, float]:
    """What the class most frequent in training reaches when it is always the answer."""
    share = max(facts.class_counts) / max(sum(facts.class_counts), 1)
    k = facts.n_classes
    return {"accuracy": share, "balanced_accuracy": 1 / k, "macro_f1": 2 * share / (1 + share) / k}


def explain(summary: Mapping[str, Any], records: Mapping[str, Tensor], facts: DataFacts) -> list[Verdict]:
    """Why accuracy is no better than chance."""
    truth, probabilities = records["truth"].numpy(), records["probabilities"].numpy()
    known = truth >= 0
    ranking = [area_under_curve(probabilities[known, k], truth[known] == k) for k in range(facts.n_classes)]
    matrix = np.asarray(summary["confusion"])
    return why_zero(Answers(matrix, facts.classes, int((~known).sum()), facts.class_counts, ranking, "pictures"))
