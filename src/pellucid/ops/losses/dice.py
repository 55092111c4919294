"""Soft Dice loss: what predicted and true regions share. Letters: N pictures, K classes, `...` further sides (H, W).

Milletari, Navab and Ahmadi, "V-Net", 2016 (https://arxiv.org/abs/1606.04797), for two classes and with squares below
the line; with plain sums as here: Sudre et al., "Generalised Dice overlap as a deep learning loss function", 2017
(https://arxiv.org/abs/1707.03237), section 2.
"""

import torch
from torch import Tensor

from pellucid.ops.losses.cross_entropy import require_target


def dice_loss(logits: Tensor, target: Tensor, *, ignore_index: int) -> Tensor:
    """1 - 2 sum_i p_i t_i / (sum_i p_i + sum_i t_i) of each class of each picture, where p is softmax and t is 0 or 1.

    Averaged over the classes that occur in a picture, then over the pictures. A class that does not occur in a picture
    has nothing to share; what is called so by mistake lacks where it belongs, and costs there. Each picture stands
    alone, so that a batch in parts has the loss of the whole one. A small region counts as much as a large one, which
    is what the loss is for.

    Args:
        logits: (N, K, ...) of any floating type; half precision is computed in float32.
        target: (N, ...) int64 in 0..K-1, or `ignore_index`.
        ignore_index: target of the pixels that do not count.

    Returns:
        A scalar in [0, 1]; zero, with a gradient of zero, when nothing counts.

    Raises:
        DataError: the shapes do not fit together.
    """
    require_target(logits, target)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    ignored = (target == ignore_index).flatten(1)  # (N, P) for P pixels
    true = target.flatten(1).masked_fill(ignored, 0)  # (N, P)
    p = logits.flatten(2).softmax(1).masked_fill(ignored[:, None], 0)  # (N, K, P)
    counted = (~ignored).to(p)
    nothing = p.new_zeros(p.shape[:2])
    pixels = nothing.scatter_add(1, true, counted)  # (N, K) of each class
    shared = nothing.scatter_add(1, true, p.gather(1, true[:, None])[:, 0])  # (N, K)
    occurs = pixels > 0
    each = (1 - 2 * shared / (p.sum(2) + pixels).where(occurs, 1)) * occurs  # (N, K)
    pictures = each.sum(1) / occurs.sum(1).clamp_min(1)  # (N,)
    return pictures.sum() / occurs.any(1).sum().clamp_min(1)
