"""One scale for all scores, so that their softmax can be believed."""

import math

import torch
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape

# N pictures, K classes

SMALLEST, LARGEST = 1e-3, 1e3  # of 1 / T
HALVINGS = 50


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature T above 0 for which softmax(logits / T) has the least negative log-likelihood.

    Guo et al. 2017 (arXiv:1706.04599), section 4.2. In 1 / T the likelihood is convex, so its slope, the mean over the
    pictures of (expected logit - logit of the truth), is brought to 0 by halving an interval, from 1/1000 to 1000.

    Args:
        logits: (N, K) scores; only their order and distances matter.
        labels: (N,) classes, -1 = unlabelled.

    Raises:
        DataError: the shapes do not fit, or no picture is labelled.
    """
    require_shape(logits, "N K", "logits")
    require_shape(labels, "N", "labels", N=len(logits))
    known = labels >= 0
    if not bool(known.any()):
        raise DataError("A temperature needs labelled pictures, and none is labelled.")
    z = logits[known].to("cpu", torch.float64)
    own = z.gather(1, labels[known].to("cpu")[:, None])[:, 0]  # (M,)
    low, high = math.log(SMALLEST), math.log(LARGEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        slope = ((math.exp(middle) * z).softmax(1) * z).sum(1).sub(own).mean()
        low, high = (middle, high) if float(slope) < 0 else (low, middle)
    return math.exp(-(low + high) / 2)
