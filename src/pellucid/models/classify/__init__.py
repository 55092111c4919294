"""Classifiers: `(N, C, H, W)` standardised pixels -> `(N, K)` logits."""

from collections.abc import Callable

from torch import nn

from pellucid.models.classify.convnet import convnet
from pellucid.models.classify.linear import linear
from pellucid.models.classify.mlp import mlp
from pellucid.models.classify.resnet import resnet18

# name -> (n_classes, channels, image_size) -> network
MODELS: dict[str, Callable[[int, int, tuple[int, int]], nn.Module]] = {
    "linear": linear,
    "mlp": mlp,
    "convnet": convnet,
    "resnet18": resnet18,
}
