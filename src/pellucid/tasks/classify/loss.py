"""The loss of classification: softmax cross-entropy."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.ops.losses import cross_entropy
from pellucid.tasks.classify.config import ClassifyConfig

UNLABELLED = -1


def compute_loss(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor], cfg: ClassifyConfig) -> dict[str, Tensor]:
    """`cross_entropy`: mean over the labelled pictures, weighted by class when asked."""
    logits = outputs["logits"]  # (N, K)
    weights = torch.tensor(cfg.loss.class_weights, device=logits.device) if cfg.loss.class_weights else None
    loss = cross_entropy(
        logits, batch["label"], weights=weights, label_smoothing=cfg.loss.label_smoothing, ignore_index=UNLABELLED
    )
    return {"cross_entropy": loss}


def expected_initial_loss(cfg: ClassifyConfig, facts: DataFacts) -> dict[str, float]:
    """Ln K: the cross-entropy of K equal probabilities, whatever the target (also a smoothed one)."""
    return {"cross_entropy": math.log(facts.n_classes)}
