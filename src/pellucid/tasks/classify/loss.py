"""The losses of classification: softmax cross-entropy of the logits, and of auxiliary heads in training.

Auxiliary heads are those of "Going Deeper with Convolutions" (https://arxiv.org/abs/1409.4842), section 5, which weighs
each by 0.3. They are there in training alone, so that losses of validation are without them.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.models.classify import AUXILIARY_HEADS
from pellucid.ops.losses import cross_entropy, weight_of
from pellucid.tasks.classify.config import ClassifyConfig

UNLABELLED = -1


def compute_loss(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor], cfg: ClassifyConfig) -> dict[str, Tensor]:
    """`cross_entropy`: mean over the labelled pictures, weighted by class when asked.

    A picture that is mixed from two (`label_mix`) costs what both labels cost, each by its share (mixup, arXiv
    1710.09412; CutMix, arXiv 1905.04899). Metrics look at `label` alone; only training batches are mixed.

    Where the outputs hold `auxiliary1`, `auxiliary2`, ...: the same of them, times `auxiliary_weight`; at 0 none.
    """
    normaliser = weigh(batch, cfg)
    weights = _class_weights(cfg, batch["label"].device)

    def loss(logits: Tensor) -> Tensor:
        parts = [
            cross_entropy(
                logits,
                label,
                weights=weights,
                label_smoothing=cfg.loss.label_smoothing,
                ignore_index=UNLABELLED,
                normaliser=normaliser,
                shares=share,
            )
            for label, share in _labels(batch)
        ]
        return torch.stack(parts).sum() if len(parts) > 1 else parts[0]

    weight = cfg.loss.auxiliary_weight
    heads = [name for name in outputs if name.startswith("auxiliary")] if weight else []
    return {"cross_entropy": loss(outputs["logits"]), **{name: weight * loss(outputs[name]) for name in heads}}


def weigh(batch: Mapping[str, Tensor], cfg: ClassifyConfig) -> Tensor:
    """What the mean over pictures is divided by: how many have a label, or the sum of the weights of their classes.

    In a mixture each of the two classes has its share of the weight.
    """
    weights = _class_weights(cfg, batch["label"].device)
    total = batch["label"].new_zeros((), dtype=torch.float32)
    for label, share in _labels(batch):
        each = weight_of(label, ignore_index=UNLABELLED, weights=weights)
        total = total + (each if share is None else each * share).sum()
    return total


def _class_weights(cfg: ClassifyConfig, device: torch.device) -> Tensor | None:
    return torch.tensor(cfg.loss.class_weights, device=device) if cfg.loss.class_weights else None


def _labels(batch: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor | None]]:
    """Labels (N,) and what they count (N,): one for each picture, or two where pictures are mixed."""
    if "label_mix" not in batch:
        return [(batch["label"], None)]
    second = batch["label_mix_weight"]
    return [(batch["label_mix"][:, 0], 1 - second), (batch["label_mix"][:, 1], second)]


def expected_initial_loss(cfg: ClassifyConfig, facts: DataFacts) -> dict[str, float]:
    """Ln K: the cross-entropy of K equal probabilities, whatever the target (also a smoothed one).

    Nothing where a trained last layer is kept: it knows the answer already.
    """
    if cfg.transfer.head == "keep":
        return {}
    equal, weight = math.log(facts.n_classes), cfg.loss.auxiliary_weight
    n_heads = AUXILIARY_HEADS.get(cfg.model.model, 0) if weight else 0
    return {"cross_entropy": equal, **{f"auxiliary{k}": weight * equal for k in range(1, n_heads + 1)}}
