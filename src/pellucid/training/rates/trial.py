"""A few real steps of training at stated rates, of which only the losses are kept."""

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pellucid.core.progress import Advance
from pellucid.training.health.untouched import untouched
from pellucid.training.job import Job
from pellucid.training.step import BadStep, gradient_step

DIVERGED = 4.0  # times the loss at the start; beyond that nothing is learned any more
SHARE = 0.1  # of a trial: its end is judged by the median of so many of its losses
STILL = 3  # steps at rate 0 that a trial begins with: the median of their losses is its start
RAMP = 10  # steps in which the rate of a trial climbs, as a warm-up would let it

Until = Callable[[Sequence[float]], bool]  # told the losses so far: whether they say enough


@dataclass(frozen=True)
class Trial:
    """What a few steps at one rate did to the loss.

    Attributes:
        rate: the learning rate.
        losses: (n,) the training loss of each step, before its update; the last may be NaN.
        asked: steps that were asked for, the still ones among them; there are fewer losses when it ended before.
    """

    rate: float
    losses: np.ndarray
    asked: int

    @property
    def diverged(self) -> bool:
        """Whether it became infinite, or `DIVERGED` times what it was."""
        return not np.isfinite(self.losses).all() or self.end > DIVERGED * self.start

    @property
    def start(self) -> float:
        return _median(self.losses[:STILL])

    @property
    def end(self) -> float:
        n = len(self.losses)
        return _median(self.losses[-min(n, max(STILL, round(SHARE * n))) :])

    @property
    def fall(self) -> float:
        """The share of the loss that is gone at the end, at most 1; negative where it rose, -inf where it diverged."""
        if self.diverged or not self.start > 0:
            return -math.inf
        return 1 - self.end / self.start


def try_rate(
    job: Job,
    rate: float,
    steps: int = 100,
    seconds: float = math.inf,
    advance: Advance | None = None,
    until: Until | None = None,
) -> Trial:
    """Train for a few steps from where the job stands, and take them back.

    After `STILL` steps that change nothing, from which the loss at the start is known, the rate climbs to `rate` and
    stays there, whatever the schedule of the job is.

    Args:
        seconds: about so long at most; fewer steps are made where that is not enough.
        until: told the losses after each step; true where they say enough.
    """
    climb = min(RAMP, steps)
    rates = [0.0] * STILL + [rate * min(1.0, (step + 1) / climb) for step in range(steps)]
    return Trial(rate, losses_at(job, rates, seconds, advance, until), len(rates))


def losses_at(
    job: Job,
    rates: Sequence[float],
    seconds: float = math.inf,
    advance: Advance | None = None,
    until: Until | None = None,
) -> np.ndarray:
    """(n,) training loss before each of up to `len(rates)` steps, one at each rate; nothing remains of them.

    It ends early after `seconds`, where `until` says so, with a NaN where loss or gradient is not finite, and where the
    loss is `DIVERGED` times what it was at the start.
    """
    losses: list[float] = []
    step = job.task.step or gradient_step
    begun = time.monotonic()
    with untouched(job):
        job.model.train()
        if job.plan:
            job.plan.enter(job.epoch)
        for done, (rate, batch) in enumerate(zip(rates, endless(job), strict=False), start=1):
            try:
                losses.append(step(job, batch, rate).total)
            except BadStep:
                losses.append(math.nan)
                break
            job.step += 1
            if advance:
                advance(done)
            if len(losses) > 2 * STILL and _median(losses[-STILL:]) > DIVERGED * _median(losses[:STILL]):
                break
            if time.monotonic() - begun > seconds or (until and until(losses)):
                break
    return np.array(losses)


def endless(job: Job) -> Iterator[dict[str, Tensor]]:
    """The batches of training, epoch after epoch, from the beginning."""
    for epoch in itertools.count() if len(job.train) else ():
        yield from job.train.epoch(epoch)


def _median(values: Sequence[float] | np.ndarray) -> float:
    return float(np.median(values)) if len(values) else math.nan
