"""VGG: nothing but 3x3 convolutions, two or more between poolings.

Simonyan and Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image Recognition"
(https://arxiv.org/abs/1409.1556), columns A, B, D and E of table 1. Channels double from stage to stage up to
512, and stay there: not after the fourth pooling. Three quarters (74.27 %) of VGG-16's parameters are the first
fully connected layer, while most of its activations are in the first two stages.

With the ImageNet head names and shapes are torchvision's. Differences from the paper: the `_bn` entries put batch
norm before each ReLU; weights start as He et al. 2015 has it, where the paper started from a trained smaller net;
the last layer starts small, so that the first loss is ln K. Pictures up to 64 px get a form of their own, as a
4,096-wide head on the single cell they end in would be most of the network, for nothing: no last pooling, the mean
over the map, fully connected layers of 512, and poolings that round up, so that 28 px end in 2x2 cells.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

import torch
from torch import Tensor, nn

from pellucid.models.classify.stem import is_small, require_size, stem_notes
from pellucid.nn.initialise import blank_linear, initialise, start_small

LEAST = 16  # px of a side that four poolings leave one cell of
CHANNELS = (64, 128, 256, 512, 512)  # of each stage
DEPTHS: dict[int, tuple[int, int, int, int, int]] = {  # layers with weights -> convolutions of each stage
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


def conv_stages(
    channels: int, depths: tuple[int, int, int, int, int], norm: bool = False, round_up: bool = False
) -> nn.Sequential:
    """Convolutions and ReLUs in five stages, each ended by a pooling: (N, C, H, W) -> (N, 512, H/32, W/32).

    Args:
        channels: C.
        depths: convolutions of each stage.
        norm: batch norm before each ReLU.
        round_up: poolings keep a last odd row or column.
    """
    layers: list[nn.Module] = []
    c_in = channels
    for depth, c_out in zip(depths, CHANNELS, strict=True):
        for _ in range(depth):
            layers.append(nn.Conv2d(c_in, c_out, 3, padding=1))
            layers += [nn.BatchNorm2d(c_out)] if norm else []
            layers.append(nn.ReLU(inplace=True))
            c_in = c_out
        layers.append(nn.MaxPool2d(2, stride=2, ceil_mode=round_up))
    return nn.Sequential(*layers)


class Vgg(nn.Module):
    """Five stages of 3x3 convolutions, each but perhaps the last ended by a 2x2 pooling; three fully connected layers.

    Args:
        n_classes: K.
        channels: C.
        depths: convolutions of each stage.
        norm: batch norm before each ReLU.
        small_head: for small pictures: no last pooling, others round up, the mean over the map, and layers of 512
            instead of 4,096.
        dropout: share of the outputs of the first two fully connected layers that training drops.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        n_classes: int,
        channels: int,
        depths: tuple[int, int, int, int, int],
        norm: bool = False,
        small_head: bool = False,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        layers, c_in = conv_stages(channels, depths, norm, round_up=small_head), CHANNELS[-1]
        cells, width = (1, 512) if small_head else (7, 4096)
        self.features = layers[:-1] if small_head else layers
        self.avgpool = nn.AdaptiveAvgPool2d(cells)  # of 7 cells, changes nothing at 224 px
        last = nn.Linear(width, n_classes)
        self.classifier = nn.Sequential(
            blank_linear(c_in * cells * cells, width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            blank_linear(width, width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            last,
        )
        initialise(self, "fan_in")
        start_small(last, std=0.005 if small_head else 0.0005)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; H and W of 32 or more, of 16 with the small head."""
        x = self.features(x)  # (N, 512, H/32, W/32), or H/16, W/16 with the small head
        x = torch.flatten(self.avgpool(x), 1)  # (N, 25088), or 512
        return self.classifier(x)  # (N, K)


def _build(
    name: str, n_classes: int, channels: int, image_size: tuple[int, int], layers: int, norm: bool = False
) -> nn.Module:
    require_size(name, image_size, LEAST)
    model = Vgg(n_classes, channels, DEPTHS[layers], norm, is_small(image_size))
    model.notes = tuple(
        note.replace("stem", "head")
        for note in stem_notes(image_size, "no last pooling, mean over the map, 512 wide", "7x7 cells, 4096 wide")
    )
    return model


def vgg11(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """VGG-11 (column A): 8 convolutions, 3 fully connected layers; from 16 px."""
    return _build("vgg11", n_classes, channels, image_size, 11)


def vgg11_bn(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """VGG-11 with batch norm; from 16 px."""
    return _build("vgg11_bn", n_classes, channels, image_size, 11, norm=True)


def vgg13(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """VGG-13 (column B): 10 convolutions, 3 fully connected layers; from 16 px."""
    return _build("vgg13", n_classes, channels, image_size, 13)


def vgg13_bn(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """VGG-13 with batch norm; from 16 px."""
    return _build("vgg13_bn", n_classes, channels, image_size, 13, norm=True)


def vgg16(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """VGG-16 (column D): 13 convolutions, 3 fully connected layers; from 16 px."""
    return _build("vgg16", n_classes, channels, image_size, 16)


def vgg16_bn(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """VGG-16 with batch norm; from 16 px."""
    return _build("vgg16_bn", n_classes, channels, image_size, 16, norm=True)


def vgg19(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """VGG-19 (column E): 16 convolutions, 3 fully connected layers; from 16 px."""
    return _build("vgg19", n_classes, channels, image_size, 19)


def vgg19_bn(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """VGG-19 with batch norm; from 16 px."""
    return _build("vgg19_bn", n_classes, channels, image_size, 19, norm=True)
