"""Softmax cross-entropy, of pictures or of pixels. Letters: N pictures, K classes, `...` any further sides (H, W)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape


def weight_of(target: Tensor, *, ignore_index: int, weights: Tensor | None = None) -> Tensor:
    """(N, ...) float: what each picture or pixel counts in `cross_entropy`: its class's weight, 0 where ignored.

    Args:
        target: (N, ...) int64 in 0..K-1, or `ignore_index`.
        weights: (K,) weight of each class; None is 1 for all.
    """
    counted = target != ignore_index
    if weights is None:
        return counted.float()
    return weights[torch.where(counted, target, 0)] * counted


def require_target(logits: Tensor, target: Tensor) -> None:
    """Raises: DataError: there is not one target (N, ...) for each place of the logits (N, K, ...)."""
    n, n_classes, *sides = logits.shape
    if target.shape != (n, *sides):
        raise DataError(
            f"target must have shape {(n, *sides)} to fit logits {(n, n_classes, *sides)}, got {tuple(target.shape)}."
        )


def cross_entropy(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int,
    weights: Tensor | None = None,
    label_smoothing: float = 0.0,
    normaliser: Tensor | None = None,
    shares: Tensor | None = None,
) -> Tensor:
    """Softmax cross-entropy as a weighted mean: sum_n w[y_n] l_n / sum_n w[y_n].

    l_n = -sum_k q_nk ln softmax(logits)_nk, with q = (1 - s) one-hot(y_n) + s / K (label smoothing s,
    Szegedy et al. 2016, arXiv:1512.00567). The weight belongs to the picture or pixel and multiplies all
    of l_n. So logits that are all equal cost exactly ln K, whatever the weights and the smoothing are,
    and the size of the weights does not matter, only their ratios. (PyTorch weighs the smoothed part
    class by class; with weights and smoothing together its value differs, otherwise it is the same.)

    Args:
        logits: (N, K, ...) of any floating type; half precision is computed in float32.
        target: (N, ...) int64 in 0..K-1, or `ignore_index`.
        ignore_index: target of the pictures or pixels that do not count.
        weights: (K,) weight of each class, 0 or positive; None is 1 for all.
        label_smoothing: s in [0, 1), the share of the target that is spread over all classes.
        normaliser: what the weighted sum is divided by, a scalar; None is the sum of the weights of this
            batch. State it where one batch comes in parts (several machines, accumulated steps).
        shares: (N, ...) what each picture or pixel counts besides, 0 or positive; None is 1 for all. With two labels a
            picture (mixup, CutMix) the loss is that of both, each with its shares and the sum of both normalisers.

    Returns:
        A scalar. Zero, with a gradient of zero, when nothing counts: an empty batch, all of it ignored,
        or all weights zero.

    Raises:
        DataError: the shapes do not fit together.
    """
    require_target(logits, target)
    n_classes = logits.shape[1]
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    each = F.cross_entropy(
        logits, target, ignore_index=ignore_index, label_smoothing=label_smoothing, reduction="none"
    )  # (N, ...), 0 where ignored
    if weights is not None:
        require_shape(weights, "K", "weights", K=n_classes)
        weights = weights.to(each)
    weight = weight_of(target, ignore_index=ignore_index, weights=weights).to(each)  # (N, ...)
    if shares is not None:
        weight = weight * shares.to(each)
    normaliser = weight.sum() if normaliser is None else normaliser
    return (each * weight).sum() / torch.where(normaliser > 0, normaliser, 1)
