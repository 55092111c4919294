"""Focal loss of yes-or-no questions. Letters: `...` any sides."""

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLEST = 1e-12  # of 1 - p_t where 0 < gamma < 1: the slope of its power has no end at 0


def sigmoid_focal_loss(logits: Tensor, targets: Tensor, alpha: float | None = 0.25, gamma: float = 2.0) -> Tensor:
    """(...) a_t (1 - p_t)^gamma (-ln p_t), where p_t is the probability of what is true; not averaged.

    Lin et al., "Focal Loss for Dense Object Detection", 2017 (https://arxiv.org/abs/1708.02002), equation 5, which
    they sum and divide by the number of matched places.

    Args:
        logits: (...) of any floating type; half precision is computed in float32.
        targets: (...) 1 or 0, or between them.
        alpha: in 0..1: a_t is alpha where the target is 1 and 1 - alpha where it is 0; None is 1 for all.
        gamma: 0 or positive; 0 with alpha None is binary cross-entropy.
    """
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    targets = targets.to(logits)
    loss = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    if gamma:
        # 1 - p_t, in which 1 - p is computed from -x: exact where p is near 1
        wrong = logits.sigmoid() * (1 - targets) + (-logits).sigmoid() * targets
        if gamma < 1:
            wrong = wrong.clamp_min(SMALLEST)
        loss = loss * wrong.pow(gamma)
    if alpha is not None:
        loss = loss * (alpha * targets + (1 - alpha) * (1 - targets))
    return loss
