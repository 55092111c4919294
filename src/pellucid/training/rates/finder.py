"""Find a learning rate: a range test proposes, real steps at the proposed rate decide.

A proposal that is not tried can be wrong in many ways: the loss of a range test has fallen a good part of its way
before a rate is reached, is that of one batch each, and says nothing of how a rate does that stays. So the proposal is
trained at for 100 steps. The loss has to fall by over 20 %; where it does not, a third of the rate is tried, and so on
down, and once three times the rate, for a proposal that was too timid.
"""

import itertools
import math
import time
from dataclasses import dataclass, field

import numpy as np

from pellucid.core.progress import Advance
from pellucid.core.verdict import Verdict
from pellucid.training.job import Job
from pellucid.training.rates.curve import Reading, read
from pellucid.training.rates.trial import Trial, losses_at, try_rate

STEPS = 100  # of the range test, and of each trial
LEAST_STEPS = 30  # fewer say nothing
LOWEST, HIGHEST = 1e-6, 10.0  # rates of the range test
ENOUGH = 0.2  # share of the loss that 100 steps have to take off
TRIED = (1.0, 1 / 3, 1 / 10, 3.0, 1 / 30)  # times the proposed rate, in this order
RULE = "rate-found"


@dataclass(frozen=True)
class Found:
    """A rate and how it was found.

    Attributes:
        rate: to train at; None where no rate made the loss fall.
        rates, losses: (n,) the range test.
        reading: what it said.
        trials: the rates that were tried, in order.
    """

    rate: float | None
    rates: np.ndarray
    losses: np.ndarray
    reading: Reading
    trials: list[Trial] = field(default_factory=list)

    @property
    def trial(self) -> Trial | None:
        """The trial of the rate that was taken."""
        return next((trial for trial in self.trials if trial.rate == self.rate), None)

    def verdict(self, otherwise: float) -> Verdict:
        """What is said of it, with `otherwise` as the rate that is used where none was found."""
        fell = ", ".join(f"{trial.rate:.2g} {_fell(trial)}" for trial in self.trials)
        if self.rate is None or self.trial is None:
            evidence = f"no rate from {LOWEST:g} to {HIGHEST:g} made the loss fall clearly"
            evidence += f" (tried: {fell})" if fell else ""
            cause = "the labels may have nothing to do with the pictures, or gradients do not reach the weights"
            cure = f"run `pellucid check DATA --model M`; {otherwise:.3g}, the usual rate, is used"
            return Verdict(RULE, "warn", evidence, cause, cure)
        evidence = (
            f"{self.rate:.2g} was found: the loss fell from {self.trial.start:.3g} to {self.trial.end:.3g} in "
            f"{len(self.trial.losses)} steps at it (tried: {fell}; usual {otherwise:.2g})"
        )
        if self.trial.fall > ENOUGH:
            return Verdict(RULE, "info", evidence)
        cause = "a hard task, very noisy batches, or labels that have little to do with the pictures"
        return Verdict(RULE, "warn", evidence, cause, f"compare with the usual rate: --lr {otherwise:.2g}")


def find_rate(job: Job, steps: int = STEPS, seconds: float = math.inf, advance: Advance | None = None) -> Found:
    """Find a rate for a job that has not begun; the job is left as it was, to the bit.

    Args:
        steps: of the range test and of each trial.
        seconds: about so long at most; the steps get fewer where that is not enough, to a third at the least.
        advance: told how many steps were made.
    """
    counter = itertools.count(1)

    def count(done: int, note: str = "") -> None:
        if advance:
            advance(next(counter), note)

    if math.isfinite(seconds):
        steps = affordable(job, seconds / 3, steps)
    rates = np.geomspace(LOWEST, HIGHEST, steps)
    losses = losses_at(job, rates.tolist(), advance=count)
    reading = read(rates[: len(losses)], losses)
    if reading.rate is None:
        return Found(None, rates, losses, reading)
    begun, trials = time.monotonic(), []
    for times in TRIED:
        trial = try_rate(job, reading.rate * times, steps, advance=count)
        trials.append(trial)
        if trial.fall > ENOUGH or time.monotonic() - begun > seconds:
            break
    best = max(trials, key=lambda trial: trial.fall)
    return Found(best.rate if best.fall > 0 else None, rates, losses, reading, trials)


def affordable(job: Job, seconds: float, steps: int) -> int:
    """How many steps fit into a time, by the time of two; no fewer than `LEAST_STEPS`, no more than `steps`."""
    begun = time.monotonic()
    losses_at(job, [0.0])  # the first is slower than the others: it warms caches up
    first = time.monotonic() - begun
    begun = time.monotonic()
    losses_at(job, [0.0])
    each = min(first, time.monotonic() - begun)
    return int(np.clip(seconds / max(each, 1e-9), min(LEAST_STEPS, steps), steps))


def _fell(trial: Trial) -> str:
    return "diverged" if trial.diverged else f"{-trial.fall:+.0%}"
