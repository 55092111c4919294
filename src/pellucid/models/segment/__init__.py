"""Segmenters: `(N, C, H, W)` standardised pixels -> `(N, K, H, W)` logits, one a pixel and class."""

from collections.abc import Callable

from torch import nn

from pellucid.models.segment.deconvnet import deconvnet, deconvnet_small
from pellucid.models.segment.deeplabv3 import deeplabv3_resnet50, deeplabv3_resnet101
from pellucid.models.segment.dilated import dilated_hybrid, dilated_uniform
from pellucid.models.segment.fcn import fcn8s, fcn16s, fcn32s
from pellucid.models.segment.fcn_resnet import fcn_resnet50, fcn_resnet101
from pellucid.models.segment.fcn_small import fcn_small
from pellucid.models.segment.full_resolution import full_resolution
from pellucid.models.segment.pixel_classifier import pixel_classifier
from pellucid.models.segment.segnet import segnet, segnet_small
from pellucid.models.segment.unet import unet, unet_plain
from pellucid.models.segment.unet_64 import unet_64

# name -> (n_classes, channels, image_size, backbone="") -> network. The backbone is a network of the zoo whose feature
# maps are used, "" is the segmenter's usual one; networks that are made of one piece take no such argument.
MODELS: dict[str, Callable[..., nn.Module]] = {
    "fcn_small": fcn_small,
    "unet": unet,
    "unet_plain": unet_plain,
    "unet_64": unet_64,
    "segnet": segnet,
    "segnet_small": segnet_small,
    "deconvnet": deconvnet,
    "deconvnet_small": deconvnet_small,
    "dilated_hybrid": dilated_hybrid,
    "dilated_uniform": dilated_uniform,
    "full_resolution": full_resolution,
    "pixel_classifier": pixel_classifier,
    "fcn32s": fcn32s,
    "fcn16s": fcn16s,
    "fcn8s": fcn8s,
    "fcn_resnet50": fcn_resnet50,
    "fcn_resnet101": fcn_resnet101,
    "deeplabv3_resnet50": deeplabv3_resnet50,
    "deeplabv3_resnet101": deeplabv3_resnet101,
}

# name -> the backbone it has unless told; "" is an encoder of its own. Only these take one
BACKBONES: dict[str, str] = {
    "unet": "",
    "unet_plain": "",
    "fcn32s": "resnet18",
    "fcn16s": "resnet18",
    "fcn8s": "resnet18",
}

# name -> auxiliary heads: in training `outputs` of the network has `auxiliary` beside the logits
AUXILIARY_HEADS: dict[str, int] = dict.fromkeys(
    ("fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101"), 1
)


def build(name: str, n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """A fresh segmenter on a backbone of the zoo; "" is its usual one, and what all others have."""
    make = MODELS[name]
    return make(n_classes, channels, image_size, backbone) if backbone else make(n_classes, channels, image_size)
