"""Classifiers: `(N, C, H, W)` standardised pixels -> `(N, K)` logits."""

from collections.abc import Callable

from torch import nn

from pellucid.models.classify.convnet import convnet
from pellucid.models.classify.googlenet import googlenet, googlenet_paper
from pellucid.models.classify.inception_resnet_v2 import inception_resnet_v2
from pellucid.models.classify.inception_v3 import inception_v3
from pellucid.models.classify.inception_v4 import inception_v4
from pellucid.models.classify.linear import linear
from pellucid.models.classify.mlp import mlp
from pellucid.models.classify.resnet import (
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnext50_32x4d,
    resnext101_32x8d,
    wide_resnet50_2,
    wide_resnet101_2,
)

# name -> (n_classes, channels, image_size) -> network
MODELS: dict[str, Callable[[int, int, tuple[int, int]], nn.Module]] = {
    "linear": linear,
    "mlp": mlp,
    "convnet": convnet,
    "googlenet": googlenet,
    "googlenet_paper": googlenet_paper,
    "inception_v3": inception_v3,
    "inception_v4": inception_v4,
    "inception_resnet_v2": inception_resnet_v2,
    "resnet18": resnet18,
    "resnet34": resnet34,
    "resnet50": resnet50,
    "resnet101": resnet101,
    "resnet152": resnet152,
    "wide_resnet50_2": wide_resnet50_2,
    "wide_resnet101_2": wide_resnet101_2,
    "resnext50_32x4d": resnext50_32x4d,
    "resnext101_32x8d": resnext101_32x8d,
}

# name -> auxiliary heads: in training `outputs` of the network has auxiliary1, auxiliary2, ... beside the logits
AUXILIARY_HEADS: dict[str, int] = {"googlenet": 2, "googlenet_paper": 2, "inception_v3": 1}
