"""MobileNet v3, "Searching for MobileNetV3" (https://arxiv.org/abs/1905.02244): found by search, then tuned by hand.

Against version 2: h-swish where maps are small and many, squeeze and excitation with a hard sigmoid, 5x5 filters,
and a head that widens after the mean over cells, where it is cheap. Names, shapes and order of all tensors are
torchvision's. Difference from the paper: the last layer starts small.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from pellucid.models.classify.multiple_of_8 import multiple_of_8
from pellucid.models.classify.stem import is_small, require_size, stem_notes
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.blocks.squeeze_excitation import SqueezeExcitation
from pellucid.nn.blocks.stochastic_depth import ResidualBranch
from pellucid.nn.initialise import initialise, start_linear, start_small


class Row(NamedTuple):
    """One block: a row of the paper's tables 1 and 2."""

    kernel: int
    wide: int  # feature maps inside
    c_out: int
    excited: bool  # squeeze and excitation
    h_swish: bool  # else ReLU
    stride: int


class Settings(NamedTuple):
    """One network."""

    rows: tuple[Row, ...]
    hidden: int  # units between the mean over cells and the last layer


VARIANTS = {
    "mobilenet_v3_small": Settings(
        (
            Row(3, 16, 16, True, False, 2),
            Row(3, 72, 24, False, False, 2),
            Row(3, 88, 24, False, False, 1),
            Row(5, 96, 40, True, True, 2),
            Row(5, 240, 40, True, True, 1),
            Row(5, 240, 40, True, True, 1),
            Row(5, 120, 48, True, True, 1),
            Row(5, 144, 48, True, True, 1),
            Row(5, 288, 96, True, True, 2),
            Row(5, 576, 96, True, True, 1),
            Row(5, 576, 96, True, True, 1),
        ),
        hidden=1024,
    ),
    "mobilenet_v3_large": Settings(
        (
            Row(3, 16, 16, False, False, 1),
            Row(3, 64, 24, False, False, 2),
            Row(3, 72, 24, False, False, 1),
            Row(5, 72, 40, True, False, 2),
            Row(5, 120, 40, True, False, 1),
            Row(5, 120, 40, True, False, 1),
            Row(3, 240, 80, False, True, 2),
            Row(3, 200, 80, False, True, 1),
            Row(3, 184, 80, False, True, 1),
            Row(3, 184, 80, False, True, 1),
            Row(3, 480, 112, True, True, 1),
            Row(3, 672, 112, True, True, 1),
            Row(5, 672, 160, True, True, 2),
            Row(5, 960, 160, True, True, 1),
            Row(5, 960, 160, True, True, 1),
        ),
        hidden=1280,
    ),
}
STEM = 16  # feature maps of the first convolution
LEAST = 8  # px; the small-image form has a stride of 8
RELU, H_SWISH = partial(nn.ReLU, inplace=True), partial(nn.Hardswish, inplace=True)
v3_conv = partial(conv_norm, eps=1e-3, momentum=0.01)  # norms as in the published code


class InvertedResidual(ResidualBranch):
    """Widen by 1x1, filter in depth, weigh channels, narrow by 1x1 without activation; plus x where the shape stays."""

    def __init__(self, c_in: int, row: Row) -> None:
        super().__init__()
        activation = H_SWISH if row.h_swish else RELU
        parts: list[nn.Module] = [] if row.wide == c_in else [v3_conv(c_in, row.wide, 1, activation=activation)]
        parts.append(v3_conv(row.wide, row.wide, row.kernel, row.stride, groups=row.wide, activation=activation))
        if row.excited:
            parts.append(SqueezeExcitation(row.wide, multiple_of_8(row.wide // 4), gate=nn.Hardsigmoid))
        narrow = v3_conv(row.wide, row.c_out, 1, activation=None)
        self.block = nn.Sequential(*parts, narrow)
        # fan_in, as torch counts all channels, not one, in the fan_out of a depthwise convolution
        initialise(self.block, "fan_in")
        start_linear(narrow)
        self.shortcut = row.stride == 1 and c_in == row.c_out

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, c_out, h/stride, w/stride), rounded up."""
        return x + self.kept(self.block(x)) if self.shortcut else self.block(x)


class MobileNetV3(nn.Module):
    """A 3x3 convolution, inverted residuals, a 1x1 convolution, the mean over cells, and two linear layers.

    Args:
        n_classes: K.
        channels: C.
        settings: blocks and head.
        small_stem: strides of 1 in the stem and in the first block that would halve: the whole stride is 8, not 32.
        dropout: probability before the last layer.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self, n_classes: int, channels: int, settings: Settings, small_stem: bool = False, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(v3_conv(channels, STEM, 3, 1 if small_stem else 2, activation=H_SWISH))
        width, rows = STEM, list(settings.rows)
        if small_stem:
            first = next(index for index, row in enumerate(rows) if row.stride == 2)
            rows[first] = rows[first]._replace(stride=1)
        for row in rows:
            self.features.append(InvertedResidual(width, row))
            width = row.c_out
        self.features.append(v3_conv(width, 6 * width, 1, activation=H_SWISH))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        last = nn.Linear(settings.hidden, n_classes)
        self.classifier = nn.Sequential(
            nn.Linear(6 * width, settings.hidden), nn.Hardswish(inplace=True), nn.Dropout(dropout), last
        )
        for dense in (self.features[0], self.features[-1], self.classifier):
            initialise(dense, "fan_in")
        start_small(last)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W."""
        x = self.features(x)  # (N, 576 or 960, H/32, W/32), or H/8, W/8 with the small stem
        return self.classifier(self.avgpool(x).flatten(1))  # (N, K)


def _build(name: str, n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    require_size(name, image_size, LEAST)
    model = MobileNetV3(n_classes, channels, VARIANTS[name], is_small(image_size))
    model.notes = stem_notes(
        image_size, "stride 1, and stride 1 in the first block that would halve: 8 in all", "stride 2: 32 in all blocks"
    )
    return model


def mobilenet_v3_small(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """MobileNet v3 small: eleven blocks with h-swish and channel weights; 2.5 M parameters, least arithmetic."""
    return _build("mobilenet_v3_small", n_classes, channels, image_size)


def mobilenet_v3_large(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """MobileNet v3 large: fifteen blocks with h-swish and channel weights; 5.5 M parameters."""
    return _build("mobilenet_v3_large", n_classes, channels, image_size)
