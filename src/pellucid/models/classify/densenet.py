"""DenseNet, "Densely Connected Convolutional Networks" (https://arxiv.org/abs/1608.06993): layers see all before them.

With the ImageNet stem the names, shapes and order of all tensors are torchvision's. Differences from the paper:
the last layer starts small, so that the first loss is ln K.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map, k feature maps that each
layer adds (the growth rate).
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pellucid.models.classify.stem import RESIDUAL_STEMS, is_small, require_size, stem_notes
from pellucid.nn.initialise import initialise, start_small


class Settings(NamedTuple):
    """One row of the paper's table 1."""

    growth: int  # k
    depths: tuple[int, int, int, int]  # layers of each dense block
    stem: int  # feature maps of the first convolution


VARIANTS = {
    "densenet121": Settings(32, (6, 12, 24, 16), 64),
    "densenet161": Settings(48, (6, 12, 36, 24), 96),
    "densenet169": Settings(32, (6, 12, 32, 32), 64),
    "densenet201": Settings(32, (6, 12, 48, 32), 64),
}
BOTTLENECK = 4  # the 1x1 convolution of a layer makes 4k maps
LEAST = 8  # px; three transitions halve the small-image form to one cell


class DenseLayer(nn.Module):
    """Norm, ReLU, 1x1 convolution to 4k maps; norm, ReLU, 3x3 convolution to k maps; the input stays in front."""

    def __init__(self, c_in: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(c_in, BOTTLENECK * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(BOTTLENECK * growth)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(BOTTLENECK * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, c_in + k, h, w)."""
        new = self.conv1(self.relu1(self.norm1(x)))  # (N, 4k, h, w)
        new = self.conv2(self.relu2(self.norm2(new)))  # (N, k, h, w)
        return torch.cat((x, new), 1)


class DenseNet(nn.Module):
    """Four dense blocks with transitions between them that halve both the maps and their sides.

    Args:
        n_classes: K.
        channels: C.
        settings: growth rate, depths, stem.
        small_stem: 3x3 convolution of stride 1 instead of 7x7 of stride 2 and pooling.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, settings: Settings, small_stem: bool = False) -> None:
        super().__init__()
        kernel, stride = (3, 1) if small_stem else (7, 2)
        width = settings.stem
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False))
        self.features.add_module("norm0", nn.BatchNorm2d(width))
        self.features.add_module("relu0", nn.ReLU(inplace=True))
        self.features.add_module("pool0", nn.Identity() if small_stem else nn.MaxPool2d(3, stride=2, padding=1))
        for block, depth in enumerate(settings.depths, start=1):
            self.features.add_module(f"denseblock{block}", _dense_block(width, settings.growth, depth))
            width += depth * settings.growth
            if block < len(settings.depths):
                self.features.add_module(f"transition{block}", _transition(width))
                width //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(width))
        self.relu = nn.ReLU(inplace=True)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, n_classes)
        initialise(self, "fan_in")
        start_small(self.classifier, std=0.005)  # up to 2208 maps, four times those of a ResNet-18

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W from the smallest on."""
        x = self.relu(self.features(x))  # (N, maps, H/32, W/32), or H/8, W/8 with the small stem
        return self.classifier(self.avgpool(x).flatten(1))  # (N, K)


def _dense_block(c_in: int, growth: int, depth: int) -> nn.Sequential:
    block = nn.Sequential()
    for layer in range(depth):
        block.add_module(f"denselayer{layer + 1}", DenseLayer(c_in + layer * growth, growth))
    return block


def _transition(c_in: int) -> nn.Sequential:
    transition = nn.Sequential()
    transition.add_module("norm", nn.BatchNorm2d(c_in))
    transition.add_module("relu", nn.ReLU(inplace=True))
    transition.add_module("conv", nn.Conv2d(c_in, c_in // 2, 1, bias=False))
    transition.add_module("pool", nn.AvgPool2d(2))
    return transition


def _build(name: str, n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    require_size(name, image_size, LEAST)
    model = DenseNet(n_classes, channels, VARIANTS[name], is_small(image_size))
    model.notes = stem_notes(image_size, *RESIDUAL_STEMS)
    return model


def densenet121(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """DenseNet-121: 58 dense layers that each add 32 feature maps; 8.0 M parameters."""
    return _build("densenet121", n_classes, channels, image_size)


def densenet161(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """DenseNet-161: 78 dense layers that each add 48 feature maps; 28.7 M parameters."""
    return _build("densenet161", n_classes, channels, image_size)


def densenet169(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """DenseNet-169: 82 dense layers that each add 32 feature maps; 14.1 M parameters."""
    return _build("densenet169", n_classes, channels, image_size)


def densenet201(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """DenseNet-201: 98 dense layers that each add 32 feature maps; 20.0 M parameters."""
    return _build("densenet201", n_classes, channels, image_size)
