"""Seen in other light, or by a worse camera.

Each takes a batch, a strength and a generator; the strength says how much, for every picture alike, and 0 changes
nothing. Labels stay.
"""

import math

import torch
from torch import Tensor

from pellucid.data.transforms.batch import Batch, draw
from pellucid.data.transforms.pixels.blur import blurred
from pellucid.data.transforms.pixels.colour import LUMA, Noise, recoloured


def darker(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """Every pixel times 1 - strength."""
    return _times(batch, 1 - strength)


def brighter(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """Every pixel times 1 + strength, cut off at white."""
    return _times(batch, 1 + strength)


def fainter(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """Contrast times 1 - strength: pixels drawn towards their picture's mean grey."""
    image = batch["image"]
    luma = torch.tensor(LUMA if image.shape[1] == 3 else (1.0,), device=image.device)

    def change(pixels: Tensor, part: slice) -> Tensor:
        mean = (pixels.mean(1, keepdim=True) * luma).sum(-1, keepdim=True)  # (k, 1, 1)
        return mean + (pixels - mean) * (1 - strength)

    return {**batch, "image": recoloured(image, change)}


def from_the_side(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """Light falls off across the picture: from 1 + strength times as bright at one edge to 1 - strength opposite."""
    image = batch["image"]
    height, width = image.shape[2:]
    angle = draw(len(image), 0, 2 * math.pi, generator).to(image.device)
    x = (torch.arange(width, device=image.device) * 2 + 1) / width - 1
    y = (torch.arange(height, device=image.device) * 2 + 1) / height - 1

    def change(pixels: Tensor, part: slice) -> Tensor:
        cos, sin = torch.cos(angle[part]).view(-1, 1, 1), torch.sin(angle[part]).view(-1, 1, 1)
        reach = cos.abs() + sin.abs()  # of the corners, so that they get all of it
        ramp = (cos * x + sin * y[:, None]) / reach  # (k, H, W)
        return pixels * (1 + strength * ramp.flatten(1))[..., None]

    return {**batch, "image": recoloured(image, change)}


def grain(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """Gaussian noise of deviation `strength`, in pixel values."""
    return Noise(strength)(batch, generator)


def smear(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """Smoothed by a Gaussian whose deviation is `strength` of the shorter side."""
    image = batch["image"]
    width = strength * min(image.shape[2:])
    return {**batch, "image": blurred(image, torch.full((len(image),), width))}


def _times(batch: Batch, factor: float) -> Batch:
    return {**batch, "image": recoloured(batch["image"], lambda pixels, part: pixels * factor)}
