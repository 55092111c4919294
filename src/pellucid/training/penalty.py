"""What pulls weights towards zero: penalties that belong to the loss, and a decay that does not.

Formula:
    loss' = loss + 1/2 wd sum w^2 + l1 sum |w|, over the weights that decay

L2 alone, L1 alone, or both: the elastic net (Zou & Hastie 2005). The L2 part reaches the step as a gradient, which
the fused kernels add themselves. L1 has a kink at 0, and a weight that follows its sub-gradient, l1 sign(w), jumps
from one side of 0 to the other by rate * l1 and never rests there. So the optimiser steps as if there were no L1, and
then every weight moves towards 0 by as much as L1 allows, and stays there if it gets that far: the proximal step,

    w <- sign(w) max(|w| - t, 0)      t = l1 times the rate of this very weight

(Daubechies et al. 2004, https://arxiv.org/abs/math/0307152; Duchi & Singer 2009, http://jmlr.org/papers/v10/duchi09a.html).
Weights become exactly 0. `t` is such that a weight rests where the loss pulls by l1 and no more, as the formula says,
whatever the optimiser: rate l1 / (1 - momentum) for sgd, whose momentum lengthens every steady pull so much, and
rate l1 / (sqrt(v) + eps) for adam and adamw, which divide every pull (Yun et al. 2020,
https://arxiv.org/abs/2007.07484).

Decoupled decay, w <- w - rate wd w before the step, is no penalty: no loss has it as gradient where pulls are divided
(Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101). adamw always decays so, the others with `decoupled`.
"""

from typing import Any

import torch
from torch import Tensor, nn

from pellucid.training.config import OptimConfig

L1 = "l1"  # keys of a group of parameters
DECAY = "decoupled_decay"


def decays(parameter: Tensor) -> bool:
    """Whether decay and penalties act on it: on all but vectors and scalars.

    Biases and the scales of norms are vectors: to pull them to zero shrinks what the network can say, not its
    complexity.
    """
    return parameter.ndim >= 2


def is_decoupled(cfg: OptimConfig) -> bool:
    """Whether the weights decay beside the loss, not by a penalty in it."""
    return cfg.decoupled or cfg.optimiser == "adamw"


def penalty(model: nn.Module, cfg: OptimConfig) -> Tensor:
    """What weight decay and L1 add to the loss in theory: 1/2 wd sum w^2 + l1 sum |w|. A scalar in float32.

    Over the parameters that are trained and decay. Decoupled decay adds nothing. It can be differentiated; training
    itself never does, see above.
    """
    weights = [p.float() for p in model.parameters() if p.requires_grad and decays(p)]
    l2 = 0.0 if is_decoupled(cfg) else cfg.weight_decay
    total = weights[0].new_zeros(()) if weights else torch.zeros(())
    for w in weights:
        total = total + (l2 / 2 * w.square().sum() if l2 else 0) + (cfg.l1 * w.abs().sum() if cfg.l1 else 0)
    return total


def add_penalties(optimiser: torch.optim.Optimizer) -> None:
    """Let every step of an optimiser decay (groups with `decoupled_decay`) and shrink by L1 (groups with `l1`).

    They are hooks of the optimiser, so nothing has to be remembered by those who call `step`, and they have no state:
    a resumed run goes on to the bit. Parameters without a gradient are left alone, as the optimiser leaves them.
    """
    if any(group[DECAY] for group in optimiser.param_groups):
        optimiser.register_step_pre_hook(_decay)
    if any(group[L1] for group in optimiser.param_groups):
        optimiser.register_step_post_hook(_shrink)


@torch.no_grad()
def _decay(optimiser: torch.optim.Optimizer, *_: Any) -> None:
    for group in optimiser.param_groups:
        weights = _stepping(group)
        if group[DECAY] and weights:
            torch._foreach_mul_(weights, 1 - group["lr"] * group[DECAY])


@torch.no_grad()
def _shrink(optimiser: torch.optim.Optimizer, *_: Any) -> None:
    for group in optimiser.param_groups:
        weights = _stepping(group)
        pull = group["lr"] * group[L1]
        if not pull or not weights:
            continue
        if "betas" in group:
            soft_threshold_(weights, _divided(pull, weights, optimiser, group))
        else:
            soft_threshold_(weights, pull / (1 - group["momentum"]))


def soft_threshold_(weights: list[Tensor], thresholds: float | list[Tensor]) -> None:
    """Set w to sign(w) max(|w| - t, 0): 0 exactly where |w| <= t. One t, or a tensor of t for each of weights."""
    if isinstance(thresholds, float):
        moved = torch._foreach_clamp_max(weights, thresholds)
        torch._foreach_clamp_min_(moved, -thresholds)
    else:
        moved = torch._foreach_minimum(weights, thresholds)
        torch._foreach_maximum_(moved, torch._foreach_neg(thresholds))
    torch._foreach_sub_(weights, moved)  # w - w is 0, not a number near it


def _divided(pull: float, weights: list[Tensor], optimiser: torch.optim.Optimizer, group: Any) -> list[Tensor]:
    """The pull as Adam divides it: by sqrt(v) + eps, with v the running mean of squares without its bias."""
    states = [optimiser.state[w] for w in weights]
    roots = torch._foreach_sqrt([state["exp_avg_sq"] for state in states])
    steps = torch.stack([state["step"] for state in states]).double()  # one number alone would wait for the device
    corrections = (1 - group["betas"][1] ** steps).sqrt().float()
    torch._foreach_div_(roots, corrections.unbind())
    torch._foreach_add_(roots, group["eps"])
    torch._foreach_reciprocal_(roots)
    torch._foreach_mul_(roots, pull)
    return list(roots)


def _stepping(group: Any) -> list[Tensor]:
    return [p for p in group["params"] if p.grad is not None]
