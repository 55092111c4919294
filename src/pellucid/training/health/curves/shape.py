"""Numbers that describe a curve whatever its loss, length and rate: every rule is made of these.

Losses are in parts of the loss of a model that knows nothing (where that is unknown, of the first loss), and time is in
parts of the run. Steps are smoothed by a running median, which no single spike moves.

Letters: S logged steps, E finished epochs.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pellucid.training.health.curves.curve import Curve

WINDOW = 0.06  # of the run, that a smoothed loss is the median of
STILL = 1e-3  # of the way that the loss of epochs goes in all: less is no move at all
STRAIGHT, LATE = 0.8, 0.15  # of that way: how far it leads, and how much of it lies in the second half
FULL_RATE = 0.3  # of the highest rate: a loss that stays level below it may do so because the rate was cut


@dataclass(frozen=True)
class Shape:
    """What the rules look at.

    Attributes:
        curve: what was recorded.
    """

    curve: Curve

    @cached_property
    def unit(self) -> float:
        """Loss of a model that knows nothing; the first loss where that is unknown. Always positive."""
        expected = self.curve.expected_loss
        if math.isfinite(expected) and expected > 0:
            return expected
        first = self.curve.loss[np.isfinite(self.curve.loss)][:1]
        return float(first[0]) if len(first) and first[0] > 0 else 1.0

    @cached_property
    def loss(self) -> np.ndarray:
        """(S,) training loss in units, as it was logged."""
        return self.curve.loss / self.unit

    @cached_property
    def smooth(self) -> np.ndarray:
        """(S,) the same, smoothed."""
        return smoothed(self.loss, WINDOW)

    @cached_property
    def train(self) -> np.ndarray:
        """(E,) mean training loss of each epoch, in units."""
        return self.curve.train_loss / self.unit

    @cached_property
    def val(self) -> np.ndarray:
        """(E,) validation loss in units, or empty when there is none."""
        values = self.curve.val_loss / self.unit
        return values if np.isfinite(values).any() else values[:0]

    @cached_property
    def first(self) -> float:
        """Loss at the start: the median of the first steps."""
        return float(np.nanmedian(self.loss[: max(1, min(5, len(self.loss) // 8))]))

    @cached_property
    def last(self) -> float:
        """Loss at the end: the mean of the last epoch, or the last smoothed step before the first epoch is over."""
        values = self.train[np.isfinite(self.train)]
        return float(values[-1]) if len(values) else float(self.smooth[-1])

    @cached_property
    def lowest(self) -> float:
        """Lowest mean training loss of an epoch; with fewer than five epochs, lowest smoothed loss."""
        return float(np.nanmin(self.train if self.n_epochs >= 5 else self.smooth))

    @cached_property
    def largest(self) -> float:
        """Largest logged loss after the first; infinite when one was not finite."""
        return math.inf if not np.isfinite(self.loss).all() else float(self.loss[1:].max(initial=0.0))

    @cached_property
    def at_full_rate(self) -> np.ndarray:
        """(S,) bool: steps from the first on whose rate is at least `FULL_RATE` of the highest."""
        return self.curve.lr >= FULL_RATE * np.nanmax(self.curve.lr)

    @cached_property
    def take_off(self) -> float:
        """Part of the run after which the smoothed loss has fallen by a tenth for the first time; 1 is never."""
        down = np.flatnonzero(self.smooth < 0.9 * self.top)
        return float(down[0]) / len(self.smooth) if len(down) else 1.0

    @cached_property
    def top(self) -> float:
        """Where the loss has to fall from: where it began, but no more than what a model has that knows nothing."""
        return min(max(self.began, self.first), 1.0)

    @cached_property
    def recent_fall(self) -> float:
        """By how much the loss fell in the second half at full rate: mean of the last quarter below the third.

        In parts of what it was in the third quarter; negative when it rose. Epochs count, or steps when they are few.
        """
        return -self._recent[1] / self._recent[0] if self._recent[0] > 0 else 0.0

    @cached_property
    def share_of_fall(self) -> float:
        """The same fall as a part of all that the loss fell: a quarter or more for a line, near 0 for what is level."""
        fallen = self.top - self.last
        return -self._recent[1] / fallen if fallen > 0 else 0.0

    @cached_property
    def _recent(self) -> tuple[float, float]:
        """Third quarter, and the step from it to the last."""
        epochs = self.train[self._full_epochs[: len(self.train)]]
        values = epochs if len(epochs) >= 8 else self.loss[self.at_full_rate]
        if len(values) < 8:
            return 1.0, -1.0
        third, fourth = (float(np.nanmedian(part)) for part in np.array_split(values, 4)[2:])
        return third, fourth - third

    @cached_property
    def roughness(self) -> float:
        """How much validation loss jumps from epoch to epoch at full rate: half its median second difference, over its
        median. Training loss where there is no validation.

        Validation sees the same pictures each time, so that nothing but the moving weights makes it jump.
        """
        values = self.val if len(self.val) else self.train
        return jumps(values[self._full_epochs[: len(values)]])

    @cached_property
    def n_steps(self) -> int:
        """Steps that were taken, logged or not."""
        return int(self.curve.step[-1]) + 1 if len(self.curve.step) else 0

    @cached_property
    def n_epochs(self) -> int:
        """E."""
        return self.curve.n_epochs

    @cached_property
    def rate(self) -> float:
        """The highest learning rate."""
        return float(np.nanmax(self.curve.lr))

    @cached_property
    def is_decayed(self) -> bool:
        """Whether the rate fell below `FULL_RATE` of its highest before the end."""
        return bool(self.curve.lr[-1] < FULL_RATE * self.rate)

    @cached_property
    def began(self) -> float:
        """The very first loss, before any update."""
        return float(self.loss[0])

    @cached_property
    def take_off_epochs(self) -> float:
        """`take_off` in epochs; 0 where no epoch was finished."""
        return self.take_off * self.n_epochs

    @cached_property
    def half_way(self) -> float:
        """Part of the run after which the smoothed loss has fallen to half of where it began; 1 is never."""
        down = np.flatnonzero(self.smooth < 0.5 * self.top)
        return float(down[0]) / len(self.smooth) if len(down) else 1.0

    @cached_property
    def drifts(self) -> bool:
        """Whether the loss goes one way all the time, and as much late as early: as it does when steps are too small.

        A model that only learns how frequent each class is does so at once, and is then pushed to and fro.
        """
        values = self.val if len(self.val) == self.n_epochs else self.train
        if self.n_epochs < 4:
            values = np.array([np.nanmean(part) for part in np.array_split(self.loss, 6) if len(part)])
        moves = np.diff(values[np.isfinite(values)])
        path = float(np.abs(moves).sum())
        if path < STILL:
            return True
        late = abs(float(moves[len(moves) // 2 :].sum()))
        return abs(float(moves.sum())) > STRAIGHT * path and late > LATE * path

    @cached_property
    def gap(self) -> float:
        """Last validation loss over last training loss, in units; 0 without validation."""
        return float(self.val[-1] - self.last) if len(self.val) else 0.0

    @cached_property
    def best_epoch(self) -> int:
        """Epoch of the lowest validation loss, counted from 1."""
        return int(np.nanargmin(self.val)) + 1

    @cached_property
    def best_metric(self) -> float:
        """Best value of the metric; NaN when there is none."""
        values = self.curve.metric[np.isfinite(self.curve.metric)]
        if not len(values):
            return math.nan
        return float(values.max() if self.curve.higher_is_better else values.min())

    @cached_property
    def metric_lost(self) -> float:
        """How far the best metric of the last three epochs is below the best of all, as a part of that.

        Infinite without a metric, when only the loss can tell.
        """
        values = self.curve.metric[np.isfinite(self.curve.metric)]
        if not len(values) or self.best_metric == 0:
            return math.inf
        late = float(values[-3:].max() if self.curve.higher_is_better else values[-3:].min())
        return abs(self.best_metric - late) / abs(self.best_metric)

    @cached_property
    def roughness_late(self) -> float:
        """How far validation loss jumps from epoch to epoch in the second half, in units."""
        late = self.val[len(self.val) // 2 :]
        return float(np.median(np.abs(np.diff(late, 2)))) / 2 if len(late) > 2 else 0.0

    def told(self, value: float) -> str:
        """A loss in units, in words of the loss itself."""
        return f"{value * self.unit:.3g}"

    @cached_property
    def _full_epochs(self) -> np.ndarray:
        steps = self.curve.step[self.at_full_rate]
        return (self.curve.epoch_step - 1 <= steps.max(initial=0)) & (self.curve.epoch_step >= steps.min(initial=0))


def smoothed(values: np.ndarray, share: float) -> np.ndarray:
    """Running median over `share` of the values, at least five; NaN is passed over and stays only where all are NaN."""
    half = max(2, round(share * len(values) / 2))
    padded = np.concatenate([np.full(half, np.nan), values, np.full(half, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    known = np.isfinite(windows)
    filled = np.where(known, windows, np.inf)  # sorts to the end
    count = known.sum(1)
    rows = np.arange(len(values))
    ordered = np.sort(filled, axis=1)
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, 2 * half)
    middle = (ordered[rows, low] + ordered[rows, high]) / 2
    return np.where(count > 0, middle, np.nan)


def jumps(values: np.ndarray) -> float:
    """Half the median absolute second difference over the median: 0 for a line, about 1 for noise as large as that."""
    values = values[np.isfinite(values)]
    middle = float(np.median(values)) if len(values) else 0.0
    if len(values) < 5 or middle <= 0:
        return 0.0
    return float(np.median(np.abs(np.diff(values, 2)))) / 2 / middle
