"""Transforms one after another, and the ones that a config asks for."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from pellucid.data.config import AugmentConfig
from pellucid.data.policy.read import Step, read_policy
from pellucid.data.policy.steps import STEPS
from pellucid.data.transforms.batch import Batch, Transform
from pellucid.data.transforms.geometry.affine import Affine
from pellucid.data.transforms.geometry.crop import CentreCrop, RandomCrop, Window
from pellucid.data.transforms.geometry.elastic import Elastic
from pellucid.data.transforms.geometry.flip import Flip, VFlip
from pellucid.data.transforms.geometry.radial import Radial
from pellucid.data.transforms.geometry.scale_crop import ScaleCrop
from pellucid.data.transforms.geometry.shift import Shift
from pellucid.data.transforms.geometry.zoom import Zoom
from pellucid.data.transforms.mixing.cutmix import CutMix
from pellucid.data.transforms.mixing.mixup import Mixup
from pellucid.data.transforms.mixing.mosaic import Mosaic
from pellucid.data.transforms.pixels.blur import Blur
from pellucid.data.transforms.pixels.colour import Jitter, Noise
from pellucid.data.transforms.pixels.cutout import Cutout
from pellucid.data.transforms.pixels.erase import Erase
from pellucid.data.transforms.pixels.pca_colour import PcaColour
from pellucid.data.transforms.sometimes import Either, Sometimes

CUTTERS: dict[str, Callable[..., Transform]] = {
    "window": Window,
    "crop": RandomCrop,
    "scale_crop": ScaleCrop,
    "zoom": Zoom,
}
MIRRORS: dict[str, Callable[..., Transform]] = {"flip": Flip, "vflip": VFlip}  # they take p and the order of keypoints
CHANCY: dict[str, Callable[..., Transform]] = {  # they take their own p
    "mosaic": Mosaic,
    "erase": Erase,
    "mixup": Mixup,
    "cutmix": CutMix,
}
MAKERS: dict[str, Callable[..., Transform]] = {  # parameters of a policy's step -> transform
    "rotate": lambda degrees: Affine(rotate=degrees),
    "shear": lambda degrees: Affine(shear=degrees),
    "stretch": lambda share: Affine(stretch=share),
    "translate": lambda share: Affine(shift=share),
    "affine": Affine,
    "shift": Shift,
    "radial": Radial,
    "elastic": Elastic,
    "jitter": lambda share: Jitter(share, share, share),
    "brightness": lambda share: Jitter(brightness=share),
    "contrast": lambda share: Jitter(contrast=share),
    "saturation": lambda share: Jitter(saturation=share),
    "pca_colour": PcaColour,
    "blur": Blur,
    "noise": Noise,
    "cutout": Cutout,
}


@dataclass(frozen=True)
class Compose:
    """Apply each step to what the one before it gave."""

    steps: tuple[Transform, ...]

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        for step in self.steps:
            batch = step(batch, generator)
        return batch


@dataclass(frozen=True)
class Pictures:
    """What transforms need to know of the pictures.

    Attributes:
        size: height and width of the network's input.
        canvas_size: height and width of the packed pictures, nowhere smaller than `size`.
        background: RGB beside them.
        mirror: see `flip.mirror_order`.
    """

    size: tuple[int, int]
    canvas_size: tuple[int, int]
    background: tuple[int, int, int] = (255, 255, 255)
    mirror: tuple[int, ...] = ()

    @property
    def larger(self) -> bool:
        """Whether the canvas is larger than the input."""
        return tuple(self.canvas_size) != tuple(self.size)


def build(
    augment: AugmentConfig,
    size: tuple[int, int],
    canvas_size: tuple[int, int],
    train: bool,
    background: tuple[int, int, int] = (255, 255, 255),
    mirror: tuple[int, ...] = (),
) -> Compose | None:
    """The transforms between the pack and the network.

    Evaluation takes the middle of the canvas. Training first cuts: with `crop` below 1 a random part of the canvas,
    scaled to `size`; else, where the canvas is larger than `size`, a window of it that `shift` moves, so that no
    border has to be invented. With `short_side` it is a window of the picture resized, with `zoom` a part of it
    enlarged, or all of it smaller. Then it puts four pictures together, mirrors, warps, shifts (where no window did),
    recolours, hides and mixes, as far as each is asked for. A policy does what it says, in its order; where it cuts
    nothing, the middle of the canvas is taken first.

    Args:
        augment: what is asked for.
        size: height and width of the network's input.
        canvas_size: height and width of the packed pictures, nowhere smaller than `size`.
        train: whether to augment at all.
        background: RGB beside pictures that are made smaller.
        mirror: the keypoints of mirrored things, see `flip.mirror_order`.

    Raises:
        ConfigError: `short_side` is shorter than a window.

    Returns:
        None where nothing is to be done.
    """
    pictures = Pictures(size, canvas_size, background, mirror)
    if not (train and augment.augment):
        return Compose((CentreCrop(size),)) if pictures.larger else None
    if augment.policy:
        steps = _of_policy(read_policy(augment.policy, "policy"), pictures)
    else:
        steps = [*_cuts(augment, pictures), *_moves(augment, pictures), *_looks(augment), *_mixes(augment)]
    return Compose(tuple(steps)) if steps else None


def _cuts(augment: AugmentConfig, pictures: Pictures) -> list[Transform]:
    size = pictures.size
    if augment.zooms:
        return [Zoom(size, augment.zoom, pictures.background)]
    if augment.short_side[0]:
        return [ScaleCrop(size, augment.short_side)]
    if augment.crop < 1:
        return [RandomCrop(size, area=(augment.crop, 1.0))]
    return [Window(size, augment.shift)] if pictures.larger else []


def _moves(augment: AugmentConfig, pictures: Pictures) -> list[Transform]:
    steps: list[Transform] = []
    if augment.mosaic:
        steps.append(Mosaic(augment.mosaic))
    if augment.flip:
        steps.append(Flip(augment.flip, pictures.mirror))
    if augment.vflip:
        steps.append(VFlip(augment.vflip, pictures.mirror))
    if augment.rotate or augment.shear or augment.stretch:
        steps.append(Affine(augment.rotate, augment.shear, augment.stretch))
    if augment.radial:
        steps.append(Radial(augment.radial))
    placed = augment.short_side[0] or augment.zooms
    if augment.shift and not placed and (augment.crop < 1 or not pictures.larger):
        steps.append(Shift(augment.shift))
    return steps


def _looks(augment: AugmentConfig) -> list[Transform]:
    steps: list[Transform] = []
    if augment.jitter:
        steps.append(Jitter(augment.jitter, augment.jitter, augment.jitter))
    if augment.pca_colour:
        steps.append(PcaColour(augment.pca_colour))
    if augment.blur:
        steps.append(Blur(augment.blur))
    if augment.noise:
        steps.append(Noise(augment.noise))
    if augment.cutout:
        steps.append(Cutout(augment.cutout))
    if augment.erase:
        steps.append(Erase(augment.erase))
    return steps


def _mixes(augment: AugmentConfig) -> list[Transform]:
    steps: list[Transform] = []
    if augment.mixup:
        steps.append(Mixup(augment.mixup))
    if augment.cutmix:
        steps.append(CutMix(augment.cutmix))
    return [Either(tuple(steps))] if len(steps) > 1 else steps


def _of_policy(policy: tuple[Step, ...], pictures: Pictures) -> list[Transform]:
    steps: list[Transform] = []
    if pictures.larger and not (policy and STEPS[policy[0].name].cuts):
        steps.append(CentreCrop(pictures.size))
    return steps + [make_step(step, pictures.size, pictures.background, pictures.mirror) for step in policy]


def make_step(
    step: Step,
    size: tuple[int, int],
    background: tuple[int, int, int] = (255, 255, 255),
    mirror: tuple[int, ...] = (),
) -> Transform:
    """The transform of a policy's step; for the rest see `build`."""
    if step.name in CUTTERS:
        beside = {"background": background} if step.name == "zoom" else {}
        return CUTTERS[step.name](size, **step.parameters, **beside)
    if step.name in MIRRORS:
        return MIRRORS[step.name](p=step.p, mirror=mirror, **step.parameters)
    if step.name in CHANCY:
        return CHANCY[step.name](p=step.p, **step.parameters)
    made = MAKERS[step.name](**step.parameters)
    return made if step.p == 1 else Sometimes(made, step.p)
