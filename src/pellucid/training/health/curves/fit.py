"""Does the model fit? Training and validation loss beside each other: four pictures, and a fifth where validation never
had anything to gain.

| training | validation | |
|---|---|---|
| high, level | as high | underfit: high bias |
| low | climbs above its best | overfit: high variance |
| high, level | climbs above its best | both |
| low | as low | good |
| falls | never below that of knowing nothing | the labels have nothing to do with the pictures |
"""

import math

import numpy as np

from pellucid.core.verdict import Verdict
from pellucid.training.health.curves.rate import ROUGH, STILL_FALLING
from pellucid.training.health.curves.shape import Shape

ENOUGH_EPOCHS = 8  # before which a level loss may only be a pause
HIGH = 0.4  # training loss that is high, in units
ALIKE = 0.15  # part by which training and validation loss may differ
RISEN = 0.075  # of validation loss over its best, in units
APART = 0.6  # training over validation loss, where they have parted
FALLEN, NO_GAIN = 0.9, 0.97  # training loss that has fallen; validation loss without any gain
SURE = 3.0  # standard errors of a metric


def judge_fit(shape: Shape) -> list[Verdict]:
    """Unrelated labels, or under- and overfitting, or nothing."""
    if not len(shape.val):
        return []
    unrelated = _unrelated(shape)
    return [unrelated] if unrelated else [v for v in (_underfit(shape), overfit(shape)) if v]


def _unrelated(shape: Shape) -> Verdict | None:
    curve = shape.curve
    if curve.from_weights or shape.n_epochs < 3 or shape.last > FALLEN or shape.last >= shape.train[0]:
        return None
    if np.nanmin(shape.val) < NO_GAIN or shape.largest > 2 * max(shape.began, 1.0):
        return None
    best = shape.best_metric
    if math.isfinite(curve.chance) and math.isfinite(best) and curve.n_val and 0 < curve.chance < 1:
        error = math.sqrt(curve.chance * (1 - curve.chance) / curve.n_val)
        if curve.higher_is_better and best > curve.chance + SURE * error + 0.02:
            return None
    return Verdict(
        "labels-unrelated",
        "fail",
        f"training loss falls from {shape.told(shape.began)} to {shape.told(shape.last)}, validation loss never below "
        f"{shape.told(float(np.nanmin(shape.val)))}; a model that knows nothing has {shape.unit:.3g}",
        "the labels have nothing to do with the pictures (shuffled, or of another list), or the model answers in "
        "evaluation otherwise than in training",
        "look at pictures beside their labels (the report shows some), and run pellucid check DATA",
    )


def _underfit(shape: Shape) -> Verdict | None:
    if shape.curve.from_weights or shape.n_epochs < ENOUGH_EPOCHS or shape.curve.ended == "non-finite":
        return None
    level = abs(shape.recent_fall) < STILL_FALLING and shape.roughness < ROUGH
    if shape.last < HIGH or shape.take_off == 1 or not level or shape.val[-1] < (1 - ALIKE) * shape.last:
        return None
    if shape.val[-1] > (1 + ALIKE) * shape.last and overfit(shape) is None:
        return None
    return Verdict(
        "curve-underfit",
        "warn",
        f"training loss stays level at {shape.told(shape.last)}, {shape.last:.0%} of what knowing nothing has; "
        f"validation loss is {shape.told(float(shape.val[-1]))}",
        "high bias: the model is too small for the data, or too strongly regularised",
        "take a larger --model, more --epochs with a higher --lr, or less --weight-decay, dropout and augmentation",
    )


def overfit(shape: Shape) -> Verdict | None:
    """Validation has turned."""
    curve = shape.curve
    if not len(shape.val) or shape.n_epochs < 5 or curve.ended == "non-finite":
        return None
    lowest = float(np.nanmin(shape.val))
    rise = float(np.nanmedian(shape.val[-3:])) - lowest
    parted = shape.last < APART * shape.val[-1] or shape.last > HIGH
    if rise < RISEN or not parted or shape.roughness_late > rise:
        return None
    losing = shape.metric_lost > 0.01
    return Verdict(
        "curve-overfit",
        "info" if curve.ended == "early" or not losing else "warn",
        f"validation loss is best in epoch {shape.best_epoch} ({shape.told(lowest)}) and ends at "
        f"{shape.told(float(shape.val[-1]))}, while training loss falls to {shape.told(shape.last)}"
        + ("" if losing or not math.isfinite(shape.best_metric) else "; the metric has not suffered yet"),
        "high variance: the model learns the training pictures by heart",
        "more data, --augment, more --weight-decay or --dropout, a smaller --model; --patience stops in time "
        "(the weights kept are those of the best epoch)",
    )
