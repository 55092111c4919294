"""SSD300 on VGG-16 as torchvision has it, tensor by tensor and number by number.

Liu et al. 2015, "SSD" (https://arxiv.org/abs/1512.02325), in the form of https://github.com/pytorch/vision
(BSD-3-Clause), whose published COCO weights it takes. The backbone is VGG-16 up to its fourth stage, whose map is
brought to one length at every place and scaled (Liu et al. 2015, "ParseNet", https://arxiv.org/abs/1506.04579); the
fifth stage with its fully connected layers as dilated convolutions; and four steps to ever coarser maps.

Letters: N pictures, C channels, H x W pixels, K classes (torchvision counts the background as one more), M feature
maps, h x w cells of a map.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.classify.vgg import DEPTHS, conv_stages
from pellucid.models.detect.found import Limits
from pellucid.models.detect.ssd import Ssd
from pellucid.nn.initialise import initialise

SIDE = 300  # px of the pictures it was made for
WIDTHS = {8: 512, 16: 1024, 32: 512, 64: 256, 100: 256, 300: 256}  # step in pixels -> M
SCALES = (0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05)
RATIOS = ((2.0,), (2.0, 3.0), (2.0, 3.0), (2.0, 3.0), (2.0,), (2.0,))
CANDIDATES = 400
LIMITS = Limits(score=0.01, iou=0.45, most=200)
STAGE_4, STAGE_5 = 23, 30  # of VGG's layers, the poolings that end its fourth and fifth stage
LENGTH = 20.0  # of the features at a place of the finest map, before training


class Vgg16Maps(nn.Module):
    """Six maps; names are torchvision's.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers = list(conv_stages(channels, DEPTHS[16], norm=False))
        poolings = [layer for layer in layers if isinstance(layer, nn.MaxPool2d)]
        poolings[2].ceil_mode = True  # 38 x 38 cells as in the paper
        self.scale_weight = nn.Parameter(torch.full((WIDTHS[8],), LENGTH))
        self.features = nn.Sequential(*layers[:STAGE_4])
        hidden = nn.Sequential(  # VGG's fully connected layers, every third of whose weights would be kept
            nn.MaxPool2d(3, 1, 1),
            nn.Conv2d(512, 1024, 3, padding=6, dilation=6),
            nn.ReLU(),
            nn.Conv2d(1024, 1024, 1),
            nn.ReLU(),
        )
        self.extra = nn.ModuleList(
            [
                nn.Sequential(*layers[STAGE_4:STAGE_5], hidden),
                _coarser(1024, 256, 512, stride=2),
                _coarser(512, 128, 256, stride=2),
                _coarser(256, 128, 256, stride=1),
                _coarser(256, 128, 256, stride=1),
            ]
        )
        initialise(self.features, "fan_in")
        initialise(self.extra, "fan_in")

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, C, H, W) -> (N, M, h, w) of each step, finest first."""
        x = self.features(x)
        maps = [F.normalize(x) * self.scale_weight[:, None, None]]
        for number, stage in enumerate(self.extra):
            x = stage(x if number < 3 else _at_least(x, 3))
            maps.append(x)
        return maps


def _at_least(x: Tensor, cells: int) -> Tensor:
    """Maps of small pictures, with zeros below and to the right, so that a convolution without padding fits."""
    down, right = (max(0, cells - side) for side in x.shape[-2:])
    return F.pad(x, (0, right, 0, down)) if down or right else x


def _coarser(c_in: int, c_mid: int, c_out: int, stride: int) -> nn.Sequential:
    """Half the sides; or, where a map is small, two cells less."""
    reduce = nn.Conv2d(c_mid, c_out, 3, stride, padding=1 if stride == 2 else 0)
    return nn.Sequential(nn.Conv2d(c_in, c_mid, 1), nn.ReLU(), reduce, nn.ReLU())


def ssd300_vgg16(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """35,641,826 parameters for COCO's 90 classes; pictures of any size, best of 300 x 300 pixels."""
    return Ssd(n_classes, Vgg16Maps(channels), WIDTHS, SCALES, SIDE, RATIOS, CANDIDATES, LIMITS)
