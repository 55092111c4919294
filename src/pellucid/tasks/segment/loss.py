"""The loss of semantic segmentation: softmax cross-entropy of every pixel."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.ops.losses import cross_entropy, weight_of
from pellucid.tasks.segment.config import SegmentConfig

IGNORE = 255


def compute_loss(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor], cfg: SegmentConfig) -> dict[str, Tensor]:
    """`cross_entropy`: mean over the pixels that are not 255, weighted by class when asked."""
    logits = outputs["logits"]  # (N, K, H, W)
    weights = torch.tensor(cfg.loss.class_weights, device=logits.device) if cfg.loss.class_weights else None
    loss = cross_entropy(
        logits, batch["mask"], weights=weights, label_smoothing=cfg.loss.label_smoothing, ignore_index=IGNORE
    )
    return {"cross_entropy": loss}


def weigh(batch: Mapping[str, Tensor], cfg: SegmentConfig) -> Tensor:
    """What the mean over pixels is divided by: how many are not 255, or the sum of the weights of their classes."""
    mask = batch["mask"]
    weights = torch.tensor(cfg.loss.class_weights, device=mask.device) if cfg.loss.class_weights else None
    return weight_of(mask, ignore_index=IGNORE, weights=weights).sum()


def expected_initial_loss(cfg: SegmentConfig, facts: DataFacts) -> dict[str, float]:
    """Ln K: the cross-entropy of K equal probabilities in every pixel."""
    return {"cross_entropy": math.log(facts.n_classes)}
