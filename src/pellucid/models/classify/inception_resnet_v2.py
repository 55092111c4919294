"""Inception-ResNet v2, "Inception-v4, Inception-ResNet and the Impact of Residual Connections" (arXiv:1602.07261).

https://arxiv.org/abs/1602.07261, as the authors published it. The branches of a module are mixed by a 1x1 convolution,
made smaller by a factor, and added to the module's input; without the factor such wide sums did not train. Names and
shapes are timm's, so that its weights load with `strict=True`; they were trained on pixels scaled to [-1, 1]:
(x - 0.5) / 0.5. Differences from the paper's figures: numbers of feature maps, as in the published weights. Weights
are drawn after He.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

import torch
from torch import Tensor, nn

from pellucid.models.classify.inception_unit import HEAD_STD, Branches, ConvUnit, chain, pooled
from pellucid.models.classify.stem import require_size
from pellucid.nn.blocks.stochastic_depth import ResidualBranch
from pellucid.nn.initialise import initialise, start_small

LEAST = 75  # px; the map is then a single cell at the end


class InceptionResidual(ResidualBranch):
    """relu(x + scale · mix(branches(x))): (N, channels, h, w) -> the same shape.

    Args:
        channels: feature maps of x.
        branches: the parts, each of which sees x.
        inside: feature maps of all branches together.
        scale: of what is added.
        last_relu: whether the sum passes a ReLU.
    """

    def __init__(
        self, channels: int, branches: dict[str, nn.Module], inside: int, scale: float, last_relu: bool = True
    ) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)
        self.names = tuple(branches)
        self.conv2d = nn.Conv2d(inside, channels, 1)
        self.relu = nn.ReLU(inplace=True) if last_relu else nn.Identity()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        inside = torch.cat([self.get_submodule(name)(x) for name in self.names], 1)  # (N, inside, h, w)
        return self.relu(x + self.kept(self.scale * self.conv2d(inside)))

    def extra_repr(self) -> str:
        return f"scale={self.scale}"


def block_35() -> InceptionResidual:
    """For maps of 35x35 (at 299 px): (N, 320, h, w) -> the same shape."""
    branches = {
        "branch0": chain(320, (32, 1)),
        "branch1": chain(320, (32, 1), (32, 3)),
        "branch2": chain(320, (32, 1), (48, 3), (64, 3)),
    }
    return InceptionResidual(320, branches, 128, scale=0.17)


def block_17() -> InceptionResidual:
    """For maps of 17x17, a 7x7 as 1x7 and 7x1: (N, 1088, h, w) -> the same shape."""
    branches = {"branch0": chain(1088, (192, 1)), "branch1": chain(1088, (128, 1), (160, (1, 7)), (192, (7, 1)))}
    return InceptionResidual(1088, branches, 384, scale=0.10)


def block_8(scale: float = 0.20, last_relu: bool = True) -> InceptionResidual:
    """For maps of 8x8, a 3x3 as 1x3 and 3x1: (N, 2080, h, w) -> the same shape."""
    branches = {"branch0": chain(2080, (192, 1)), "branch1": chain(2080, (192, 1), (224, (1, 3)), (256, (3, 1)))}
    return InceptionResidual(2080, branches, 448, scale, last_relu)


def mixed_5b() -> Branches:
    """(N, 192, h, w) -> (N, 320, h, w)."""
    return Branches(
        {
            "branch0": chain(192, (96, 1)),
            "branch1": chain(192, (48, 1), (64, 5)),
            "branch2": chain(192, (64, 1), (96, 3), (96, 3)),
            "branch3": pooled(192, 64),
        }
    )


def mixed_6a() -> Branches:
    """(N, 320, h, w) -> (N, 1088, (h - 1) // 2, (w - 1) // 2)."""
    return Branches(
        {
            "branch0": chain(320, (384, 3), shrink=True),
            "branch1": chain(320, (256, 1), (256, 3), (384, 3), shrink=True),
            "branch2": nn.MaxPool2d(3, stride=2),
        }
    )


def mixed_7a() -> Branches:
    """(N, 1088, h, w) -> (N, 2080, (h - 1) // 2, (w - 1) // 2)."""
    return Branches(
        {
            "branch0": chain(1088, (256, 1), (384, 3), shrink=True),
            "branch1": chain(1088, (256, 1), (288, 3), shrink=True),
            "branch2": chain(1088, (256, 1), (288, 3), (320, 3), shrink=True),
            "branch3": nn.MaxPool2d(3, stride=2),
        }
    )


class InceptionResNetV2(nn.Module):
    """A stem of plain convolutions, then 10, 20 and 10 residual modules in three sizes, one linear layer.

    Args:
        n_classes: K.
        channels: C.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int) -> None:
        super().__init__()
        self.conv2d_1a = ConvUnit(channels, 32, 3, stride=2, same=False)
        self.conv2d_2a = ConvUnit(32, 32, 3, same=False)
        self.conv2d_2b = ConvUnit(32, 64, 3)
        self.maxpool_3a = nn.MaxPool2d(3, stride=2)
        self.conv2d_3b = ConvUnit(64, 80)
        self.conv2d_4a = ConvUnit(80, 192, 3, same=False)
        self.maxpool_5a = nn.MaxPool2d(3, stride=2)
        self.mixed_5b = mixed_5b()
        self.repeat = nn.Sequential(*(block_35() for _ in range(10)))
        self.mixed_6a = mixed_6a()
        self.repeat_1 = nn.Sequential(*(block_17() for _ in range(20)))
        self.mixed_7a = mixed_7a()
        self.repeat_2 = nn.Sequential(*(block_8() for _ in range(9)))
        self.block8 = block_8(scale=1.0, last_relu=False)
        self.conv2d_7b = ConvUnit(2080, 1536)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.classif = nn.Linear(1536, n_classes)
        initialise(self, "fan_in")
        start_small(self.classif, HEAD_STD)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; sides of 75 px or more."""
        x = self.maxpool_3a(self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(x))))  # (N, 64, 73, 73) at 299 px
        x = self.maxpool_5a(self.conv2d_4a(self.conv2d_3b(x)))  # (N, 192, 35, 35)
        x = self.repeat(self.mixed_5b(x))  # (N, 320, 35, 35)
        x = self.repeat_1(self.mixed_6a(x))  # (N, 1088, 17, 17)
        x = self.block8(self.repeat_2(self.mixed_7a(x)))  # (N, 2080, 8, 8)
        x = self.avgpool(self.conv2d_7b(x)).flatten(1)  # (N, 1536)
        return self.classif(self.dropout(x))


def inception_resnet_v2(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """Inception-ResNet v2: Inception branches as residuals; for 299 px, from 75 px."""
    require_size("inception_resnet_v2", image_size, LEAST)
    return InceptionResNetV2(n_classes, channels)
