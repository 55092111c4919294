"""Focal loss: cross-entropy in which what is already right counts little. Letters: N pictures, K classes.

Lin et al., "Focal Loss for Dense Object Detection", 2017 (https://arxiv.org/abs/1708.02002), equation 5, with softmax
in place of the sigmoid. Where the paper's alpha stands, the weights of the classes do.
"""

import torch
from torch import Tensor

from pellucid.ops.losses.cross_entropy import cross_entropy, require_target, weight_of

SMALLEST = 1e-12  # of 1 - p where 0 < gamma < 1: the slope of its power has no end at 0


def focal_loss(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int,
    gamma: float = 2.0,
    weights: Tensor | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """The mean sum_n w[y_n] (1 - p_n)^gamma l_n / sum_n w[y_n], where p_n is the probability of the true class.

    l_n is the `cross_entropy` of a picture or pixel, smoothed where that is asked for, so that gamma 0 is exactly
    `cross_entropy`. The divisor does not hold (1 - p_n)^gamma: what is easy counts less, and nothing else counts more.
    Logits that are all equal cost (1 - 1/K)^gamma ln K.

    Args:
        logits: (N, K, ...) of any floating type; half precision is computed in float32.
        target: (N, ...) int64 in 0..K-1, or `ignore_index`.
        ignore_index: target of what does not count.
        gamma: 0 or positive; how little the easy counts.
        weights: (K,) weight of each class, 0 or positive; None is 1 for all.
        label_smoothing: as in `cross_entropy`.

    Returns:
        A scalar; zero, with a gradient of zero, when nothing counts.

    Raises:
        DataError: the shapes do not fit together.
    """
    require_target(logits, target)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    true = target.masked_fill(target == ignore_index, 0).unsqueeze(1)  # (N, 1, ...)
    wrong = -torch.expm1(logits.log_softmax(1).gather(1, true).squeeze(1))  # (N, ...): 1 - p, exact where p is near 1
    if 0 < gamma < 1:
        wrong = wrong.clamp_min(SMALLEST)
    weighted = None if weights is None else weights.to(logits)
    return cross_entropy(
        logits,
        target,
        ignore_index=ignore_index,
        weights=weights,
        label_smoothing=label_smoothing,
        normaliser=weight_of(target, ignore_index=ignore_index, weights=weighted).to(logits).sum(),
        shares=wrong.pow(gamma),
    )
