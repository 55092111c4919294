"""Dead units: ReLUs whose input is negative for every sample, and what killed them.

Formula:
    unit m is dead  when  max_n z_nm ≤ 0,  z = x W + b

Derivation:
    relu'(z) = 0 for z ≤ 0, so every term of dw_m = Σ_n x_n dy_nm relu'(z_nm) and of db_m is 0: the unit gets no
    gradient on these samples and cannot come back by itself (new samples, or changes below it, may wake it).
    What killed it can be told in part. If it was dead with the weights that training began with, the initialisation
    did; if it fired then, some step of the optimiser was too long for it: the learning rate. Of the two parts of z,
    the bias is to blame where z − b would be positive for some sample, else the weights.

Source: CS231n notes, "Neural Networks Part 1", the dying ReLU.
"""

from dataclasses import dataclass

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.layers.affine import affine_forward

REMEDIES = {
    "initialisation": "draw the weights anew (He) and start biases at 0 or a little above",
    "learning rate": "lower the learning rate or clip the gradients",
    "unknown": "give the weights that training began with to tell a bad start from a step that was too long",
}


@dataclass(frozen=True)
class DeadUnit:
    """A unit that never fires.

    Attributes:
        unit: its index.
        highest: its largest input over all samples, at most 0.
        cause: "initialisation", "learning rate", or "unknown" where the first weights are not given.
        part: "bias" if it would fire for some sample without its bias, else "weights".
    """

    unit: int
    highest: float
    cause: str
    part: str

    def sentence(self) -> str:
        """What is wrong, why, and what to do, in one line."""
        return (
            f"Unit {self.unit} never fires: its input is at most {self.highest:.3g}, by its {self.part}. "
            f"Cause: {self.cause}; {REMEDIES[self.cause]}."
        )


def find_dead_units(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    w_start: np.ndarray | None = None,
    b_start: np.ndarray | None = None,
) -> list[DeadUnit]:
    """The units of an affine layer followed by ReLU that fire for no sample.

    Args:
        x: (N, d1, ..., dk) samples as they reach the layer; the more, the surer.
        w: (D, M) weights now.
        b: (M,) biases now.
        w_start: (D, M) weights that training began with, if kept.
        b_start: (M,) biases that training began with; both or neither.

    Raises:
        DataError: there are no samples, only one of the first two is given, or the shapes do not fit.
    """
    if not len(x):
        raise DataError("dead units: x holds no samples, so no unit could fire.")
    if (w_start is None) != (b_start is None):
        raise DataError("dead units: give both w_start and b_start, or neither.")
    highest = affine_forward(x, w, b)[0].max(axis=0)  # (M,)
    started = None
    if w_start is not None and b_start is not None:
        started = affine_forward(x, w_start, b_start)[0].max(axis=0) > 0  # (M,)
    found = []
    for unit in np.flatnonzero(highest <= 0):
        cause = "unknown" if started is None else "learning rate" if started[unit] else "initialisation"
        part = "bias" if highest[unit] > b[unit] else "weights"
        found.append(DeadUnit(int(unit), float(highest[unit]), cause, part))
    return found
