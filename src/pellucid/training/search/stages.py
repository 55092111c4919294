"""Coarse, then fine: many short trials over wide ranges, then fewer long ones around the best.

    coarse      1 to 5 epochs, many candidates: which region works at all?
    fine        10 to 20 epochs, ranges shrunk around the best; begins with the best coarse candidates themselves
    repeat      the best candidate again with other seeds: how large is chance?

The rate is not decayed in either, so that a trial measures the rate it was given, and all trials have the same seed, so
that they differ by their settings alone.

Source: CS231n notes, "Choosing hyperparameters", steps 4 and 5.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.core.config import require
from pellucid.core.errors import ConfigError
from pellucid.training.search.space import Axis, Choice, Float, Int, Space
from pellucid.training.search.tried import Tried, ranked

STAGES = ("coarse", "fine", "repeat")
USUAL_TRIALS = 24  # when neither trials nor minutes are named
ENDLESS = 100_000  # trials of a stage that minutes end
REPEATS = 2
ENOUGH_TO_REPEAT = 8
FINE_SHARE = 0.25  # of all trials; of the minutes it is larger, since each of its trials is longer
COARSE_MINUTES, FINE_MINUTES = 0.5, 0.85  # of all minutes, at which a stage ends

NARROWEST, WIDEST = 0.25, 0.5  # of a range, after shrinking
HEADS = 3  # so many of the best coarse candidates are trained longer as they are, and say how wide the ranges stay


@dataclass(frozen=True)
class Stage:
    """A part of a search.

    Attributes:
        name: coarse, fine or repeat.
        epochs: of each trial.
        trials: at most so many.
        until_minutes: no trial begins that would end after so many minutes of the whole search; 0 is without limit.
    """

    name: str
    epochs: int
    trials: int
    until_minutes: float = 0.0


def plan_stages(trials: int, minutes: float, coarse_epochs: int, fine_epochs: int) -> tuple[Stage, ...]:
    """The stages of a search with a budget.

    Args:
        trials: of all stages together; 0 takes 24, or as many as fit into the minutes.
        minutes: of all stages together; 0 is without limit.
        coarse_epochs, fine_epochs: of one trial; no fine stage when `fine_epochs` is 0.

    Raises:
        ConfigError: a number is out of range.
    """
    require(trials >= 0, "trials", "0 (automatic) or positive", trials)
    require(math.isfinite(minutes) and minutes >= 0, "minutes", "0 (no limit) or positive", minutes)
    require(coarse_epochs >= 1, "coarse_epochs", "1 or more", coarse_epochs)
    require(fine_epochs >= 0, "fine_epochs", "0 (no fine stage) or positive", fine_epochs)
    if fine_epochs and fine_epochs < coarse_epochs:
        raise ConfigError(
            f"fine_epochs must be at least coarse_epochs, {coarse_epochs}, or 0 for no fine stage, got {fine_epochs}."
        )
    longest = fine_epochs or coarse_epochs
    if minutes and not trials:
        coarse_end = COARSE_MINUTES if fine_epochs else FINE_MINUTES
        stages = [Stage("coarse", coarse_epochs, ENDLESS, coarse_end * minutes)]
        stages += [Stage("fine", fine_epochs, ENDLESS, FINE_MINUTES * minutes)] if fine_epochs else []
        return (*stages, Stage("repeat", longest, REPEATS, minutes))
    total = trials or USUAL_TRIALS
    repeats = REPEATS if total >= ENOUGH_TO_REPEAT else 0
    fine = max(1, round(FINE_SHARE * total)) if fine_epochs and total >= 2 else 0
    coarse_end, fine_end = (share * minutes for share in (COARSE_MINUTES if fine else FINE_MINUTES, FINE_MINUTES))
    found = [
        Stage("coarse", coarse_epochs, total - fine - repeats, coarse_end),
        Stage("fine", fine_epochs, fine, fine_end),
        Stage("repeat", longest if fine else coarse_epochs, repeats, minutes),
    ]
    return tuple(stage for stage in found if stage.trials)


def shrunk(space: Space, trials: Sequence[Tried], higher_is_better: bool) -> Space:
    """The space around the best trials: each range a quarter to a half as wide as it was, never beyond its ends.

    A range is centred on the best value and wide enough for those of the three best, if that is not more than half of
    it; what an end cuts off is not made up for on the other side. A choice keeps the values that the best quarter of
    the trials has, at least three of them.
    """
    order = ranked(trials, higher_is_better)
    if not order:
        return space
    few = order[: max(HEADS, math.ceil(len(order) / 4))]
    found: dict[str, Axis] = {}
    for name, axis in space.items():
        if isinstance(axis, Choice):
            kept = tuple(option for option in axis.options if option in [one.settings[name] for one in few])
            found[name] = Choice(kept) if len(kept) > 1 else axis
            continue
        positions = [axis.position(one.settings[name]) for one in order[:HEADS]]
        half = max(abs(position - positions[0]) for position in positions)
        half = min(max(half, NARROWEST / 2), WIDEST / 2)
        found[name] = _between(axis, max(positions[0] - half, 0.0), min(positions[0] + half, 1.0))
    return found


def _between(axis: Float | Int, low: float, high: float) -> Float | Int:
    if isinstance(axis, Int):
        ends = axis.value(low), axis.value(high)
        return Int(*ends, axis.log) if ends[0] < ends[1] else axis
    return Float(axis.value(low), axis.value(high), axis.log)


def heads(trials: Sequence[Tried], higher_is_better: bool, n_fine: int) -> list[dict[str, object]]:
    """Settings of the best coarse trials that the fine stage begins with: at most three, and half of its trials."""
    return [one.settings for one in ranked(trials, higher_is_better)[: min(HEADS, max(1, n_fine // 2))]]
