"""torchvision's FCN: a dilated ResNet and a small head, no skips; its published weights load.

After Long et al. 2015 (https://arxiv.org/abs/1411.4038), of which it keeps the score of every place; that the last two
stages dilate instead of halving the size is from Chen et al. 2015 (https://arxiv.org/abs/1412.7062). For the paper's
skips see `fcn.py`.
"""

from torch import nn

from pellucid.models.segment.resnet_segmenter import ResNetSegmenter, fcn_head

WIDTH = 2048  # of the last map of bottlenecks


def fcn_resnet50(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-50 at stride 8 with a head of two convolutions; 35 M parameters."""
    return ResNetSegmenter("resnet50", n_classes, channels, image_size, fcn_head(WIDTH, n_classes))


def fcn_resnet101(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-101 at stride 8 with a head of two convolutions; 54 M parameters."""
    return ResNetSegmenter("resnet101", n_classes, channels, image_size, fcn_head(WIDTH, n_classes))
