"""Dilated networks: the field grows by holes in the kernels, so the size never has to be given up and won back.

Yu and Koltun 2016 (https://arxiv.org/abs/1511.07122); Wang et al. 2018, "Understanding Convolution for Semantic
Segmentation" (https://arxiv.org/abs/1702.08502). Layers of one rate r in a row read only every r-th pixel: neighbouring
cells share nothing, and a thing smaller than r pixels can be missed by most of them. Rates that vary without a common
divisor, 1, 2, 3 in place of 2, 2, 2, fill the holes with the same field, the same weights and the same cost: the
paper's hybrid dilated convolution. The first convolution halves the size, once; the logits of the four pixels of a
cell come from that cell, its dense upsampling convolution, which is a 1x1 convolution and a pixel shuffle.

Letters: N pictures, C channels, H x W pixels, K classes, M feature maps, h x w cells of a map, s the stride.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.config import require
from pellucid.models.segment.fcn_small import HEAD_STD
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise, start_small

HYBRID = (1, 2, 3) * 3
UNIFORM = (2, 2, 2) * 3
WIDTH = 32


class DilatedNet(nn.Module):
    """One convolution that halves the size, or not, residual pairs of dilated convolutions, a 1x1 classifier.

    Args:
        n_classes: K.
        channels: C.
        rates: dilation of the pairs, one each; their second convolution has the same.
        width: M.
        stride: s of the first convolution.

    Raises:
        ConfigError: a number is below 1.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self, n_classes: int, channels: int, rates: Sequence[int] = HYBRID, width: int = WIDTH, stride: int = 2
    ) -> None:
        super().__init__()
        require(len(rates) > 0 and min(rates) >= 1, "rates", "at least one number of 1 or more", tuple(rates))
        require(width >= 1, "width", "1 or more", width)
        require(stride >= 1, "stride", "1 or more", stride)
        self.stride = stride
        self.stem = conv_norm(channels, width, stride=stride)
        self.blocks = nn.Sequential(*(DilatedPair(width, rate) for rate in rates))
        self.head = nn.Conv2d(width, n_classes * stride**2, 1)
        initialise(self)
        for name, parameter in self.blocks.named_parameters():
            if name.endswith("conv2.1.weight"):
                nn.init.constant_(parameter, 1 / len(rates))  # together the pairs add about what came in
        start_small(self.head, HEAD_STD)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K, H, W) logits; any H and W."""
        maps = self.blocks(self.stem(x))  # (N, M, H/s, W/s), rounded up
        logits = F.pixel_shuffle(self.head(maps), self.stride)  # (N, K, >= H, >= W)
        return logits[..., : x.shape[-2], : x.shape[-1]]


class DilatedPair(nn.Module):
    """Two 3x3 convolutions of one rate, added to what came in; the size stays."""

    def __init__(self, width: int, rate: int) -> None:
        super().__init__()
        self.conv1 = _dilated(width, rate)
        self.relu = nn.ReLU()
        self.conv2 = _dilated(width, rate)

    def forward(self, x: Tensor) -> Tensor:
        """(N, M, h, w) -> (N, M, h, w)."""
        return self.relu(x + self.conv2(self.relu(self.conv1(x))))


def _dilated(width: int, rate: int) -> nn.Sequential:
    conv = nn.Conv2d(width, width, 3, padding=rate, dilation=rate, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width))


def dilated_hybrid(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """Nine residual pairs of rates 1, 2, 3, three times over, at half the size; the same for every size."""
    return DilatedNet(n_classes, channels, HYBRID)


def dilated_uniform(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """`dilated_hybrid` with rate 2 throughout: the same field and weights, with holes in what it reads."""
    return DilatedNet(n_classes, channels, UNIFORM)
