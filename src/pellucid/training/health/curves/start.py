"""Does the loss take off late, or never? Then the initialisation holds the gradient back (CS231n, lecture 7)."""

from pellucid.core.verdict import Verdict
from pellucid.training.health.curves.rate import long_enough
from pellucid.training.health.curves.shape import Shape

LATE, LATE_EPOCHS = 0.2, 2.0  # part of the run, and epochs, before a tenth of the loss is gone
ABRUPT = 2.3  # half the loss is gone after so many times that long: a slow fall takes longer
WELL = 0.3  # loss that is reached once it has taken off
LEVEL = 0.95  # of where it began, that the loss keeps until it takes off or, if never, to the end


def judge_start(shape: Shape) -> Verdict | None:
    """The verdict on the beginning; None when it is good, or when too little was seen."""
    if shape.curve.from_weights:
        return None
    late = shape.take_off >= LATE and shape.take_off_epochs >= LATE_EPOCHS and shape.take_off < 1
    abrupt = shape.half_way <= ABRUPT * shape.take_off and shape.last < WELL
    never = shape.take_off == 1 and shape.last > LEVEL * shape.top and long_enough(shape)
    if not (late and abrupt) and not never:
        return None
    when = "to the end" if never else f"for {shape.take_off_epochs:.1f} epochs ({shape.take_off:.0%} of the run)"
    then = "" if never else f", then falls to {shape.told(shape.last)}"
    return Verdict(
        "curve-bad-start",
        "warn" if never else "info",
        f"the loss stays near {shape.told(shape.began)} {when}{then}",
        "the initial weights are too small (or all alike, or dead), so that hardly any gradient comes through",
        "use the usual initialisation (He for ReLU, Xavier for tanh), add batch norm, or ask what each layer gets: "
        "pellucid check DATA",
    )
