"""What all detectors have in common: maps first, losses and things from them. Letters: N, C, H, W, K as everywhere."""

from typing import Protocol

from torch import Tensor

from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.truth import Truth

Outputs = dict[str, Tensor]  # under names of each detector's own; floats may be bf16 inside and are float32 outside


class Detector(Protocol):
    """A network that finds things; an `nn.Module` with these three methods and `initial_losses`.

    Attributes:
        initial_losses: name of each loss -> its value before training as theory has it; NaN where that depends on the
            pictures. The names are `objectness`, `proposal_box`, `class`, `box`, `centre`, `mask`, `keypoint` ..., the
            same as `losses` gives.
    """

    initial_losses: dict[str, float]

    def __call__(self, x: Tensor, truth: Truth | None = None) -> Outputs:
        """(N, C, H, W) standardised pixels -> what losses and things are made from.

        Two-stage detectors look at `truth`, where there is one, to choose the regions that they learn from: in training
        at random, else always the same ones.
        """

    def losses(self, outputs: Outputs, truth: Truth) -> dict[str, Tensor]:
        """Name -> (N,) float32, a number a picture. 0 with a gradient path where there is nothing to learn."""

    def found(self, outputs: Outputs, limits: Limits) -> Found:
        """The things, the surest first."""
