"""Random changes of whole batches; see `batch` for the rules they all follow."""

from pellucid.data.transforms.batch import Batch, Cut, Transform
from pellucid.data.transforms.compose import Compose, build
from pellucid.data.transforms.geometry.affine import Affine
from pellucid.data.transforms.geometry.crop import CentreCrop, RandomCrop, Window
from pellucid.data.transforms.geometry.flip import Flip, VFlip
from pellucid.data.transforms.geometry.shift import Shift
from pellucid.data.transforms.pixels.colour import Jitter, Noise
from pellucid.data.transforms.pixels.cutout import Cutout
from pellucid.data.transforms.pixels.pca_colour import PcaColour

__all__ = [
    "Affine",
    "Batch",
    "CentreCrop",
    "Compose",
    "Cut",
    "Cutout",
    "Flip",
    "Jitter",
    "Noise",
    "PcaColour",
    "RandomCrop",
    "Shift",
    "Transform",
    "VFlip",
    "Window",
    "build",
]
