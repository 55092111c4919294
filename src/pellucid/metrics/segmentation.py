"""How well predicted masks cover the true ones.

Letters: N pictures, H and W pixels, K classes (background counts only where the masks name it). All
numbers come from confusion matrices, rows true and columns predicted, so ignored pixels are left out in
one place. Add the matrices of all pictures first (`.sum(0)`): IoU is not a mean over pictures. A number
that nothing was measured for is NaN, and averages skip it.
"""

import torch
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.metrics.classification import accuracy, as_counts, balanced_accuracy


def confusion(predictions: Tensor, masks: Tensor, n_classes: int, ignore_index: int = 255) -> Tensor:
    """Count the pixels of each picture by true and predicted class.

    Args:
        predictions: (N, H, W) whole numbers in 0..K-1. What they say at ignored pixels does not matter.
        masks: (N, H, W) whole numbers in 0..K-1, or `ignore_index`.
        n_classes: K.
        ignore_index: value of the pixels that do not count, also where it is below K.

    Returns:
        (N, K, K) int64, rows true, columns predicted.

    Raises:
        DataError: the shapes differ, or a value that counts is outside 0..K-1.
    """
    require_shape(masks, "N H W", "masks")
    n, height, width = masks.shape
    require_shape(predictions, "N H W", "predictions", N=n, H=height, W=width)
    ignored = masks == ignore_index
    true, called = masks.long().masked_fill(ignored, 0), predictions.long().masked_fill(ignored, 0)  # (N, H, W)
    for name, values in (("Masks", true), ("Predictions", called)):
        low, high = map(int, torch.aminmax(values)) if values.numel() else (0, 0)
        if low < 0 or high >= n_classes:
            raise DataError(
                f"{name} must hold 0..{n_classes - 1} ({n_classes} classes) or {ignore_index} (ignored in the mask), "
                f"got {low if low < 0 else high}."
            )
    first_cell = n_classes**2 * torch.arange(n, device=masks.device).view(n, 1, 1)
    cell = torch.add(called, true, alpha=n_classes).add_(first_cell)
    n_cells = n * n_classes**2
    cell.masked_fill_(ignored, n_cells)  # one more cell takes the ignored pixels
    return torch.bincount(cell.flatten(), minlength=n_cells + 1)[:-1].view(n, n_classes, n_classes)


def pixel_accuracy(matrix: Tensor) -> float:
    """Share of the counted pixels that are right, from a confusion matrix (K, K). Large classes rule it."""
    return accuracy(matrix)


def mean_accuracy(matrix: Tensor) -> float:
    """Mean over the classes that occur of the share of their pixels that were found."""
    return balanced_accuracy(matrix)


def iou(matrix: Tensor) -> Tensor:
    """Intersection over union of each class: TP / (TP + FP + FN).

    Args:
        matrix: (..., K, K); leave the pictures apart, (N, K, K), to find the worst of them.

    Returns:
        (..., K) float64; NaN where a class neither occurs nor is predicted, 0 where it is only predicted.
    """
    matrix = as_counts(matrix)
    right = matrix.diagonal(dim1=-2, dim2=-1)
    return right / (matrix.sum(-1) + matrix.sum(-2) - right)  # (..., K)


def mean_iou(matrix: Tensor) -> float:
    """mIoU: mean of `iou` over the classes that occur or are predicted, from a confusion matrix (K, K)."""
    return float(iou(matrix).nanmean())


def dice(matrix: Tensor) -> Tensor:
    """Dice's coefficient of each class, which is its F1: 2 TP / (2 TP + FP + FN), that is 2 IoU / (1 + IoU).

    Dice, "Measures of the amount of ecologic association between species", Ecology 26, 1945.

    Args:
        matrix: (..., K, K).

    Returns:
        (..., K) float64; NaN where a class neither occurs nor is predicted.
    """
    matrix = as_counts(matrix)
    right = matrix.diagonal(dim1=-2, dim2=-1)
    return 2 * right / (matrix.sum(-1) + matrix.sum(-2))  # (..., K)


def mean_dice(matrix: Tensor) -> float:
    """Mean of `dice` over the classes that occur or are predicted, from a confusion matrix (K, K)."""
    return float(dice(matrix).nanmean())


def frequency_weighted_iou(matrix: Tensor) -> float:
    """Mean of `iou` weighted by how many pixels each class has (Long et al. 2015, arXiv:1411.4038)."""
    share = as_counts(matrix).sum(1)
    return float((share * iou(matrix)).nansum() / share.sum())
