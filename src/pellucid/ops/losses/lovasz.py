"""Lovasz-softmax: a smooth stand-in for 1 - IoU. Letters: N pictures, K classes, P pixels, R classes of pictures.

Berman, Triki and Blaschko, "The Lovász-Softmax loss", 2018 (https://arxiv.org/abs/1705.08790), algorithm 1 and eq. 11,
with the mean over the classes that occur in a picture.
"""

import torch
from torch import Tensor

from pellucid.ops.losses.cross_entropy import require_target


def lovasz_softmax(logits: Tensor, target: Tensor, *, ignore_index: int) -> Tensor:
    """The Lovasz extension of 1 - IoU at the errors |t - p|, of each class of each picture.

    Averaged over the classes that occur in a picture, then over the pictures. Where every p is 0 or 1 it is 1 - IoU.
    Each picture stands alone, so that a batch in parts has the loss of the whole one. Logits that are all equal cost
    1 - 1/K, whatever the picture shows.

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
    ignored = (target == ignore_index).flatten(1)  # (N, P)
    true = target.flatten(1).masked_fill(ignored, 0)
    p = logits.flatten(2).softmax(1)  # (N, K, P)
    occurs = torch.zeros(p.shape[:2], dtype=torch.int64, device=p.device).scatter_add(1, true, (~ignored).long()) > 0
    picture, kind = occurs.nonzero(as_tuple=True)  # (R,) each: only these are sorted
    out = ignored[picture]  # (R, P)
    is_kind = (true[picture] == kind[:, None]) & ~out
    errors = (is_kind.to(p) - p[picture, kind]).abs().masked_fill(out, 0)  # an error of 0 comes last and costs nothing
    ordered, order = errors.sort(dim=1, descending=True, stable=True)
    each = (ordered * jaccard_steps(is_kind.gather(1, order)).to(ordered)).sum(1)  # (R,)
    n_classes = occurs.sum(1).to(each)  # (N,)
    return (each / n_classes[picture]).sum() / occurs.any(1).sum().clamp_min(1)


def jaccard_steps(is_true: Tensor) -> Tensor:
    """By how much 1 - IoU grows with each further pixel that is wrong, (R, P) float64.

    Args:
        is_true: (R, P) bool: whether the pixel belongs to the class, in the order in which pixels go wrong.
    """
    found = is_true.cumsum(1)  # counts are whole numbers: exact
    total = is_true.sum(1, keepdim=True)
    union = total + (~is_true).cumsum(1)
    jaccard = 1 - (total - found).double() / union.clamp_min(1)
    return jaccard.diff(dim=1, prepend=jaccard.new_zeros(len(jaccard), 1))
