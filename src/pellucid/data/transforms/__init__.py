"""Random changes of whole batches; see `batch` for the rules they all follow."""

from pellucid.data.transforms.batch import Batch, Cut, Transform
from pellucid.data.transforms.compose import Compose, build
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

__all__ = [
    "Affine",
    "Batch",
    "Blur",
    "CentreCrop",
    "Compose",
    "Cut",
    "CutMix",
    "Cutout",
    "Either",
    "Elastic",
    "Erase",
    "Flip",
    "Jitter",
    "Mixup",
    "Mosaic",
    "Noise",
    "PcaColour",
    "Radial",
    "RandomCrop",
    "ScaleCrop",
    "Shift",
    "Sometimes",
    "Transform",
    "VFlip",
    "Window",
    "Zoom",
    "build",
]
