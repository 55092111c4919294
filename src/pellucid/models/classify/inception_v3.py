"""Inception v3, "Rethinking the Inception Architecture" (https://arxiv.org/abs/1512.00567), as torchvision has it.

Large kernels are factorised: a 5x5 is two 3x3, a 7x7 is a 1x7 and a 7x1 in sequence, and at the end a 3x3 is a 1x3
and a 3x1 side by side. Where the map shrinks, a convolution of stride 2 and a pooling stand side by side, so that
nothing is squeezed through a bottleneck. Names, shapes and arithmetic are torchvision's, so that published weights
load with `strict=True`; they were trained on pixels scaled to [-1, 1]: (x - 0.5) / 0.5.

Differences from the paper: one auxiliary head has batch norm throughout, and the first 5x5 branch of each early
module is a real 5x5, as in the published weights. Weights are drawn after He.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.classify.inception_unit import HEAD_STD, ConvUnit
from pellucid.models.classify.stem import require_size
from pellucid.nn.initialise import initialise, start_small

LEAST = 75  # px; the map is then a single cell at the end


class InceptionA(nn.Module):
    """1x1, 5x5, two 3x3, and a pooling: (N, c_in, h, w) -> (N, 224 + pooled, h, w)."""

    def __init__(self, c_in: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = ConvUnit(c_in, 64)
        self.branch5x5_1 = ConvUnit(c_in, 48)
        self.branch5x5_2 = ConvUnit(48, 64, 5)
        self.branch3x3dbl_1 = ConvUnit(c_in, 64)
        self.branch3x3dbl_2 = ConvUnit(64, 96, 3)
        self.branch3x3dbl_3 = ConvUnit(96, 96, 3)
        self.branch_pool = ConvUnit(c_in, pooled)

    def forward(self, x: Tensor) -> Tensor:
        five = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, double, self.branch_pool(_average(x))], 1)


class InceptionB(nn.Module):
    """Halves the map: (N, c_in, h, w) -> (N, 480 + c_in, (h - 1) // 2, (w - 1) // 2)."""

    def __init__(self, c_in: int) -> None:
        super().__init__()
        self.branch3x3 = ConvUnit(c_in, 384, 3, stride=2, same=False)
        self.branch3x3dbl_1 = ConvUnit(c_in, 64)
        self.branch3x3dbl_2 = ConvUnit(64, 96, 3)
        self.branch3x3dbl_3 = ConvUnit(96, 96, 3, stride=2, same=False)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, stride=2)], 1)


class InceptionC(nn.Module):
    """Factorised 7x7, once and twice: (N, c_in, h, w) -> (N, 768, h, w).

    Args:
        c_in: feature maps before it.
        c_7x7: feature maps between the parts of a 7x7.
    """

    def __init__(self, c_in: int, c_7x7: int) -> None:
        super().__init__()
        self.branch1x1 = ConvUnit(c_in, 192)
        self.branch7x7_1 = ConvUnit(c_in, c_7x7)
        self.branch7x7_2 = ConvUnit(c_7x7, c_7x7, (1, 7))
        self.branch7x7_3 = ConvUnit(c_7x7, 192, (7, 1))
        self.branch7x7dbl_1 = ConvUnit(c_in, c_7x7)
        self.branch7x7dbl_2 = ConvUnit(c_7x7, c_7x7, (7, 1))
        self.branch7x7dbl_3 = ConvUnit(c_7x7, c_7x7, (1, 7))
        self.branch7x7dbl_4 = ConvUnit(c_7x7, c_7x7, (7, 1))
        self.branch7x7dbl_5 = ConvUnit(c_7x7, 192, (1, 7))
        self.branch_pool = ConvUnit(c_in, 192)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(_average(x))], 1)


class InceptionD(nn.Module):
    """Halves the map: (N, c_in, h, w) -> (N, 512 + c_in, (h - 1) // 2, (w - 1) // 2)."""

    def __init__(self, c_in: int) -> None:
        super().__init__()
        self.branch3x3_1 = ConvUnit(c_in, 192)
        self.branch3x3_2 = ConvUnit(192, 320, 3, stride=2, same=False)
        self.branch7x7x3_1 = ConvUnit(c_in, 192)
        self.branch7x7x3_2 = ConvUnit(192, 192, (1, 7))
        self.branch7x7x3_3 = ConvUnit(192, 192, (7, 1))
        self.branch7x7x3_4 = ConvUnit(192, 192, 3, stride=2, same=False)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        three = self.branch3x3_2(self.branch3x3_1(x))
        return torch.cat([three, self.branch7x7x3_4(seven), F.max_pool2d(x, 3, stride=2)], 1)


class InceptionE(nn.Module):
    """1x3 and 3x1 side by side, for many directions at little cost: (N, c_in, h, w) -> (N, 2048, h, w)."""

    def __init__(self, c_in: int) -> None:
        super().__init__()
        self.branch1x1 = ConvUnit(c_in, 320)
        self.branch3x3_1 = ConvUnit(c_in, 384)
        self.branch3x3_2a = ConvUnit(384, 384, (1, 3))
        self.branch3x3_2b = ConvUnit(384, 384, (3, 1))
        self.branch3x3dbl_1 = ConvUnit(c_in, 448)
        self.branch3x3dbl_2 = ConvUnit(448, 384, 3)
        self.branch3x3dbl_3a = ConvUnit(384, 384, (1, 3))
        self.branch3x3dbl_3b = ConvUnit(384, 384, (3, 1))
        self.branch_pool = ConvUnit(c_in, 192)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        parts = [self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three)]
        parts += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return torch.cat([*parts, self.branch_pool(_average(x))], 1)


class AuxiliaryHead(nn.Module):
    """A small classifier below the last reduction; its 5x5 convolution sees the whole averaged map."""

    def __init__(self, c_in: int, n_classes: int) -> None:
        super().__init__()
        self.conv0 = ConvUnit(c_in, 128)
        self.conv1 = ConvUnit(128, 768, 5, same=False)
        self.fc = nn.Linear(768, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, K) logits; any h and w."""
        if min(x.shape[2:]) >= 17 and x.shape[0] > 1:
            x = F.avg_pool2d(x, 5, stride=3)  # (N, c_in, 5, 5) at 299 px
        else:
            x = F.adaptive_avg_pool2d(x, 6)  # one more than the kernel: the norm needs two values, even of one picture
        x = self.conv1(self.conv0(x))  # (N, 768, 1, 1) at 299 px
        return self.fc(x.mean((2, 3)))


class InceptionV3(nn.Module):
    """A stem of plain convolutions, eleven modules in three sizes, one linear layer.

    Args:
        n_classes: K.
        channels: C.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = ConvUnit(channels, 32, 3, stride=2, same=False)
        self.Conv2d_2a_3x3 = ConvUnit(32, 32, 3, same=False)
        self.Conv2d_2b_3x3 = ConvUnit(32, 64, 3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2)
        self.Conv2d_3b_1x1 = ConvUnit(64, 80)
        self.Conv2d_4a_3x3 = ConvUnit(80, 192, 3, same=False)
        self.maxpool2 = nn.MaxPool2d(3, stride=2)
        self.Mixed_5b = InceptionA(192, pooled=32)
        self.Mixed_5c = InceptionA(256, pooled=64)
        self.Mixed_5d = InceptionA(288, pooled=64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, c_7x7=128)
        self.Mixed_6c = InceptionC(768, c_7x7=160)
        self.Mixed_6d = InceptionC(768, c_7x7=160)
        self.Mixed_6e = InceptionC(768, c_7x7=192)
        self.AuxLogits = AuxiliaryHead(768, n_classes)
        self.Mixed_7a = InceptionD(768)
        self.Mixed_7b = InceptionE(1280)
        self.Mixed_7c = InceptionE(2048)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(2048, n_classes)
        initialise(self, "fan_in")
        start_small(self.fc, HEAD_STD)
        start_small(self.AuxLogits.fc, HEAD_STD)

    def outputs(self, x: Tensor) -> dict[str, Tensor]:
        """(N, C, H, W) -> `logits` (N, K), and in training `auxiliary1` (N, K)."""
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))  # (N, 64, 147, 147) at 299 px
        x = self.maxpool1(x)  # (N, 64, 73, 73)
        x = self.maxpool2(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))  # (N, 192, 35, 35)
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))  # (N, 288, 35, 35)
        x = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))  # (N, 768, 17, 17)
        middle = self.Mixed_6e(self.Mixed_6d(x))  # (N, 768, 17, 17)
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(middle)))  # (N, 2048, 8, 8)
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        heads = {"auxiliary1": self.AuxLogits(middle)} if self.training else {}
        return {"logits": logits, **heads}

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; sides of 75 px or more."""
        return self.outputs(x)["logits"]


def _average(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1)  # zeros at the border count, as where the weights were trained


def inception_v3(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """Inception v3: factorised kernels; for 299 px, from 75 px; one auxiliary head in training."""
    require_size("inception_v3", image_size, LEAST)
    return InceptionV3(n_classes, channels)
