"""Where to cut the rate: begin without decay, read the curve, then place the decay (CS231n, lecture 8).

A loss that has come to rest at a constant rate is held up by the noise of the steps: a smaller step settles lower.
"""

import numpy as np

from pellucid.core.verdict import Verdict
from pellucid.training.health.curves.shape import Shape

CONSTANT = 0.9  # of the highest rate, that a rate without decay keeps
FEWEST_EPOCHS = 10
GAIN = 0.1  # part of the loss that later epochs must gain for a curve not to be at rest
NOISES = 2.0  # or so many times the noise of an epoch
NOTHING_LEFT = 0.02  # loss, in units, below which there is nothing to gain
WARM_UP = 2  # epochs that are never proposed


def decay_epoch(shape: Shape) -> int | None:
    """The epoch (counted from 1) after which the loss gains no more than its own noise; None while it still falls.

    Training loss decides, smoothed by a median of three epochs. The noise is the median absolute second difference of
    the epochs, divided by the root of 6, which white noise has there, and by 0.6745, the median of its absolute value.
    """
    values = shape.train[np.isfinite(shape.train)]
    constant = shape.curve.lr[len(shape.curve.lr) // 4 :].min(initial=np.inf) >= CONSTANT * shape.rate
    if len(values) < FEWEST_EPOCHS or not constant or values[-1] < NOTHING_LEFT:
        return None
    smooth = np.array([np.median(values[max(0, k - 1) : k + 2]) for k in range(len(values))])
    noise = float(np.median(np.abs(np.diff(values, 2)))) / 6**0.5 / 0.6745
    end = float(np.median(values[-3:]))
    rested = smooth - end <= max(GAIN * end, NOISES * noise)
    moving = np.flatnonzero(~rested)
    first = int(moving[-1]) + 2 if len(moving) else 1
    return max(first, WARM_UP + 1) if first <= len(values) - 3 else None


def judge_decay(shape: Shape) -> list[tuple[Verdict, int]]:
    """The proposal and its epoch, or nothing."""
    epoch = decay_epoch(shape)
    if epoch is None:
        return []
    verdict = Verdict(
        "curve-decay-now",
        "info",
        f"from epoch {epoch} on training loss rests near {shape.told(shape.last)} at the full rate, {shape.rate:.3g}",
        "at a constant rate the noise of the steps keeps the loss from settling",
        f"train again with --schedule step --milestones {epoch} --gamma 0.1, or with --schedule cosine",
    )
    return [(verdict, epoch)]
