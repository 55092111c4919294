"""How often a classifier is right, and how it is wrong.

Letters: N pictures, K classes. Every function reads probabilities (N, K) and labels (N,), where -1 is
an unlabelled picture that does not count, or the confusion matrix (K, K) made from them. A number that
nothing was measured for is NaN: the accuracy of no pictures, the recall of a class that never occurs.
Averages over classes skip NaN.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.core.errors import ConfigError, DataError, NonFiniteError
from pellucid.core.shapes import require_shape


@dataclass(frozen=True)
class PerClass:
    """One number a class, each (K,).

    Attributes:
        precision: share of the pictures called k that are k. 0 where k occurs but is never predicted
            (a model must not gain by keeping silent); NaN where it neither occurs nor is predicted.
        recall: share of the pictures of class k that were found; NaN where k does not occur.
        f1: 2 TP / (2 TP + FP + FN); NaN where k neither occurs nor is predicted.
        support: how many pictures of class k there are, int64.
    """

    precision: Tensor
    recall: Tensor
    f1: Tensor
    support: Tensor


@dataclass(frozen=True)
class Confusion:
    """`count` pictures of class `true` were called `predicted`: `share` of all pictures of that class."""

    true: int
    predicted: int
    count: int
    share: float


def labelled(probabilities: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Leave out the unlabelled rows and check the others.

    Args:
        probabilities: (N, K) in [0, 1].
        labels: (N,) int64 in 0..K-1, or -1.

    Returns:
        Probabilities (M, K) and labels (M,) of the M labelled rows, in their order.

    Raises:
        DataError: the shapes do not fit, a label names no class, or the numbers are no probabilities.
        NonFiniteError: a probability is NaN; it would otherwise count as a prediction.
    """
    require_shape(probabilities, "N K", "probabilities")
    require_shape(labels, "N", "labels", N=len(probabilities))
    known = labels != -1
    probabilities, labels = probabilities[known].detach(), labels[known]  # (M, K), (M,)
    if len(labels) == 0:
        return probabilities, labels
    n_classes = probabilities.shape[1]
    outside = (labels < 0) | (labels >= n_classes)
    if outside.any():
        raise DataError(
            f"Labels must be 0..{n_classes - 1} ({n_classes} classes) or -1 (unlabelled), "
            f"got {int(labels[outside][0])}."
        )
    low, high = map(float, torch.aminmax(probabilities))  # both are NaN if any value is
    if low != low:
        bad = int(probabilities.isnan().any(1).sum())
        raise NonFiniteError(
            f"{bad} of {len(labels)} predictions are NaN: look for NaN in the weights or the pictures."
        )
    if low < 0 or high > 1.001:  # bf16 softmax may round to a little above 1
        wrong = low if low < 0 else high
        raise DataError(f"Probabilities must lie in [0, 1], got {wrong:.4g}: take the softmax of logits first.")
    return probabilities, labels


def top_k_accuracy(probabilities: Tensor, labels: Tensor, k: int = 1) -> float:
    """Share of the pictures whose class is among the k most probable ones.

    Classes of equal probability rank in their order, as in `argmax`, so a model that says nothing gains
    nothing. With k >= K it is 1; without labelled pictures NaN.

    Raises:
        ConfigError: k is below 1.
        DataError, NonFiniteError: as `labelled`.
    """
    if k < 1:
        raise ConfigError(f"k must be 1 or more, got {k}.")
    probabilities, labels = labelled(probabilities, labels)
    if len(labels) == 0:
        return float("nan")
    own = probabilities.gather(1, labels[:, None])  # (M, 1)
    earlier = torch.arange(probabilities.shape[1], device=labels.device) < labels[:, None]
    ahead = (probabilities > own) | ((probabilities == own) & earlier)  # (M, K)
    return float((ahead.sum(1) < k).sum()) / len(labels)


def confusion_matrix(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Count the pictures of true class i (row) that were called j (column): (K, K) int64.

    Raises:
        DataError, NonFiniteError: as `labelled`.
    """
    n_classes = probabilities.shape[-1]
    probabilities, labels = labelled(probabilities, labels)
    cell = labels * n_classes + probabilities.argmax(1)
    return torch.bincount(cell, minlength=n_classes**2).view(n_classes, n_classes)


def accuracy(matrix: Tensor) -> float:
    """Share of the counts on the diagonal of a confusion matrix (K, K); NaN when it is empty."""
    matrix = as_counts(matrix)
    return float(matrix.diagonal().sum() / matrix.sum())


def per_class(matrix: Tensor) -> PerClass:
    """Precision, recall, F1 and support of each class, from a confusion matrix (K, K)."""
    support = matrix.sum(1).cpu()
    matrix = as_counts(matrix)
    right, true, called = matrix.diagonal(), matrix.sum(1), matrix.sum(0)
    silent = (called == 0) & (true > 0)
    precision = torch.where(silent, 0.0, right / called)
    return PerClass(precision=precision, recall=right / true, f1=2 * right / (true + called), support=support)


def balanced_accuracy(matrix: Tensor) -> float:
    """Mean recall over the classes that occur: every class counts the same, however rare it is."""
    return float(per_class(matrix).recall.nanmean())


def macro_f1(matrix: Tensor) -> float:
    """Mean F1 over the classes that occur or are predicted."""
    return float(per_class(matrix).f1.nanmean())


def most_confused(matrix: Tensor, limit: int = 10) -> list[Confusion]:
    """The most frequent mistakes of a confusion matrix (K, K), most frequent first.

    Equal counts keep the order of the classes. At most `limit` entries, none with a count of 0.
    """
    support = matrix.sum(1).tolist()
    mistakes = matrix.cpu().clone().fill_diagonal_(0).flatten()  # (K*K,)
    order = mistakes.argsort(descending=True, stable=True)[:limit].tolist()
    n_classes = len(support)
    pairs = [(*divmod(cell, n_classes), int(mistakes[cell])) for cell in order]
    return [Confusion(i, j, count, count / support[i]) for i, j, count in pairs if count]


def confident_errors(probabilities: Tensor, labels: Tensor, limit: int | None = None) -> Tensor:
    """Rows (M,) int64 that were called wrong, the surest mistake first; equal ones in their order.

    These are the pictures to look at first: a wrong label, or what the model has not understood.

    Raises:
        DataError, NonFiniteError: as `labelled`.
    """
    known = torch.nonzero(labels != -1).flatten()
    probabilities, labels = labelled(probabilities, labels)
    confidence, called = probabilities.max(1)
    wrong = torch.nonzero(called != labels).flatten()
    order = confidence[wrong].argsort(descending=True, stable=True)
    return known[wrong[order]][:limit]


def as_counts(matrix: Tensor) -> Tensor:
    """A confusion matrix (..., K, K) as float64 on the CPU, where 0 / 0 is NaN and no error."""
    return matrix.to("cpu", torch.float64)
