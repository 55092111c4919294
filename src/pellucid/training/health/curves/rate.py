"""Is the learning rate too low, good, high or very high? Read from the training loss alone, as drawn in CS231n's notes
(https://cs231n.github.io/neural-networks-3/#loss): too low falls in a line, good falls fast and far, high falls fast
and stays level too high, very high explodes.
"""

from pellucid.core.verdict import Verdict
from pellucid.training.health.curves.shape import Shape

NOT_LEARNED = 0.8  # of the loss of a model that knows nothing
SPIKE, HILL = 2.0, 1.5  # of what it began with: of one step, of the smoothed loss
CLIMBED = 0.15  # from its lowest back to its end, in units
RESTLESS = 0.0015  # jumps of epochs of a model that has not learned, above which it is being thrown about
ROUGH, VERY_ROUGH = 0.03, 0.1  # jumps of epochs of one that has; the second even where it still learns
LEARNED, LEARNED_DECAYED = 0.15, 0.4  # loss below which a rate is not called high; the second where it was cut later
STALLED = 0.15  # recent fall, in parts of the loss
STILL_FALLING, SOMEWHAT = 0.08, 0.03  # the same, above which a smooth loss asks for more; the second if in a line
LIKE_A_LINE = 0.12  # share of the whole fall that lies in the last quarter
SHORT_EPOCHS, MANY_STEPS = 8, 1000  # fewer of both, and a loss that has not fallen may still do so
FLAT = 0.95  # of where it began
FEW_UNITS = 0.4  # below this loss a rate that could be higher is no alarm


def judge_rate(shape: Shape) -> Verdict | None:
    """The verdict on the rate; None when it is good, or when too little was seen. Bad starts: `judge_start`."""
    return _very_high(shape) or _high(shape) or _too_low(shape)


def thrown(shape: Shape) -> bool:
    """Whether the loss was thrown about: not finite, spikes, or a climb back from where it had been."""
    began = max(shape.began, 1.0)
    hill = float(max(shape.smooth[1:], default=0.0))
    return shape.largest > SPIKE * began or hill > HILL * began or shape.last - shape.lowest > CLIMBED


def long_enough(shape: Shape) -> bool:
    """Whether a loss that has not fallen has had its time: some networks take hundreds of steps to begin."""
    return shape.n_epochs >= SHORT_EPOCHS or shape.n_steps >= MANY_STEPS


def lost(shape: Shape) -> bool:
    """Whether the rate explains that nothing was learned."""
    restless = shape.roughness > RESTLESS and not shape.drifts
    return shape.last >= NOT_LEARNED and (thrown(shape) or restless)


def _very_high(shape: Shape) -> Verdict | None:
    ended = shape.curve.ended == "non-finite" or shape.largest == float("inf")
    if not ended and not lost(shape):
        return None
    evidence = f"the loss begins at {shape.told(shape.began)}, has a largest value of {shape.told(shape.largest)}"
    evidence += " and is not finite in the end" if ended else f" and ends at {shape.told(shape.last)}"
    return Verdict(
        "curve-rate-very-high",
        "fail",
        f"{evidence}; a model that knows nothing has {shape.unit:.3g}",
        f"the learning rate ({shape.rate:.3g}) is far too high: the first steps threw the weights out of reach",
        f"train again with --lr {shape.rate / 100:.2g}, or look for a rate with --find-lr",
    )


def _high(shape: Shape) -> Verdict | None:
    bar = LEARNED_DECAYED if shape.is_decayed else LEARNED
    climbed = shape.last - shape.lowest > CLIMBED
    stalled = shape.recent_fall < STALLED or climbed or shape.roughness > VERY_ROUGH
    if shape.last < bar or shape.n_epochs < 5 or not (shape.roughness > ROUGH and stalled):
        return None
    return Verdict(
        "curve-rate-high",
        "warn",
        f"the loss stays near {shape.told(shape.last)}, {shape.last:.0%} of what knowing nothing has, and jumps by "
        f" {shape.roughness:.0%} from epoch to epoch",
        f"the learning rate ({shape.rate:.3g}) is too high to settle: each step overshoots",
        f"train again with --lr {shape.rate / 10:.2g}, or let it fall with --schedule cosine",
    )


def _too_low(shape: Shape) -> Verdict | None:
    if shape.curve.from_weights or thrown(shape):
        return None
    flat = long_enough(shape) and shape.last > FLAT * shape.top and shape.drifts
    line = shape.share_of_fall > LIKE_A_LINE and (shape.drifts or shape.recent_fall > SOMEWHAT)
    falling = shape.recent_fall > STILL_FALLING or line
    slow = shape.n_epochs >= SHORT_EPOCHS and shape.last > LEARNED and falling
    if not (flat or slow) or shape.gap > 0.2:
        return None
    moved = "has hardly moved" if flat else f"still falls by {max(shape.recent_fall, 0):.0%} in the last quarter"
    return Verdict(
        "curve-rate-too-low",
        "warn" if shape.last > FEW_UNITS else "info",
        f"the loss {moved}: from {shape.told(shape.began)} to {shape.told(shape.last)}, smoothly, in {shape.n_steps:,} "
        "steps",
        f"the learning rate ({shape.rate:.3g}) is too low. The metric may rise all the same: the answer with the "
        "highest score is right long before that score is near 1",
        f"train again with --lr {shape.rate * 10:.2g}, or look for a rate with --find-lr; more epochs help less",
    )
