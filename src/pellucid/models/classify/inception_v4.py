"""Inception v4, "Inception-v4, Inception-ResNet and the Impact of Residual Connections" (arXiv:1602.07261), figure 9.

https://arxiv.org/abs/1602.07261. Names and shapes are timm's, so that its weights load with `strict=True`; they were
trained on pixels scaled to [-1, 1]: (x - 0.5) / 0.5. Weights are drawn after He.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

import torch
from torch import Tensor, nn

from pellucid.models.classify.inception_unit import HEAD_STD, Branches, ConvUnit, chain, pooled
from pellucid.models.classify.stem import require_size
from pellucid.nn.initialise import initialise, start_small

LEAST = 75  # px; the map is then a single cell at the end


def stem_parts() -> list[nn.Module]:
    """The three forks of the stem: (N, 64, h, w) -> (N, 384, about h/4, w/4)."""
    return [
        Branches({"maxpool": nn.MaxPool2d(3, stride=2), "conv": chain(64, (96, 3), shrink=True)}),  # 160 maps
        Branches(
            {
                "branch0": chain(160, (64, 1), (96, 3), cut=True),
                "branch1": chain(160, (64, 1), (64, (1, 7)), (64, (7, 1)), (96, 3), cut=True),
            }
        ),  # 192 maps
        Branches({"conv": chain(192, (192, 3), shrink=True), "maxpool": nn.MaxPool2d(3, stride=2)}),  # 384 maps
    ]


def inception_a() -> Branches:
    """(N, 384, h, w) -> (N, 384, h, w)."""
    return Branches(
        {
            "branch0": chain(384, (96, 1)),
            "branch1": chain(384, (64, 1), (96, 3)),
            "branch2": chain(384, (64, 1), (96, 3), (96, 3)),
            "branch3": pooled(384, 96),
        }
    )


def reduction_a() -> Branches:
    """(N, 384, h, w) -> (N, 1024, (h - 1) // 2, (w - 1) // 2)."""
    return Branches(
        {
            "branch0": chain(384, (384, 3), shrink=True),
            "branch1": chain(384, (192, 1), (224, 3), (256, 3), shrink=True),
            "branch2": nn.MaxPool2d(3, stride=2),
        }
    )


def inception_b() -> Branches:
    """A 7x7 as 1x7 and 7x1, once and twice: (N, 1024, h, w) -> (N, 1024, h, w)."""
    return Branches(
        {
            "branch0": chain(1024, (384, 1)),
            "branch1": chain(1024, (192, 1), (224, (1, 7)), (256, (7, 1))),
            "branch2": chain(1024, (192, 1), (192, (7, 1)), (224, (1, 7)), (224, (7, 1)), (256, (1, 7))),
            "branch3": pooled(1024, 128),
        }
    )


def reduction_b() -> Branches:
    """(N, 1024, h, w) -> (N, 1536, (h - 1) // 2, (w - 1) // 2)."""
    return Branches(
        {
            "branch0": chain(1024, (192, 1), (192, 3), shrink=True),
            "branch1": chain(1024, (256, 1), (256, (1, 7)), (320, (7, 1)), (320, 3), shrink=True),
            "branch2": nn.MaxPool2d(3, stride=2),
        }
    )


class InceptionC(nn.Module):
    """1x3 and 3x1 side by side at the end of two branches: (N, 1536, h, w) -> (N, 1536, h, w)."""

    def __init__(self) -> None:
        super().__init__()
        self.branch0 = ConvUnit(1536, 256)
        self.branch1_0 = ConvUnit(1536, 384)
        self.branch1_1a = ConvUnit(384, 256, (1, 3))
        self.branch1_1b = ConvUnit(384, 256, (3, 1))
        self.branch2_0 = ConvUnit(1536, 384)
        self.branch2_1 = ConvUnit(384, 448, (3, 1))
        self.branch2_2 = ConvUnit(448, 512, (1, 3))
        self.branch2_3a = ConvUnit(512, 256, (1, 3))
        self.branch2_3b = ConvUnit(512, 256, (3, 1))
        self.branch3 = pooled(1536, 256)

    def forward(self, x: Tensor) -> Tensor:
        one = self.branch1_0(x)  # (N, 384, h, w)
        two = self.branch2_2(self.branch2_1(self.branch2_0(x)))  # (N, 512, h, w)
        parts = [self.branch0(x), self.branch1_1a(one), self.branch1_1b(one)]
        return torch.cat([*parts, self.branch2_3a(two), self.branch2_3b(two), self.branch3(x)], 1)


class InceptionV4(nn.Module):
    """A forked stem, then 4, 7 and 3 modules in three sizes, one linear layer.

    Args:
        n_classes: K.
        channels: C.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            ConvUnit(channels, 32, 3, stride=2, same=False),
            ConvUnit(32, 32, 3, same=False),
            ConvUnit(32, 64, 3),  # (N, 64, 147, 147) at 299 px
            *stem_parts(),  # (N, 384, 35, 35)
            *(inception_a() for _ in range(4)),
            reduction_a(),  # (N, 1024, 17, 17)
            *(inception_b() for _ in range(7)),
            reduction_b(),  # (N, 1536, 8, 8)
            *(InceptionC() for _ in range(3)),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.last_linear = nn.Linear(1536, n_classes)
        initialise(self, "fan_in")
        start_small(self.last_linear, HEAD_STD)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; sides of 75 px or more."""
        x = self.avgpool(self.features(x)).flatten(1)  # (N, 1536)
        return self.last_linear(self.dropout(x))


def inception_v4(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """Inception v4: one pattern of module for each size; for 299 px, from 75 px."""
    require_size("inception_v4", image_size, LEAST)
    return InceptionV4(n_classes, channels)
