"""What is known about one published file of weights."""

import math
from dataclasses import dataclass

from pellucid.core.preprocess import Interpolation, Preprocess

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures, of values in 0..1


@dataclass(frozen=True)
class Entry:
    """One published file.

    Attributes:
        name: network and edition, such as `resnet50.imagenet1k_v2`.
        network: name of the architecture among `pellucid models`.
        file: name of the file as it was published; the end is the beginning of its SHA-256.
        preprocess: from a decoded picture to what the network was trained on.
        n_classes: K; the 1000 classes of ImageNet-1k in their usual order, the 21 of VOC, COCO's 90, or persons alone.
        source: who published it, and where.
        licence: of the file, as its publisher states it.
    """

    name: str
    network: str
    file: str
    preprocess: Preprocess
    n_classes: int
    source: str
    licence: str


def normalised(
    size: tuple[int, int],
    canvas: tuple[int, int],
    mean: tuple[float, ...] = MEAN,
    std: tuple[float, ...] = STD,
    interpolation: Interpolation = "bilinear",
) -> Preprocess:
    """Resize so that the picture just covers `canvas`, take the middle `size`, then `(p / 255 - mean) / std`."""
    return Preprocess(
        size,
        canvas=None if canvas == size else canvas,
        channels=len(mean),
        fit="short-side",
        shift=tuple(255 * value for value in mean),
        scale=tuple(1 / (255 * value) for value in std),
        interpolation=interpolation,
    )


def canvas_of(size: tuple[int, int], share: float) -> tuple[int, int]:
    """The canvas of which `size` is the middle `share`, rounded down."""
    return math.floor(size[0] / share), math.floor(size[1] / share)
