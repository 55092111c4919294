"""The losses of semantic segmentation: one of the table, or several added up."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.models.segment import AUXILIARY_HEADS
from pellucid.ops.losses import border_weights, cross_entropy, dice_loss, focal_loss, lovasz_softmax, weight_of
from pellucid.tasks.segment.config import SegmentConfig

IGNORE = 255
AUXILIARY = "auxiliary"

Loss = Callable[[Tensor, Tensor, SegmentConfig], Tensor]


def _cross_entropy(logits: Tensor, mask: Tensor, cfg: SegmentConfig) -> Tensor:
    weights = _class_weights(cfg, logits.device)
    return cross_entropy(logits, mask, weights=weights, label_smoothing=cfg.loss.label_smoothing, ignore_index=IGNORE)


def _boundary(logits: Tensor, mask: Tensor, cfg: SegmentConfig) -> Tensor:
    return cross_entropy(
        logits,
        mask,
        weights=_class_weights(cfg, logits.device),
        label_smoothing=cfg.loss.label_smoothing,
        ignore_index=IGNORE,
        shares=border_weights(mask, ignore_index=IGNORE),
    )


def _focal(logits: Tensor, mask: Tensor, cfg: SegmentConfig) -> Tensor:
    return focal_loss(
        logits,
        mask,
        gamma=cfg.loss.focal_gamma,
        weights=_class_weights(cfg, logits.device),
        label_smoothing=cfg.loss.label_smoothing,
        ignore_index=IGNORE,
    )


def _dice(logits: Tensor, mask: Tensor, cfg: SegmentConfig) -> Tensor:
    return dice_loss(logits, mask, ignore_index=IGNORE)


def _lovasz(logits: Tensor, mask: Tensor, cfg: SegmentConfig) -> Tensor:
    return lovasz_softmax(logits, mask, ignore_index=IGNORE)


# name in --loss -> (logits (N, K, H, W), mask (N, H, W), settings) -> a scalar, the mean over what `_weight` counts
LOSSES: dict[str, Loss] = {
    "cross-entropy": _cross_entropy,
    "dice": _dice,
    "focal": _focal,
    "lovasz": _lovasz,
    "boundary": _boundary,
}


def compute_loss(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor], cfg: SegmentConfig) -> dict[str, Tensor]:
    """Each loss of --loss under its name (`cross_entropy`, `dice`, ...), over the pixels that are not 255.

    Where the outputs hold `auxiliary`, the logits of a head half-way up: the same of them under `auxiliary_dice` ...,
    times `auxiliary_weight`; at 0 none.
    """
    mask = batch["mask"]
    losses = {_key(name): LOSSES[name](outputs["logits"], mask, cfg) for name in cfg.loss.parts}
    weight = cfg.loss.auxiliary_weight
    if AUXILIARY in outputs and weight:
        for name in cfg.loss.parts:
            losses[f"{AUXILIARY}_{_key(name)}"] = weight * LOSSES[name](outputs[AUXILIARY], mask, cfg)
    return losses


def weigh(batch: Mapping[str, Tensor], cfg: SegmentConfig) -> dict[str, Tensor]:
    """What the mean of each loss is divided by.

    The pixels that are not 255, or the weights of their classes (cross-entropy, focal), times what being near a border
    adds (boundary); the pictures that have such pixels (dice, lovasz).
    """
    found = {_key(name): _weight(name, batch["mask"], cfg) for name in cfg.loss.parts}
    return found | {f"{AUXILIARY}_{name}": weight for name, weight in found.items()}


def expected_initial_loss(cfg: SegmentConfig, facts: DataFacts) -> dict[str, float]:
    """Each loss at K equal probabilities in every pixel, times its weight for auxiliary heads.

    Nothing where a trained last layer is kept: it knows the answer already.
    """
    if cfg.transfer.head == "keep":
        return {}
    k = facts.n_classes
    known = {
        "cross-entropy": math.log(k),
        "boundary": math.log(k),
        "focal": (1 - 1 / k) ** cfg.loss.focal_gamma * math.log(k),
        "lovasz": 1 - 1 / k,
        "dice": math.nan,  # mean of 1 - 2 s / (1 + K s), where s are the shares of the classes of each picture
    }
    found = {_key(name): known[name] for name in cfg.loss.parts}
    weight = cfg.loss.auxiliary_weight if AUXILIARY_HEADS.get(cfg.model.model) else 0
    return found | ({f"{AUXILIARY}_{name}": weight * value for name, value in found.items()} if weight else {})


def _key(name: str) -> str:
    return name.replace("-", "_")


def _weight(name: str, mask: Tensor, cfg: SegmentConfig) -> Tensor:
    counted = weight_of(mask, ignore_index=IGNORE, weights=_class_weights(cfg, mask.device))  # (N, H, W)
    if name in ("dice", "lovasz"):
        return (mask != IGNORE).flatten(1).any(1).sum()
    if name == "boundary":
        counted = counted * border_weights(mask, ignore_index=IGNORE)
    return counted.sum()


def _class_weights(cfg: SegmentConfig, device: torch.device) -> Tensor | None:
    return torch.tensor(cfg.loss.class_weights, device=device) if cfg.loss.class_weights else None
