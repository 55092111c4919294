"""Whether a classifier is as sure as it is right.

Letters: N pictures, K classes, B bins. Every function reads probabilities (N, K) and labels (N,), where
-1 is an unlabelled picture that does not count. Without labelled pictures the result is NaN.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.metrics.classification import labelled

# Below this a probability counts as this: a certain mistake costs 87 nats, and the mean stays a number.
SMALLEST = torch.finfo(torch.float32).tiny


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram: the pictures sorted into bins of equal width by confidence.

    Attributes:
        edges: (B + 1,) from 0 to 1; bin b holds confidences in (edges[b], edges[b + 1]].
        confidence: (B,) mean confidence in each bin; NaN where it is empty.
        accuracy: (B,) share that was right in each bin; NaN where it is empty.
        count: (B,) int64, pictures in each bin.
    """

    edges: Tensor
    confidence: Tensor
    accuracy: Tensor
    count: Tensor


def reliability(probabilities: Tensor, labels: Tensor, n_bins: int = 15) -> Reliability:
    """Mean confidence against accuracy, bin by bin. Confidence is the highest probability.

    Raises:
        ConfigError: `n_bins` is below 1.
        DataError, NonFiniteError: as `labelled`.
    """
    if n_bins < 1:
        raise ConfigError(f"n_bins must be 1 or more, got {n_bins}.")
    probabilities, labels = labelled(probabilities, labels)
    confidence, called = probabilities.max(1)
    confidence, right = confidence.to("cpu", torch.float64), (called == labels).to("cpu", torch.float64)
    edges = torch.linspace(0, 1, n_bins + 1, dtype=torch.float64)
    inside = torch.bucketize(confidence, edges[1:-1])  # (M,) in 0..B-1
    count = torch.bincount(inside, minlength=n_bins)
    return Reliability(
        edges=edges,
        confidence=torch.bincount(inside, weights=confidence, minlength=n_bins) / count,
        accuracy=torch.bincount(inside, weights=right, minlength=n_bins) / count,
        count=count,
    )


def expected_calibration_error(probabilities: Tensor, labels: Tensor, n_bins: int = 15) -> float:
    """Mean over the pictures of the gap between confidence and accuracy of their bin, in [0, 1].

    Guo et al. 2017, "On Calibration of Modern Neural Networks" (arXiv:1706.04599), equation 3.

    Raises:
        ConfigError, DataError, NonFiniteError: as `reliability`.
    """
    bins = reliability(probabilities, labels, n_bins)
    gap = (bins.accuracy - bins.confidence).abs()
    return float((gap * bins.count).nansum() / bins.count.sum()) if bins.count.any() else float("nan")


def brier_score(probabilities: Tensor, labels: Tensor) -> float:
    """Mean squared distance between the probabilities and the one-hot truth, in [0, 2].

    The sum over all K classes (Brier 1950), so for two classes it is twice the one-sided form.

    Raises:
        DataError, NonFiniteError: as `labelled`.
    """
    probabilities, labels = labelled(probabilities, labels)
    distance = probabilities.to(torch.promote_types(probabilities.dtype, torch.float32))  # (M, K), a copy by `labelled`
    distance[torch.arange(len(labels), device=labels.device), labels] -= 1
    return float(distance.square().sum(1).to("cpu", torch.float64).mean())


def negative_log_likelihood(probabilities: Tensor, labels: Tensor) -> float:
    """Mean of -ln p(true class), in nats; ln K for a model that knows nothing.

    A probability below 1.2e-38 (the smallest normal float32) counts as that, so the result is finite.

    Raises:
        DataError, NonFiniteError: as `labelled`.
    """
    probabilities, labels = labelled(probabilities, labels)
    own = probabilities.gather(1, labels[:, None]).to("cpu", torch.float64)  # (M, 1)
    return float(-own.clamp(SMALLEST, 1).log().mean())
