"""Step 5: at the rate that is asked for, the loss falls clearly within 100 steps.

A rate a thousand times too low or too high trains without a word and learns nothing. Where the loss does not fall at
the rate of the settings, other rates are tried: if one of them does clearly better, it is the rate's fault. Where it
falls, a hundredth of the rate is tried too, since networks with batch norm learn something at any rate: a rate that is
not far too high falls faster than that. These trials are nearly all that preflight costs, so they end early where the
loss has halved and the lower rate is far behind.
"""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from pellucid.core.verdict import Status, Verdict
from pellucid.training.job import Job
from pellucid.training.rates.finder import ENOUGH, STEPS, affordable, find_rate
from pellucid.training.rates.trial import STILL, Trial, Until, try_rate

RULE = "learning-rate"
MUCH_BETTER = 2.0  # times the fall: less may be chance
FAR = 8.0  # times the rate: nearer rates are a matter of taste
VERY_FAR = 80.0
LOWER = 100.0  # a rate that falls is compared with one so many times lower, at which a good one would hardly learn
LEFT = 0.6  # of the loss: where the lower rate leaves less, the rate is too high
ERRORS = 3.0  # standard errors that the two have to lie apart
HALF = 50  # steps, at least, after which a loss that has lost half of what it was need not be seen to fall further
BEHIND = 1.5  # times the loss: so far behind after two thirds of the way, the lower rate does not catch up
RECENT = 10  # losses that are compared underway


def check_rate(job: Job, seconds: float) -> Verdict:
    """Judge the highest rate of the schedule by 30 to 100 real steps at it.

    Args:
        seconds: about so long at most.
    """
    rate = job.schedule.highest_lr
    steps = affordable(job, seconds / 4, STEPS)
    trial, lower = _beside_lower(job, rate, steps, _fell_by_half)
    if lower and len(trial.losses) < trial.asked and not _is_behind(trial.losses, lower.losses):
        trial, lower = _beside_lower(job, rate, steps)  # not yet decided
    said = f"at {rate:.2g} the loss {_course(trial)}"
    if lower:
        return _judge_falling(trial, lower, said)
    found = find_rate(job, steps, seconds * 3 / 4)
    best = max((each for each in found.trials), key=lambda each: each.fall, default=None)
    if best is None or best.fall <= 0:
        return _no_better(trial, said, found.trials)
    said += f"; at {best.rate:.2g} it {_course(best)}"
    times = best.rate / rate
    better = best.fall > max(MUCH_BETTER * max(trial.fall, 0.0), ENOUGH / 2)
    if not better or 1 / FAR < times < FAR:
        if trial.diverged and times < 1:
            return _too_high(said, best.rate, "fail")
        return Verdict(RULE, "info", f"{said}: slow, but no rate is clearly better")
    status: Status = "fail" if max(times, 1 / times) >= VERY_FAR or trial.diverged else "warn"
    if times > 1 and not trial.diverged:
        cause = f"the rate is about {times:.0f} times too low"
        return Verdict(RULE, status, said, cause, f"train with --lr {best.rate:.2g}, or without --lr")
    return _too_high(said, best.rate, status)


def _beside_lower(job: Job, rate: float, steps: int, until: Until | None = None) -> tuple[Trial, Trial | None]:
    """A trial, and where its loss falls another at a rate far below, of as many steps or until that is far behind."""
    trial = try_rate(job, rate, steps, until=until)
    if trial.fall <= ENOUGH:
        return trial, None
    return trial, try_rate(job, rate / LOWER, len(trial.losses) - STILL, until=partial(_is_behind, trial.losses))


def _fell_by_half(losses: Sequence[float]) -> bool:
    return len(losses) >= STILL + HALF and Trial(0.0, np.array(losses), len(losses)).fall >= 0.5


def _is_behind(ours: np.ndarray, theirs: Sequence[float] | np.ndarray) -> bool:
    """Whether a lower rate that has come two thirds of the way lies clearly and far behind, on the same batches."""
    n = len(theirs)
    if n < 2 / 3 * len(ours) or n < 2 * RECENT:
        return False
    here, there = ours[n - RECENT : n], np.array(theirs[n - RECENT :])
    return _lies_above(there, here) and bool(there.mean() > BEHIND * here.mean())


def _lies_above(losses: np.ndarray, others: np.ndarray) -> bool:
    """Whether losses of the same batches are higher by more than chance: what is hard in one is so in both."""
    apart = losses - others
    return bool(apart.mean() > ERRORS * apart.std(ddof=1) / math.sqrt(len(apart)))


def _judge_falling(trial: Trial, lower: Trial, said: str) -> Verdict:
    """Of a rate at which the loss falls: whether it is too high all the same."""
    late = len(trial.losses) // 4
    if len(lower.losses) != len(trial.losses) or lower.diverged or late < 2:
        return Verdict(RULE, "pass", said)
    ours, theirs = trial.losses[-late:], lower.losses[-late:]
    if not _lies_above(ours, theirs) or theirs.mean() > LEFT * ours.mean():
        return Verdict(RULE, "pass", said)
    return _too_high(f"{said}; at {lower.rate:.2g} it {_course(lower)}", lower.rate, "fail")


def _too_high(said: str, better: float, status: Status) -> Verdict:
    cause = "the rate is too high: every step jumps over the valley it should go down into"
    cure = f"train with --lr {better:.2g}, or without --lr"
    return Verdict(RULE, status, said, cause, cure)


def _no_better(trial: Trial, said: str, others: Sequence[Trial]) -> Verdict:
    if trial.diverged:
        return _too_high(said, trial.rate / 100, "fail")
    more = f", nor at {', '.join(f'{each.rate:.2g}' for each in others)}" if others else ", nor in a range test"
    return Verdict(RULE, "info", f"{said}{more}: it is not the rate; hard pictures, or labels unrelated to them")


def _course(trial: Trial) -> str:
    n = len(trial.losses)
    if trial.diverged:
        last = trial.losses[-1]
        return f"goes from {trial.start:.3g} to {'NaN' if math.isnan(last) else f'{last:.3g}'} in {n} steps"
    return f"goes from {trial.start:.3g} to {trial.end:.3g} in {n} steps ({-trial.fall:+.0%})"
