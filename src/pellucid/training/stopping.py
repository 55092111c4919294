"""Which epoch was the best, and when to stop waiting for a better one."""

import math
from dataclasses import dataclass
from typing import Any

from pellucid.core.task import Metric


@dataclass
class EarlyStopping:
    """Keeps the best value of a metric and counts the epochs since.

    Of epochs with equal values the one with the lower loss is better, since a metric in steps (30 pictures have
    31 accuracies) hides progress that the loss still shows; of equal losses too, the first. A NaN is never the
    best, not even the first, and counts as an epoch without a better value.

    Attributes:
        metric: its name, and which way is better.
        patience: stop after so many epochs without a better value; 0 never stops.
        best_value, best_epoch: None before the first value that is a number.
        best_loss: of the best epoch; None where it is not known.
        n_worse: epochs since the best one.
    """

    metric: Metric
    patience: int = 0
    best_value: float | None = None
    best_epoch: int | None = None
    best_loss: float | None = None
    n_worse: int = 0

    def update(self, epoch: int, value: float, loss: float = math.nan) -> bool:
        """Take note of an epoch's metric and loss; True when it is the best so far, which is when to save."""
        lower = self.best_loss is not None and loss < self.best_loss
        improved = self.metric.better(value, self.best_value) or (value == self.best_value and lower)
        if improved:
            self.best_value, self.best_epoch, self.n_worse = value, epoch, 0
            self.best_loss = loss if math.isfinite(loss) else None
        else:
            self.n_worse += 1
        return improved

    @property
    def should_stop(self) -> bool:
        """Whether the patience is used up."""
        return 0 < self.patience <= self.n_worse

    def state_dict(self) -> dict[str, Any]:
        """What it remembers, as plain numbers."""
        best = {"best_value": self.best_value, "best_epoch": self.best_epoch, "best_loss": self.best_loss}
        return {**best, "n_worse": self.n_worse}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        self.best_value, self.best_epoch = state["best_value"], state["best_epoch"]
        self.best_loss, self.n_worse = state["best_loss"], state["n_worse"]
