"""The losses of a detector: its own, weighed."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.models.detect import build
from pellucid.tasks.detect.config import DetectConfig
from pellucid.tasks.detect.model import LOSS, names


def compute_loss(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor], cfg: DetectConfig) -> dict[str, Tensor]:
    """Every loss that the network gave, times its weight."""
    given = {name.removeprefix(LOSS): value for name, value in outputs.items() if name.startswith(LOSS)}
    return {name: value * _weight(name, cfg) for name, value in given.items()}


def expected_initial_loss(cfg: DetectConfig, facts: DataFacts) -> dict[str, float]:
    """What theory says each loss is before training; NaN where that depends on the pictures."""
    name, backbone = names(cfg)
    preprocess = facts.preprocess
    with torch.device("meta"):  # nothing but its words are wanted
        net = build(name, facts.n_classes, preprocess.channels, preprocess.size, backbone, facts.n_keypoints)
    initial: dict[str, float] = net.initial_losses  # type: ignore[assignment]
    return {loss: value * _weight(loss, cfg) for loss, value in initial.items() if not math.isnan(value)} | {
        loss: math.nan for loss, value in initial.items() if math.isnan(value)
    }


def _weight(name: str, cfg: DetectConfig) -> float:
    """By what the loss is of."""
    if name in ("mask", "keypoint"):
        return cfg.loss.mask_weight if name == "mask" else cfg.loss.keypoint_weight
    return cfg.loss.box_weight if name.endswith("box") else 1.0
