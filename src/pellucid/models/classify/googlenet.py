"""GoogLeNet, "Going Deeper with Convolutions" (https://arxiv.org/abs/1409.4842), as libraries have it and as printed.

Nine Inception modules: 1x1, 3x3 and 5x5 convolutions and a pooling side by side, each kept cheap by a 1x1
convolution that first shrinks the number of feature maps. No large linear layer: every map is averaged. In
training two auxiliary heads half-way up give their own logits, so that the lower layers get a gradient that has
not come all the way down.

`googlenet` has torchvision's names, shapes and arithmetic: batch norm in place of biases, 3x3 where the paper has
5x5, a last pooling of 2x2, dropout of 0.2. `googlenet_paper` has table 1 of the paper: 5x5, biases, local
response norm twice, dropout of 0.4. Weights are drawn after He, the paper does not say how. Pictures up to 64 px
get a small-image stem.

Published weights of `googlenet` were trained on pixels scaled to [-1, 1]: (x - 0.5) / 0.5.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.classify.inception_unit import HEAD_STD, Branches, ConvUnit
from pellucid.models.classify.stem import RESIDUAL_STEMS, is_small, require_size, stem_notes
from pellucid.nn.initialise import initialise, start_small

LEAST = 8  # px; the map is then a single cell after the last pooling

# feature maps of each module: 1x1; 3x3 reduced, 3x3; 5x5 reduced, 5x5; behind the pooling
WIDTHS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


@dataclass(frozen=True)
class Variant:
    """Where the common form and the paper differ.

    Attributes:
        norm: batch norm, else biases and local response norm.
        wide: kernel of the wide branch, 5 in the paper.
        last_pool: side of the fourth pooling, 3 in the paper.
        dropout: share of the averaged maps that is left out in training.
    """

    norm: bool
    wide: int
    last_pool: int
    dropout: float


VARIANTS = {
    "googlenet": Variant(norm=True, wide=3, last_pool=2, dropout=0.2),
    "googlenet_paper": Variant(norm=False, wide=5, last_pool=3, dropout=0.4),
}


def inception(c_in: int, widths: tuple[int, int, int, int, int, int], wide: int, norm: bool) -> Branches:
    """One Inception module: (N, c_in, h, w) -> (N, w0 + w2 + w4 + w5, h, w).

    Args:
        c_in: feature maps before it.
        widths: w0 to w5, as in `WIDTHS`.
        wide: kernel of the third branch.
        norm: batch norm in place of biases.
    """
    one, small, three, smaller, five, pooled = widths
    return Branches(
        {
            "branch1": ConvUnit(c_in, one, norm=norm),
            "branch2": nn.Sequential(ConvUnit(c_in, small, norm=norm), ConvUnit(small, three, 3, norm=norm)),
            "branch3": nn.Sequential(ConvUnit(c_in, smaller, norm=norm), ConvUnit(smaller, five, wide, norm=norm)),
            "branch4": nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), ConvUnit(c_in, pooled, norm=norm)),
        }
    )


class AuxiliaryHead(nn.Module):
    """A small classifier half-way up: average to 4x4, 1x1 convolution, two linear layers, dropout of 0.7."""

    def __init__(self, c_in: int, n_classes: int, norm: bool) -> None:
        super().__init__()
        self.norm = norm
        self.conv = ConvUnit(c_in, 128, norm=norm)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, K) logits; any h and w."""
        if not self.norm and all(14 <= side <= 16 for side in x.shape[2:]):
            x = F.avg_pool2d(x, 5, stride=3)  # (N, c_in, 4, 4), as printed for 224 px
        else:
            x = F.adaptive_avg_pool2d(x, 4)  # (N, c_in, 4, 4)
        x = self.conv(x).flatten(1)  # (N, 2048)
        return self.fc2(self.dropout(self.relu(self.fc1(x))))


class GoogLeNet(nn.Module):
    """Three convolutions, nine Inception modules, one linear layer; 22 layers with weights on the longest way.

    Args:
        n_classes: K.
        channels: C.
        variant: a row of `VARIANTS`.
        small_stem: 3x3 convolution of stride 1 instead of 7x7 of stride 2 and pooling.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, variant: Variant, small_stem: bool = False) -> None:
        super().__init__()
        norm = variant.norm
        self.conv1 = ConvUnit(channels, 64, *((3, 1) if small_stem else (7, 2)), norm=norm)
        self.maxpool1 = nn.Identity() if small_stem else _halve(3)
        self.lrn1 = nn.Identity() if norm else nn.LocalResponseNorm(5)
        self.conv2 = ConvUnit(64, 64, norm=norm)
        self.conv3 = ConvUnit(64, 192, 3, norm=norm)
        self.lrn2 = nn.Identity() if norm else nn.LocalResponseNorm(5)
        self.maxpool2 = _halve(3)
        self.inception3a = inception(192, WIDTHS["3a"], variant.wide, norm)
        self.inception3b = inception(256, WIDTHS["3b"], variant.wide, norm)
        self.maxpool3 = _halve(3)
        self.inception4a = inception(480, WIDTHS["4a"], variant.wide, norm)
        self.inception4b = inception(512, WIDTHS["4b"], variant.wide, norm)
        self.inception4c = inception(512, WIDTHS["4c"], variant.wide, norm)
        self.inception4d = inception(512, WIDTHS["4d"], variant.wide, norm)
        self.inception4e = inception(528, WIDTHS["4e"], variant.wide, norm)
        self.maxpool4 = _halve(variant.last_pool)
        self.inception5a = inception(832, WIDTHS["5a"], variant.wide, norm)
        self.inception5b = inception(832, WIDTHS["5b"], variant.wide, norm)
        self.aux1 = AuxiliaryHead(512, n_classes, norm)
        self.aux2 = AuxiliaryHead(528, n_classes, norm)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(variant.dropout)
        self.fc = nn.Linear(1024, n_classes)
        initialise(self, "fan_in")
        for head in (self.fc, self.aux1.fc2, self.aux2.fc2):
            start_small(head, HEAD_STD)

    def outputs(self, x: Tensor) -> dict[str, Tensor]:
        """(N, C, H, W) -> `logits` (N, K), and in training `auxiliary1` and `auxiliary2` (N, K)."""
        x = self.lrn1(self.maxpool1(self.conv1(x)))  # (N, 64, H/4, W/4), or H, W with the small stem
        x = self.maxpool2(self.lrn2(self.conv3(self.conv2(x))))  # (N, 192, H/8, W/8)
        x = self.maxpool3(self.inception3b(self.inception3a(x)))  # (N, 480, H/16, W/16)
        low = self.inception4a(x)  # (N, 512, H/16, W/16)
        high = self.inception4d(self.inception4c(self.inception4b(low)))  # (N, 528, H/16, W/16)
        x = self.maxpool4(self.inception4e(high))  # (N, 832, H/32, W/32), or H/8, W/8 with the small stem
        x = self.inception5b(self.inception5a(x))  # (N, 1024, H/32, W/32)
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        heads = {"auxiliary1": self.aux1(low), "auxiliary2": self.aux2(high)} if self.training else {}
        return {"logits": logits, **heads}

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; sides of 8 px or more."""
        return self.outputs(x)["logits"]


def _halve(kernel: int) -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel, stride=2, ceil_mode=True)  # a last window that overhangs is kept


def _build(name: str, n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    require_size(name, image_size, LEAST, instead="mlp")
    model = GoogLeNet(n_classes, channels, VARIANTS[name], small_stem=is_small(image_size))
    model.notes = stem_notes(image_size, *RESIDUAL_STEMS)
    return model


def googlenet(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """GoogLeNet with batch norm, as libraries have it; two auxiliary heads in training."""
    return _build("googlenet", n_classes, channels, image_size)


def googlenet_paper(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """GoogLeNet as printed: 5x5 branches, biases, no batch norm; two auxiliary heads in training."""
    return _build("googlenet_paper", n_classes, channels, image_size)
