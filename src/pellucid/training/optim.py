"""Optimisers, the rate they start from, and the length of the gradient."""

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError
from pellucid.core.verdict import Verdict
from pellucid.training.config import OPTIMISERS, OptimConfig
from pellucid.training.penalty import DECAY, L1, add_penalties, decays

BASE_BATCH = 128  # the rates in OPTIMISERS are for this batch

# Goyal et al. 2017 (arXiv:1706.02677) kept ImageNet accuracy from batch 256 to 8192 and lost it beyond.
LARGEST_STRETCH = 8192 / 256

FACTOR = "rate_factor"  # key of a group of parameters: its rate is the schedule's times this

FUSED_DEVICES = {"cpu", "cuda"}  # there the fused step repeats to the bit


class _AdamAsItLies(torch.optim.Adam):
    """Adam, whose fused step is given weights with channels last as they lie in memory: same bits, fewer copies.

    The kernel goes through memory as it lies, but in PyTorch 2.13 copies each gradient that is not contiguous before,
    and does nothing with the copy, which costs as much time as the step.
    """

    def _init_group(self, group: dict[str, Any], *lists: list[Tensor]) -> bool:
        has_complex: bool = super()._init_group(group, *lists)
        ours = lists[:4]  # weights, gradients and their two averages
        for i, each in enumerate(zip(*ours, strict=True)):
            if not each[0].is_contiguous() and all(_has_channels_last(x) for x in each):
                for one, x in zip(ours, each, strict=True):
                    one[i] = x.permute(0, 2, 3, 1)
        return has_complex


class _AdamWAsItLies(_AdamAsItLies, torch.optim.AdamW):
    """AdamW, likewise."""


def make_optimiser(
    model: nn.Module, cfg: OptimConfig, lr: float, stages: Sequence[tuple[float, Collection[Tensor]]] = ()
) -> torch.optim.Optimizer:
    """The optimiser of `torch.optim` that the settings name, over everything that is to be trained.

    Weight decay and L1 act on parameters of two or more dimensions; see `penalty`. The step is one fused kernel
    where the device has one; L1, and decoupled decay of sgd, are a pass or two over the weights beside it.

    Args:
        lr: rate of the first step; `set_rate` sets it anew.
        stages: what each stage's rate is multiplied by, and its parameters; each makes groups of its own, since the
            fused step of sgd takes groups that all begin at once. () trains all as one.

    Raises:
        ConfigError: nothing is to be trained, or there is no such optimiser.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise ConfigError(
            "The model has no parameters to train: it has none, or all of them are frozen. Unfreeze a layer."
        )
    parts: dict[tuple[float, int, bool], list[Tensor]] = {}
    placed = {p: (factor, place) for place, (factor, stage) in enumerate(stages) for p in stage}
    for p in parameters:
        parts.setdefault((*placed.get(p, (1.0, len(stages))), decays(p)), []).append(p)
    beside = cfg.decoupled and cfg.optimiser == "sgd"  # adam has a fused kernel for it: that of adamw
    groups = [
        {
            "params": part,
            "lr": lr * factor,
            FACTOR: factor,
            "weight_decay": cfg.weight_decay * (pulled and not beside),
            DECAY: cfg.weight_decay * (pulled and beside),
            L1: cfg.l1 * pulled,
        }
        for (factor, _, pulled), part in sorted(parts.items(), key=lambda item: item[0], reverse=True)
    ]
    fused = all(p.device.type in FUSED_DEVICES and p.is_floating_point() for p in parameters)
    optimiser = _make(cfg, groups, lr, fused)
    add_penalties(optimiser)
    return optimiser


def _make(cfg: OptimConfig, groups: list[dict[str, Any]], lr: float, fused: bool) -> torch.optim.Optimizer:
    betas = (cfg.momentum, 0.999)
    match cfg.optimiser:
        case "sgd":
            nesterov = cfg.nesterov and cfg.momentum > 0  # without momentum there is nowhere to look ahead to
            return torch.optim.SGD(groups, lr=lr, momentum=cfg.momentum, nesterov=nesterov, fused=fused)
        case "adam" if not cfg.decoupled:
            return _AdamAsItLies(groups, lr=lr, betas=betas, fused=fused)
        case "adam" | "adamw":
            return _AdamWAsItLies(groups, lr=lr, betas=betas, fused=fused)
    raise ConfigError(unknown(cfg.optimiser, OPTIMISERS, "optimiser"))


def _has_channels_last(x: Tensor) -> bool:
    return x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)


def set_rate(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """Let every group train at the schedule's rate times its own factor."""
    for group in optimiser.param_groups:
        group["lr"] = lr * group.get(FACTOR, 1.0)  # checkpoints of older runs have none


def resolve_lr(cfg: OptimConfig, batch: int) -> tuple[float, str]:
    """The highest learning rate of a run, and a sentence that says where it comes from.

    A stated rate is taken as it is. Else it is the optimiser's usual one, scaled with the batch: linearly
    for sgd (Goyal et al. 2017, arXiv:1706.02677), with the square root for adam and adamw, whose step
    does not depend on the gradient's length (Malladi et al. 2022, arXiv:2205.10287).
    """
    if cfg.lr > 0:
        return cfg.lr, f"{cfg.lr:g}, as asked for."
    usual = OPTIMISERS[cfg.optimiser]
    if cfg.optimiser == "sgd":
        lr, rule = linear_scaling(usual, batch, BASE_BATCH), "scaled linearly"
    else:
        lr, rule = usual * math.sqrt(batch / BASE_BATCH), "scaled with the square root"
    if batch == BASE_BATCH:
        return lr, f"{lr:g}, usual for {cfg.optimiser} at batch {batch}."
    return lr, f"{lr:g}: {usual:g}, usual for {cfg.optimiser} at batch {BASE_BATCH}, {rule} to batch {batch}."


def linear_scaling(lr: float, batch: int, base_batch: int = BASE_BATCH) -> float:
    """The rate for `batch` when `lr` is right for `base_batch`: N times the batch, N times the rate.

    Goyal et al. 2017, arXiv:1706.02677; see `check_scaling` for where it ends.
    """
    return lr * batch / base_batch


def check_scaling(batch: int, base_batch: int = BASE_BATCH) -> Verdict:
    """Warn where a rate scaled with the batch leaves what was shown to work.

    The bound is relative: 32 times the batch the rate was found at, since that is how far Goyal et al.
    2017 went on ImageNet (256 to 8192) before accuracy fell.
    """
    stretch = batch / base_batch
    evidence = f"batch {batch} is {stretch:g} times the batch of {base_batch} that the rate is known for"
    if stretch <= LARGEST_STRETCH:
        return Verdict("batch-scaling", "pass", evidence)
    return Verdict(
        "batch-scaling",
        "warn",
        evidence,
        f"scaling the rate with the batch was shown to hold up to {LARGEST_STRETCH:g} times (256 to 8192 on ImageNet)",
        f"use --batch {int(base_batch * LARGEST_STRETCH)} or less, or search the rate with --lr",
    )


def gradient_norm(parameters: Iterable[Tensor]) -> Tensor:
    """Length of all gradients taken as one vector: a 0-dim tensor, 0 without any gradient.

    It stays on the device, so nothing waits for it; it is NaN or infinite when any gradient is.
    """
    return nn.utils.get_total_norm(_gradients(parameters))


def clip_(parameters: Iterable[Tensor], norm: Tensor, max_norm: float) -> None:
    """Shorten the gradients in place to `max_norm` when `norm`, their length, is larger.

    The direction is kept; shorter gradients keep every bit (they are multiplied by 1). Pascanu et al.
    2013, arXiv:1211.5063.

    Args:
        norm: what `gradient_norm` returned for the same parameters; must be finite.
        max_norm: the largest length allowed, positive.
    """
    gradients = _gradients(parameters)
    if gradients:
        torch._foreach_mul_(gradients, (max_norm / norm).clamp(max=1.0))


def _gradients(parameters: Iterable[Tensor]) -> list[Tensor]:
    return [p.grad for p in parameters if p.grad is not None]
