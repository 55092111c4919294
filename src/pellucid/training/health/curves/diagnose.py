"""All rules about curves, in the order in which one explains away the next."""

from dataclasses import dataclass

from pellucid.core.verdict import Verdict
from pellucid.training.health.curves.curve import Curve
from pellucid.training.health.curves.decay import judge_decay
from pellucid.training.health.curves.fit import judge_fit
from pellucid.training.health.curves.rate import judge_rate
from pellucid.training.health.curves.shape import Shape
from pellucid.training.health.curves.start import judge_start

FEWEST_STEPS = 5  # logged, below which only a loss that is not finite says anything


@dataclass(frozen=True)
class Reading:
    """A verdict, and the epoch (counted from 1) that it points at, or None."""

    verdict: Verdict
    epoch: int | None = None


def diagnose(curve: Curve) -> list[Verdict]:
    """What the curves of a run say of its rate, its start, its fit and the place to cut the rate; nothing of a good run
    but `info`.
    """
    return [reading.verdict for reading in read(curve)]


def read(curve: Curve) -> list[Reading]:
    """The same, with the epochs that the verdicts point at."""
    if not len(curve.loss) or (len(curve.loss) < FEWEST_STEPS and curve.ended != "non-finite"):
        return []
    shape = Shape(curve)
    fits = judge_fit(shape) if len(curve.loss) >= FEWEST_STEPS else []
    if fits and fits[0].rule == "labels-unrelated":
        return [Reading(fits[0])]
    rate = judge_rate(shape)
    start = judge_start(shape)
    if start and (rate is None or rate.rule == "curve-rate-too-low"):
        rate = start if shape.take_off < 1 or rate is None else rate
    if rate:
        return [Reading(rate)]
    found = [Reading(verdict, shape.best_epoch if verdict.rule == "curve-overfit" else None) for verdict in fits]
    if found:
        return found  # a smaller rate would only learn the pictures by heart the faster
    return [Reading(verdict, epoch) for verdict, epoch in judge_decay(shape)]


def points(curve: Curve) -> dict[str, int]:
    """Rule -> epoch, of the verdicts that point at one: for the picture of the curve."""
    return {reading.verdict.rule: reading.epoch for reading in read(curve) if reading.epoch is not None}
