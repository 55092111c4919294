"""One trial of a search, as it is remembered: what was tried, how far it came, and what it scored."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pellucid.training.search.space import label

State = Literal["done", "pruned", "failed", "running"]


@dataclass(frozen=True)
class Tried:
    """A candidate and its score.

    Attributes:
        stage: coarse, fine or repeat.
        draw: its number in the stage, from 0.
        settings: what was searched, name -> value.
        state: done; pruned, stopped early because others were better by then; failed, with a reason; running.
        value: the score of the best epoch, or the mean over the folds; NaN unless done.
        loss: the validation loss beside it, which decides between equal scores; NaN where it is not known.
        curve: the score after each epoch, or the mean so far after each fold.
        folds: the score of each fold; empty without cross-validation.
        seconds: how long it took.
        reason: why it failed, or when it was pruned.
        repeat: 0, or which further seed this is, of the best candidate.
    """

    stage: str
    draw: int
    settings: dict[str, Any]
    state: State = "running"
    value: float = math.nan
    loss: float = math.nan
    curve: tuple[float, ...] = ()
    folds: tuple[float, ...] = ()
    seconds: float = 0.0
    reason: str = ""
    repeat: int = 0

    @property
    def name(self) -> str:
        """Its name, and that of its folder."""
        return f"{self.stage}-{self.draw:03d}"

    @property
    def deviation(self) -> float:
        """Sample standard deviation over the folds; NaN without."""
        n = len(self.folds)
        mean = sum(self.folds) / max(n, 1)
        return math.sqrt(sum((fold - mean) ** 2 for fold in self.folds) / (n - 1)) if n > 1 else math.nan

    def words(self) -> str:
        """Its settings in one line."""
        return ", ".join(f"{name} {label(value)}" for name, value in self.settings.items())


@dataclass(frozen=True)
class Order:
    """What is to be trained next, and how to tell of it.

    Attributes:
        stage, draw, settings, repeat: as of `Tried`.
        epochs: how long to train.
        tell: to be called with the score after each epoch (or fold), the first being number 1; raises `Pruned`.
    """

    stage: str
    draw: int
    settings: dict[str, Any]
    epochs: int
    tell: Any
    repeat: int = 0

    @property
    def name(self) -> str:
        return f"{self.stage}-{self.draw:03d}"


@dataclass(frozen=True)
class Scored:
    """What training a candidate gave: as of `Tried`."""

    value: float
    loss: float = math.nan
    folds: tuple[float, ...] = field(default=())


class Pruned(Exception):
    """Others were better by this epoch: the trial need not be finished."""


class TrialFailed(Exception):
    """A candidate that cannot be trained: a NaN, memory, settings that do not go together. The search goes on."""


def ranked(trials: Iterable[Tried], higher_is_better: bool) -> list[Tried]:
    """Those that are done, the best first; of equal scores the one with the lower loss, then the earlier one."""
    sign = -1.0 if higher_is_better else 1.0
    done = [one for one in trials if one.state == "done" and math.isfinite(one.value)]
    return sorted(done, key=lambda one: (sign * one.value, one.loss if one.loss == one.loss else math.inf, one.draw))


def best_of(trials: Sequence[Tried], higher_is_better: bool) -> Tried | None:
    """The winner: the best of the longest training, repeats left out, since they are the same candidate again."""
    for stage in ("fine", "coarse"):
        found = ranked([one for one in trials if one.stage == stage], higher_is_better)
        if found:
            return found[0]
    return None
