"""Focal loss of yes-or-no questions. Letters: `...` any sides."""

import torch
import torch.nn.functional as F
from torch import Tensor


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
        p = logits.sigmoid()
        wrong = p * (1 - targets) + (1 - p) * targets  # 1 - p_t
        loss = loss * wrong.pow(gamma)
    if alpha is not None:
        loss = loss * (alpha * targets + (1 - alpha) * (1 - targets))
    return loss
