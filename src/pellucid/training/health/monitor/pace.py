"""How far each step moves the weights, for their size. About a thousandth is right.

Judged while the rate is at least half of the highest so far, so that warm-up and the end of a decay, which are meant to
be slow, say nothing; and by medians over weights and looks, so that one layer or one step does not decide. Weights of
two or more dimensions alone: biases and norms may start at 0.

Source: CS231n, "Babysitting the learning process": "ratio of update magnitudes to value magnitudes ... should be
somewhere around 1e-3" (https://cs231n.github.io/neural-networks-3/#ratio).
"""

import statistics

from pellucid.core.verdict import Verdict
from pellucid.training.health.monitor.history import History, Pace

RULE = "update-ratio"
LOWER = "train again with a tenth of --lr, or use --find-lr"
RATE_TOO_HIGH = "a learning rate that is too high"
USUAL = (1e-4, 1e-2)
TOO_HIGH = 5e-2  # healthy runs of adam with large rates reach 0.02
LARGE = 1.0  # root mean square; He's rule gives less than 0.5 from nine inputs on
NEEDED = 4  # looks
WILD, OFTEN = 0.1, 2  # looks above this, so often, at whatever rate: weights were thrown about
MEANT = 0.5  # of the highest rate
FIRST = 4  # step; adam's first ones are full steps in every direction, whatever the gradient


def update_ratio(history: History) -> Verdict | None:
    """Judge the median ratio where the rate is near its highest; None before there are enough looks."""
    wild = [pace for pace in history.paces if pace.ratio > WILD and pace.step >= FIRST]
    if len(wild) >= OFTEN:
        most = max(wild, key=lambda pace: pace.ratio)
        evidence = (
            f"steps moved the weights by more than {WILD:g} of their length at {len(wild)} looks, by {most.ratio:.2g} "
            f"at step {most.step} with rate {most.lr:.2g}; {USUAL[0]:g} to {USUAL[1]:g} is usual"
        )
        return Verdict(RULE, "warn", evidence, RATE_TOO_HIGH, LOWER)
    paces = plateau(history.paces)
    if len(paces) < NEEDED:
        return None
    ratio = statistics.median(pace.ratio for pace in paces)
    evidence = (
        f"a step moves the weights by {ratio:.1e} of their length (median of {len(paces)} looks where the rate is at "
        f"least half of the highest, {max(pace.lr for pace in paces):.2g}; {USUAL[0]:g} to {USUAL[1]:g} is usual)"
    )
    if USUAL[0] <= ratio <= USUAL[1]:
        return Verdict(RULE, "pass", evidence)
    if ratio > TOO_HIGH:
        return Verdict(RULE, "warn", evidence, RATE_TOO_HIGH, LOWER)
    if ratio > USUAL[1]:
        return Verdict(RULE, "info", evidence, "a learning rate at the upper end of what works")
    if history.pretrained:
        return Verdict(RULE, "info", evidence, "trained weights are changed with care: a low rate is usual for them")
    size = statistics.median(weight.rms for weight in history.recent[-1].weights.values())
    if size > LARGE:
        return Verdict(
            RULE,
            "warn",
            f"{evidence}; weights have a root mean square of {size:.2g}",
            "the weights are far too large, so that every step is small beside them",
            "start weights by He's rule for ReLU and Xavier's for tanh",
        )
    cause, cure = "a learning rate that is too low", "train again with ten times --lr, or use --find-lr"
    return Verdict(RULE, "warn", evidence, cause, cure)


def plateau(paces: list[Pace]) -> list[Pace]:
    """Those at a rate of at least `MEANT` of the highest, without the first steps."""
    highest = max((pace.lr for pace in paces), default=0.0)
    return [pace for pace in paces if pace.lr >= MEANT * highest and pace.step >= FIRST]
