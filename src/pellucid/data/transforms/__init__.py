"""Random changes of whole batches; see `batch` for the rules they all follow."""

from pellucid.data.transforms.affine import Affine
from pellucid.data.transforms.batch import Batch, Cut, Transform
from pellucid.data.transforms.colour import Jitter, Noise
from pellucid.data.transforms.compose import Compose, build
from pellucid.data.transforms.crop import CentreCrop, RandomCrop, Window
from pellucid.data.transforms.cutout import Cutout
from pellucid.data.transforms.flip import Flip, VFlip
from pellucid.data.transforms.pca_colour import PcaColour
from pellucid.data.transforms.shift import Shift

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
