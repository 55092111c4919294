"""Every challenge: what it does, and how much of it is tried.

The difficulties are the usual list of what recognition has to bear: viewpoint, scale, light, occlusion, clutter,
deformation, and a bad camera. Two more of that list are no change of a picture and stay out: the variety inside a
class, which the per-class numbers show, and context, which `crowd` takes away along with the rim.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from pellucid.data.transforms.batch import Batch
from pellucid.data.transforms.challenges import cover, light, viewpoint

Change = Callable[[Batch, float, torch.Generator], Batch]


@dataclass(frozen=True)
class Challenge:
    """One kind of change.

    Attributes:
        factor: the difficulty it belongs to.
        unit: of the strengths.
        strengths: those that are tried, rising; 0 is the clean picture and not among them.
        change: `(batch, strength, generator) -> batch`.
        about: in words.
        for_things: whether things of the picture are known afterwards; where not, detectors are not asked.
    """

    factor: str
    unit: str
    strengths: tuple[float, ...]
    change: Change
    about: str
    for_things: bool = True


CHALLENGES: dict[str, Challenge] = {
    "turned": Challenge("viewpoint", "degrees", (10, 20, 30, 45), viewpoint.turn, "turned, either way"),
    "slanted": Challenge("viewpoint", "degrees", (10, 20, 30, 40), viewpoint.slant, "sheared along x, either way"),
    "tilted": Challenge("viewpoint", "tilt", (0.1, 0.2, 0.3, 0.45), viewpoint.tilt, "tilted away, in any direction"),
    "nearer": Challenge("scale", "larger by", (0.15, 0.3, 0.5, 1.0), viewpoint.nearer, "larger; the rim is lost"),
    "further": Challenge("scale", "smaller by", (0.15, 0.3, 0.5, 1.0), viewpoint.further, "smaller"),
    "darker": Challenge("light", "share", (0.2, 0.4, 0.6, 0.8), light.darker, "every pixel darker"),
    "brighter": Challenge("light", "share", (0.2, 0.4, 0.8, 1.6), light.brighter, "every pixel brighter"),
    "fainter": Challenge("light", "share", (0.2, 0.4, 0.6, 0.8), light.fainter, "less contrast"),
    "lit from a side": Challenge("light", "share", (0.25, 0.5, 0.75, 1.0), light.from_the_side, "light that falls off"),
    "hidden": Challenge("occlusion", "area", (0.05, 0.1, 0.2, 0.4), cover.hide, "a grey patch in front"),
    "crowded": Challenge(
        "clutter", "area", (0.1, 0.2, 0.35, 0.5), cover.crowd, "the rim of another picture around", for_things=False
    ),
    "bent": Challenge("deformation", "of the sides", (0.01, 0.02, 0.03, 0.05), viewpoint.bend, "softly deformed"),
    "bowed": Challenge("deformation", "k", (0.05, 0.1, 0.2, 0.3), viewpoint.lens, "as by a lens, either way"),
    "noisy": Challenge("noise", "levels of 255", (8, 16, 32, 64), light.grain, "Gaussian noise"),
    "blurred": Challenge("blur", "of the side", (0.01, 0.02, 0.04, 0.08), light.smear, "out of focus"),
}


@dataclass(frozen=True)
class At:
    """A challenge at one strength, as a transform. At 0 the batch itself."""

    challenge: Challenge
    strength: float

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return self.challenge.change(batch, self.strength, generator) if self.strength else batch
