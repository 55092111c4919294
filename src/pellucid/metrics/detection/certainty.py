"""Whether found things are as often right as their scores say.

Kueppers et al. 2020, "Multivariate Confidence Calibration for Object Detection" (arXiv:2004.13546): among found things
with score p, a share p should be right. Things that were never found are not asked for.
"""

import numpy as np
import torch

from pellucid.core.config import require
from pellucid.metrics.calibration import Reliability
from pellucid.metrics.detection.matching import NONE, Matches


def found_reliability(matches: Matches, n_bins: int = 10) -> Reliability:
    """Score against share that is right, in bins of equal width, at the first threshold and range of sizes.

    Raises:
        ConfigError: `n_bins` is below 1.
    """
    require(n_bins >= 1, "n_bins", "1 or more", n_bins)
    counts = ~matches.ignored[:, 0, 0]
    score, right = matches.score[counts], matches.truth[counts, 0, 0] != NONE
    edges = np.linspace(0, 1, n_bins + 1)
    inside = bins_of(score, edges)
    count = np.bincount(inside, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(inside, weights=score, minlength=n_bins) / count
        accuracy = np.bincount(inside, weights=right.astype(np.float64), minlength=n_bins) / count
    return Reliability(*(torch.from_numpy(values) for values in (edges, confidence, accuracy, count)))


def bins_of(score: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(F,) the number of the bin (edge, next edge] in which each score lies; 0 lies in the first."""
    return np.clip(np.searchsorted(edges, score, side="left") - 1, 0, len(edges) - 2)


def found_calibration_error(matches: Matches, n_bins: int = 10) -> float:
    """Mean over found things of the gap between score and share that is right in their bin, in 0..1; NaN of none."""
    bins = found_reliability(matches, n_bins)
    gap = (bins.accuracy - bins.confidence).abs()
    return float((gap * bins.count).nansum() / bins.count.sum()) if bins.count.any() else float("nan")
