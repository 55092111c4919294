"""ResNet-50 whose norms stand still, which published detectors read. Letters: C channels."""

from pellucid.models.backbones import Backbone
from pellucid.models.backbones import backbone as zoo_backbone
from pellucid.nn.normalisation.frozen import FrozenBatchNorm2d, freeze_norms

WHOLE = 32  # sides of pictures are filled up to a multiple of this many pixels
RESIDUAL_SHARE = 0.25  # of what a fresh block adds: without norms at work, sums would double with every block


def frozen_resnet50(channels: int, image_size: tuple[int, int]) -> Backbone:
    """ResNet-50 without its head, whose norms stand still.

    The stem is that for large pictures whatever the size is: published weights have no other.
    """
    large = (max(image_size[0], 224), max(image_size[1], 224))
    body = zoo_backbone("resnet50", channels, large)
    freeze_norms(body, eps=0.0)
    for name, module in body.named_modules():
        if isinstance(module, FrozenBatchNorm2d) and name.endswith("bn3"):
            module.weight.fill_(RESIDUAL_SHARE)
    return body
