"""ShuffleNet v2, "Practical Guidelines for Efficient CNN Architecture Design" (https://arxiv.org/abs/1807.11164).

Half of the channels pass each unit untouched, the other half are worked on; then both are shuffled, so that the next
unit splits them differently. Names, shapes and order of all tensors are torchvision's.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from functools import partial

import torch
from torch import Tensor, nn

from pellucid.models.classify.stem import is_small, require_size, stem_notes
from pellucid.nn.blocks.channel_shuffle import ChannelShuffle
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise, start_small

# Feature maps of stages 2 to 4 and of the last convolution: the paper's table 5.
VARIANTS = {
    "shufflenet_v2_x0_5": (48, 96, 192, 1024),
    "shufflenet_v2_x1_0": (116, 232, 464, 1024),
    "shufflenet_v2_x1_5": (176, 352, 704, 1024),
    "shufflenet_v2_x2_0": (244, 488, 976, 2048),
}
STEM = 24  # feature maps of the first convolution
DEPTHS = (4, 8, 4)  # units of stages 2 to 4; the first of each halves the sides
LEAST = 8  # px; the small-image form has a stride of 8
RELU = partial(nn.ReLU, inplace=True)


class ShuffleUnit(nn.Module):
    """Of two halves of the channels one passes 1x1, depthwise 3x3, 1x1; both are joined and shuffled.

    At stride 2 all channels enter both branches, and the other one is depthwise 3x3, then 1x1: the maps double.
    """

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        half = c_out // 2
        self.halves = stride > 1
        self.branch1 = nn.Sequential()  # has no weights at stride 1
        if self.halves:
            self.branch1.extend(_depthwise(c_in, stride)).extend(conv_norm(c_in, half, 1, activation=RELU))
        self.branch2 = nn.Sequential(
            *conv_norm(c_in if self.halves else half, half, 1, activation=RELU),
            *_depthwise(half, stride),
            *conv_norm(half, half, 1, activation=RELU),
        )
        self.shuffle = ChannelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, c_out, h/stride, w/stride), rounded up."""
        kept, worked = (self.branch1(x), x) if self.halves else x.chunk(2, 1)  # (N, c_out/2, ...) each
        return self.shuffle(torch.cat((kept, self.branch2(worked)), 1))


class ShuffleNetV2(nn.Module):
    """A 3x3 convolution, sixteen shuffle units in three stages, a 1x1 convolution, the mean, and a linear layer.

    Args:
        n_classes: K.
        channels: C.
        widths: feature maps of the stages and of the last convolution.
        small_stem: stride 1 and no pooling, so that the whole stride is 8, not 32.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self, n_classes: int, channels: int, widths: tuple[int, int, int, int], small_stem: bool = False
    ) -> None:
        super().__init__()
        self.conv1 = conv_norm(channels, STEM, 3, 1 if small_stem else 2, activation=RELU)
        self.maxpool = nn.Identity() if small_stem else nn.MaxPool2d(3, stride=2, padding=1)
        self.stage2 = _stage(STEM, widths[0], DEPTHS[0])
        self.stage3 = _stage(widths[0], widths[1], DEPTHS[1])
        self.stage4 = _stage(widths[1], widths[2], DEPTHS[2])
        self.conv5 = conv_norm(widths[2], widths[3], 1, activation=RELU)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(widths[3], n_classes)
        # fan_in, as torch counts all channels, not one, in the fan_out of a depthwise convolution
        initialise(self, "fan_in")
        start_small(self.fc)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W."""
        x = self.maxpool(self.conv1(x))  # (N, 24, H/4, W/4), or H, W with the small stem
        x = self.stage2(x)  # (N, widths[0], H/8, W/8)
        x = self.stage3(x)  # (N, widths[1], H/16, W/16)
        x = self.stage4(x)  # (N, widths[2], H/32, W/32), or H/8, W/8 with the small stem
        x = self.conv5(x)  # (N, widths[3], ...)
        return self.fc(self.avgpool(x).flatten(1))  # (N, K)


def _depthwise(channels: int, stride: int) -> nn.Sequential:
    return conv_norm(channels, channels, 3, stride, groups=channels, activation=None)


def _stage(c_in: int, c_out: int, depth: int) -> nn.Sequential:
    first = ShuffleUnit(c_in, c_out, stride=2)
    return nn.Sequential(first, *(ShuffleUnit(c_out, c_out, stride=1) for _ in range(depth - 1)))


def _build(name: str, n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    require_size(name, image_size, LEAST)
    model = ShuffleNetV2(n_classes, channels, VARIANTS[name], is_small(image_size))
    model.notes = stem_notes(image_size, "3x3, stride 1, no pooling", "3x3, stride 2, then pooling")
    return model


def shufflenet_v2_x0_5(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ShuffleNet v2 at half width: split, depthwise, shuffle; 1.4 M parameters."""
    return _build("shufflenet_v2_x0_5", n_classes, channels, image_size)


def shufflenet_v2_x1_0(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ShuffleNet v2: sixteen units of split, depthwise convolution and channel shuffle; 2.3 M parameters."""
    return _build("shufflenet_v2_x1_0", n_classes, channels, image_size)


def shufflenet_v2_x1_5(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ShuffleNet v2 at one and a half of the width; 3.5 M parameters."""
    return _build("shufflenet_v2_x1_5", n_classes, channels, image_size)


def shufflenet_v2_x2_0(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ShuffleNet v2 at twice the width, with 2048 maps before the head; 7.4 M parameters."""
    return _build("shufflenet_v2_x2_0", n_classes, channels, image_size)
