"""A few real steps of training at stated rates, of which only the losses are kept."""

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pellucid.core.progress import Advance
from pellucid.training.health.untouched import untouched
from pellucid.training.job import Job
from pellucid.training.step import BadStep, gradient_step

DIVERGED = 4.0  # times the loss at the start; beyond that nothing is learned any more
SHARE = 0.1  # of a trial: its beginning and its end are judged by the median of so many of its losses
LEAST = 3  # losses in each of the two
RAMP = 10  # steps in which the rate of a trial climbs, as a warm-up would let it


@dataclass(frozen=True)
class Trial:
    """What a few steps at one rate did to the loss.

    Attributes:
        rate: the learning rate.
        losses: (n,) the training loss of each step, before its update; the last may be NaN.
        asked: steps that were asked for; more than there are losses when it ended before.
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
        return _median(self.losses[: _n_ends(len(self.losses))])

    @property
    def end(self) -> float:
        return _median(self.losses[-_n_ends(len(self.losses)) :])

    @property
    def fall(self) -> float:
        """The share of the loss that is gone at the end, at most 1; negative where it rose, -inf where it diverged."""
        if self.diverged or not self.start > 0:
            return -math.inf
        return 1 - self.end / self.start


def try_rate(
    job: Job, rate: float, steps: int = 100, seconds: float = math.inf, advance: Advance | None = None
) -> Trial:
    """Train for a few steps from where the job stands, and take them back.

    The rate climbs to `rate` within the first steps and stays there, whatever the schedule of the job is.

    Args:
        seconds: about so long at most; fewer steps are made where that is not enough.
    """
    rates = [rate * min(1.0, (step + 1) / min(RAMP, steps)) for step in range(steps)]
    return Trial(rate, losses_at(job, rates, seconds, advance), steps)


def losses_at(
    job: Job, rates: Sequence[float], seconds: float = math.inf, advance: Advance | None = None
) -> np.ndarray:
    """(n,) training loss before each of up to `len(rates)` steps, one at each rate; nothing remains of them.

    It ends early after `seconds`, with a NaN where loss or gradient is not finite, and where the loss is `DIVERGED`
    times what it was at the start.
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
            if len(losses) > 2 * LEAST and _median(losses[-LEAST:]) > DIVERGED * _median(losses[:LEAST]):
                break
            if time.monotonic() - begun > seconds:
                break
    return np.array(losses)


def endless(job: Job) -> Iterator[dict[str, Tensor]]:
    """The batches of training, epoch after epoch, from the beginning."""
    for epoch in itertools.count() if len(job.train) else ():
        yield from job.train.epoch(epoch)


def _n_ends(n: int) -> int:
    return min(n, max(LEAST, round(SHARE * n)))


def _median(values: Sequence[float] | np.ndarray) -> float:
    return float(np.median(values)) if len(values) else math.nan
