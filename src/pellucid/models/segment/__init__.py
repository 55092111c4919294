"""Segmenters: `(N, C, H, W)` standardised pixels -> `(N, K, H, W)` logits, one a pixel and class."""

from collections.abc import Callable

from torch import nn

from pellucid.models.segment.deeplabv3 import deeplabv3_resnet50, deeplabv3_resnet101
from pellucid.models.segment.fcn import fcn8s, fcn16s, fcn32s
from pellucid.models.segment.fcn_resnet import fcn_resnet50, fcn_resnet101
from pellucid.models.segment.fcn_small import fcn_small

# name -> (n_classes, channels, image_size, backbone="") -> network. The backbone is a network of the zoo whose feature
# maps are used, "" is the segmenter's usual one; networks that are made of one piece take no such argument.
MODELS: dict[str, Callable[..., nn.Module]] = {
    "fcn_small": fcn_small,
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
    "fcn32s": "resnet18",
    "fcn16s": "resnet18",
    "fcn8s": "resnet18",
}

# name -> auxiliary heads: in training `outputs` of the network has `auxiliary` beside the logits
AUXILIARY_HEADS: dict[str, int] = dict.fromkeys(
    ("fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101"), 1
)
