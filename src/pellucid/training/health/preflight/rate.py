"""Step 5: at the rate that is asked for, the loss falls clearly within 100 steps.

A rate a thousand times too low or too high trains without a word and learns nothing. Where the loss does not fall at
the rate of the settings, other rates are tried: if one of them does clearly better, it is the rate's fault. Where it
falls, a hundredth of the rate is tried too, since networks with batch norm learn something at any rate: a rate that is
not far too high falls faster than that.
"""

import math
from collections.abc import Sequence

from pellucid.core.verdict import Status, Verdict
from pellucid.training.job import Job
from pellucid.training.rates.finder import ENOUGH, STEPS, affordable, find_rate
from pellucid.training.rates.trial import Trial, try_rate

RULE = "learning-rate"
MUCH_BETTER = 2.0  # times the fall: less may be chance
FAR = 8.0  # times the rate: nearer rates are a matter of taste
VERY_FAR = 80.0
LOWER = 100.0  # a rate that falls is compared with one so many times lower, at which a good one would hardly learn
LEFT = 0.6  # of the loss: where the lower rate leaves less, the rate is too high
ERRORS = 3.0  # standard errors that the two have to lie apart


def check_rate(job: Job, seconds: float) -> Verdict:
    """Judge the highest rate of the schedule by 30 to 100 real steps at it.

    Args:
        seconds: about so long at most.
    """
    rate = job.schedule.highest_lr
    steps = affordable(job, seconds / 4, STEPS)
    trial = try_rate(job, rate, steps)
    said = f"at {rate:.2g} the loss {_course(trial)}"
    if trial.fall > ENOUGH:
        return _judge_falling(trial, try_rate(job, rate / LOWER, steps), said)
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


def _judge_falling(trial: Trial, lower: Trial, said: str) -> Verdict:
    """Of a rate at which the loss falls: whether it is too high all the same."""
    late = len(trial.losses) // 4
    if len(lower.losses) != len(trial.losses) or lower.diverged or late < 2:
        return Verdict(RULE, "pass", said)
    ours, theirs = trial.losses[-late:], lower.losses[-late:]  # of the same batches: what is hard in one is so in both
    apart = ours - theirs
    clear = apart.mean() > ERRORS * apart.std(ddof=1) / math.sqrt(len(apart))
    if not clear or theirs.mean() > LEFT * ours.mean():
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
