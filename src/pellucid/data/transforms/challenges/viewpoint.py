"""Seen from elsewhere: turned, slanted, tilted, nearer, further, through a lens, bent.

Each takes a batch, a strength and a generator, which says which way; the strength says how much, for every picture
alike. 0 changes nothing. Masks, boxes and keypoints follow; edge pixels are continued outwards.
"""

import math

import torch

from pellucid.data.transforms.batch import Batch, draw
from pellucid.data.transforms.geometry.affine import about_middle, matrices, warped
from pellucid.data.transforms.geometry.elastic import LATTICE, deformed
from pellucid.data.transforms.geometry.perspective import tilted
from pellucid.data.transforms.geometry.radial import distorted


def turn(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """Turned by `strength` degrees, one way or the other."""
    angle = _either_way(batch, generator) * math.radians(strength)
    cos, sin = torch.cos(angle), torch.sin(angle)
    return warped(batch, about_middle(matrices(cos, sin, -sin, cos), _size(batch)))


def slant(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """Sheared along x by `strength` degrees, one way or the other."""
    slope = _either_way(batch, generator) * math.tan(math.radians(strength))
    one, zero = torch.ones_like(slope), torch.zeros_like(slope)
    return warped(batch, about_middle(matrices(one, slope, zero, one), _size(batch)))


def tilt(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """Tilted away in a random direction; at strength t the near edge is (1 + t) / (1 - t) as large as the far one."""
    angle = draw(len(batch["image"]), 0, 2 * math.pi, generator)
    return tilted(batch, torch.stack([torch.cos(angle), torch.sin(angle)], -1) * strength)


def nearer(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """1 + strength times as large; the rim is lost."""
    return _scaled(batch, 1 / (1 + strength))


def further(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """1 / (1 + strength) times as large; edge pixels fill what opens up."""
    return _scaled(batch, 1 + strength)


def lens(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """Bowed by a lens of k = strength, outwards or inwards."""
    return distorted(batch, _either_way(batch, generator) * strength)


def bend(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """Each point of a 5x5 lattice moved by `strength` of the sides in a random direction."""
    n = len(batch["image"])
    angle = draw(n * LATTICE**2, 0, 2 * math.pi, generator).view(n, LATTICE, LATTICE)
    return deformed(batch, torch.stack([torch.cos(angle), torch.sin(angle)], 1) * strength)


def _scaled(batch: Batch, back: float) -> Batch:
    step = torch.full((len(batch["image"]),), back)
    return warped(batch, about_middle(matrices(step, 0 * step, 0 * step, step), _size(batch)))


def _either_way(batch: Batch, generator: torch.Generator) -> torch.Tensor:
    """(N,) float32 of 1 and -1."""
    return torch.where(torch.rand(len(batch["image"]), generator=generator) < 0.5, -1.0, 1.0)


def _size(batch: Batch) -> tuple[int, int]:
    return batch["image"].shape[2], batch["image"].shape[3]
