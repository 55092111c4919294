"""DeepLab v3: a dilated ResNet whose last map is seen at several rates at once, and as a whole.

Chen et al. 2017, "Rethinking Atrous Convolution for Semantic Image Segmentation" (https://arxiv.org/abs/1706.05587).
torchvision's form: output stride 8 with rates 12, 24 and 36, no multi-grid, one more 3x3 convolution before the
scores, and an auxiliary head. Differences: see `resnet_segmenter.py`; and a batch of one picture trains, see
`ImageMean`.

Letters: N pictures, M maps, F maps of a branch, h x w cells of a map.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.segment.resnet_segmenter import ResNetSegmenter

WIDTH = 2048  # of the last map of bottlenecks
BRANCH = 256
RATES = (12, 24, 36)


class ImageMean(nn.Sequential):
    """The mean over the whole map, convolved, laid under every cell.

    With one picture it is one number a map, of which batch norm has no deviation: it then takes its running
    statistics in training, too.
    """

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, M, h, w) -> (N, F, h, w)."""
        pool, conv, norm, relu = self
        mean = conv(pool(x))  # (N, F, 1, 1)
        if self.training and x.shape[0] == 1:
            norm = cast(nn.BatchNorm2d, norm)
            mean = F.batch_norm(mean, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
        else:
            mean = norm(mean)
        return F.interpolate(relu(mean), size=x.shape[-2:], mode="bilinear", align_corners=False)


class Aspp(nn.Module):
    """Atrous spatial pyramid pooling: five views of a map side by side, mixed by a 1x1 convolution.

    Args:
        c_in: M.
        rates: dilation of the 3x3 convolutions; beside them are a 1x1 one and the mean over the map.
        width: F.
    """

    def __init__(self, c_in: int, rates: tuple[int, ...] = RATES, width: int = BRANCH) -> None:
        super().__init__()
        self.convs = nn.ModuleList([_conv(c_in, width)])
        self.convs.extend(_conv(c_in, width, rate) for rate in rates)
        self.convs.append(ImageMean(c_in, width))
        self.project = _conv(len(self.convs) * width, width)
        self.project.append(nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """(N, M, h, w) -> (N, F, h, w)."""
        return self.project(torch.cat([conv(x) for conv in self.convs], 1))


def _conv(c_in: int, c_out: int, rate: int = 0) -> nn.Sequential:
    """Convolution, norm and ReLU: 3x3 at this rate, or 1x1 at rate 0."""
    conv = nn.Conv2d(c_in, c_out, 3 if rate else 1, padding=rate, dilation=max(rate, 1), bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU())


def _head(n_classes: int) -> nn.Sequential:
    return nn.Sequential(
        Aspp(WIDTH),
        nn.Conv2d(BRANCH, BRANCH, 3, padding=1, bias=False),
        nn.BatchNorm2d(BRANCH),
        nn.ReLU(),
        nn.Conv2d(BRANCH, n_classes, 1),
    )


def deeplabv3_resnet50(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """DeepLab v3 on ResNet-50 at stride 8; 42 M parameters."""
    return ResNetSegmenter("resnet50", n_classes, channels, image_size, _head(n_classes))


def deeplabv3_resnet101(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """DeepLab v3 on ResNet-101 at stride 8; 61 M parameters."""
    return ResNetSegmenter("resnet101", n_classes, channels, image_size, _head(n_classes))
