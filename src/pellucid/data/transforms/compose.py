"""Transforms one after another, and the ones that a config asks for."""

from dataclasses import dataclass

import torch

from pellucid.data.config import AugmentConfig
from pellucid.data.transforms.batch import Batch, Transform
from pellucid.data.transforms.geometry.affine import Affine
from pellucid.data.transforms.geometry.crop import CentreCrop, RandomCrop, Window
from pellucid.data.transforms.geometry.flip import Flip, VFlip
from pellucid.data.transforms.geometry.shift import Shift
from pellucid.data.transforms.pixels.colour import Jitter, Noise
from pellucid.data.transforms.pixels.cutout import Cutout
from pellucid.data.transforms.pixels.pca_colour import PcaColour


@dataclass(frozen=True)
class Compose:
    """Apply each step to what the one before it gave."""

    steps: tuple[Transform, ...]

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        for step in self.steps:
            batch = step(batch, generator)
        return batch


def build(augment: AugmentConfig, size: tuple[int, int], canvas_size: tuple[int, int], train: bool) -> Compose | None:
    """The transforms between the pack and the network.

    Evaluation takes the middle of the canvas. Training first cuts: with `crop` below 1 a random part of the canvas,
    scaled to `size`; else, where the canvas is larger than `size`, a window of it that `shift` moves, so that no
    border has to be invented. Then it mirrors, warps, shifts (where no window did), recolours and blanks, as far
    as each is asked for.

    Args:
        augment: what is asked for.
        size: height and width of the network's input.
        canvas_size: height and width of the packed pictures, nowhere smaller than `size`.
        train: whether to augment at all.

    Returns:
        None where nothing is to be done.
    """
    larger = tuple(canvas_size) != tuple(size)
    if not (train and augment.augment):
        return Compose((CentreCrop(size),)) if larger else None
    steps: list[Transform] = []
    if augment.crop < 1:
        steps.append(RandomCrop(size, area=(augment.crop, 1.0)))
    elif larger:
        steps.append(Window(size, augment.shift))
    if augment.flip:
        steps.append(Flip(augment.flip))
    if augment.vflip:
        steps.append(VFlip(augment.vflip))
    if augment.rotate or augment.shear or augment.stretch:
        steps.append(Affine(augment.rotate, augment.shear, augment.stretch))
    if augment.shift and (augment.crop < 1 or not larger):
        steps.append(Shift(augment.shift))
    if augment.jitter:
        steps.append(Jitter(augment.jitter, augment.jitter, augment.jitter))
    if augment.pca_colour:
        steps.append(PcaColour(augment.pca_colour))
    if augment.noise:
        steps.append(Noise(augment.noise))
    if augment.cutout:
        steps.append(Cutout(augment.cutout))
    return Compose(tuple(steps)) if steps else None
