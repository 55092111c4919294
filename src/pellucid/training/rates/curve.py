"""Read a range test: the loss of training steps whose rate grows from one to the next.

Smith 2017, "Cyclical Learning Rates for Training Neural Networks" (https://arxiv.org/abs/1506.01186), section 3.3,
looks where the loss begins to fall and where it gets ragged. The steepest point, which many tools take, is fooled by a
spike at the start, by noise on a plateau, and by the NaN that a test of all rates must end with. So the rule is one of
levels, not of slopes: between the level of the beginning, a median over rates too small to change anything, and the
lowest level reached, and never beyond the rate that reached it.
"""

import math
from dataclasses import dataclass

import numpy as np

SMOOTHING = 0.8  # weight of a loss j steps away is this to the power of j
QUIET = 0.15  # share of the test that is taken for its beginning: at these rates nothing moves
CLEAR = 0.05  # relative fall below which nothing was found
NOISES = 3.0  # and how many deviations of single losses it has to be
WAY = 0.5  # share of the way down at which the rate is taken
BELOW_LOWEST = 10.0  # and at least so much below the rate with the lowest loss, beside which it begins to rise again


@dataclass(frozen=True)
class Reading:
    """What a range test says.

    Attributes:
        rate: the rate to try first; None where no rate made the loss fall.
        lowest_rate: rate at the lowest point of the smoothed loss.
        start, lowest: levels of the smoothed loss, at the beginning and at its lowest point.
        smoothed: (n,) the smoothed loss of the usable part.
        n_usable: how many steps came before the loss left what can be trained at.
    """

    rate: float | None
    lowest_rate: float
    start: float
    lowest: float
    smoothed: np.ndarray
    n_usable: int


def smooth(losses: np.ndarray, weight: float = SMOOTHING) -> np.ndarray:
    """(n,) -> (n,): median of three neighbours, so that single spikes go, then an average of all, weighted by distance.

    `s_i = sum_j w^|i-j| l_j / sum_j w^|i-j|`. The denominator is what corrects the bias at the ends; that it looks
    both ways keeps what is smoothed at the rate where it happened.
    """
    if not len(losses):
        return losses.astype(np.float64)
    padded = np.concatenate([losses[:1], losses, losses[-1:]]).astype(np.float64)
    middle = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    place = np.arange(len(losses))
    weights = weight ** np.abs(place[:, None] - place[None, :])
    return np.asarray(weights @ middle / weights.sum(axis=1))


def read(rates: np.ndarray, losses: np.ndarray) -> Reading:
    """Choose a rate.

    1. Only what comes before the first loss that is not finite is looked at, and of that only what comes before the
       smoothed loss has climbed as far above the start as it had fallen below it.
    2. The beginning is the median of the first 15 % of the losses; noise is the median distance of losses from their
       smoothed course. A fall of less than 5 %, or of less than three noises, is none.
    3. The rate is the first at which the smoothed loss has gone half of the way from the beginning to its lowest point,
       but at most a tenth of the rate at that point.

    Args:
        rates: (n,) rising.
        losses: (n,) loss of the step made at each rate, before its update; NaN and infinities where there was none.
    """
    finite = np.isfinite(losses)
    n = len(losses) if finite.all() else int(np.argmin(finite))
    if n < 2:
        return Reading(None, math.nan, math.nan, math.nan, np.empty(0), n)
    smoothed = smooth(losses[:n])
    start = float(np.median(losses[: max(3, round(QUIET * len(losses)))][:n]))
    n = _before_rise(smoothed, start)
    smoothed = smoothed[:n]
    bottom = int(np.argmin(smoothed))
    lowest = float(smoothed[bottom])
    noise = 1.4826 * float(np.median(np.abs(losses[:n] - smoothed)))
    fall = start - lowest
    found = None
    if fall > CLEAR * abs(start) and fall > NOISES * noise / math.sqrt(_n_averaged()):
        down = int(np.argmax(smoothed <= start - WAY * fall))
        found = min(float(rates[down]), float(rates[bottom]) / BELOW_LOWEST)
    return Reading(found, float(rates[bottom]), start, lowest, smoothed, n)


def _before_rise(smoothed: np.ndarray, start: float) -> int:
    """How many points come before the loss is as far above the start as it was below it, and no less than a tenth."""
    lowest = np.minimum.accumulate(np.minimum(smoothed, start))
    risen = smoothed > start + np.maximum(start - lowest, 0.1 * abs(start))
    after_fall = risen & (np.maximum.accumulate(start - lowest) > CLEAR * abs(start))
    return max(2, int(np.argmax(after_fall))) if after_fall.any() else len(smoothed)


def _n_averaged() -> float:
    """How many independent losses the weights of `smooth` amount to."""
    return (1 + SMOOTHING) / (1 - SMOOTHING)
