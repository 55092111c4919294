"""MobileNet v2, "Inverted Residuals and Linear Bottlenecks" (https://arxiv.org/abs/1801.04381).

The shortcuts join narrow maps, the work is done in wide ones between them, and what comes back to narrow maps is
not rectified, since a ReLU on few channels loses information (the paper's section 3.2). Names, shapes and order of
all tensors are torchvision's.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from functools import partial

from torch import Tensor, nn

from pellucid.models.classify.stem import MOBILE_STEMS, is_small, require_size, stem_notes
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.blocks.stochastic_depth import ResidualBranch
from pellucid.nn.initialise import initialise, start_linear, start_small

STEM, HEAD = 32, 1280  # feature maps of the first and of the last convolution
# Expansion, feature maps, blocks and stride of the first of them, stage by stage: the paper's table 2.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
LEAST = 8  # px; the small-image form has a stride of 8
RELU6 = partial(nn.ReLU6, inplace=True)


class InvertedResidual(ResidualBranch):
    """Widen by 1x1, filter by depthwise 3x3, narrow by 1x1 without activation; plus x where the shape stays."""

    def __init__(self, c_in: int, c_out: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = c_in * expansion
        parts: list[nn.Module] = [] if expansion == 1 else [conv_norm(c_in, wide, 1, activation=RELU6)]
        parts.append(conv_norm(wide, wide, 3, stride, groups=wide, activation=RELU6))
        narrow = nn.Conv2d(wide, c_out, 1, bias=False)
        self.conv = nn.Sequential(*parts, narrow, nn.BatchNorm2d(c_out))
        # fan_in, as torch counts all channels, not one, in the fan_out of a depthwise convolution
        initialise(self.conv, "fan_in")
        start_linear(narrow)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, c_out, h/stride, w/stride), rounded up."""
        return x + self.kept(self.conv(x)) if self.shortcut else self.conv(x)


class MobileNetV2(nn.Module):
    """A 3x3 convolution, seventeen inverted residuals, a 1x1 convolution, the mean over cells, and a linear layer.

    Args:
        n_classes: K.
        channels: C.
        small_stem: strides of 1 in the stem and in the second stage, so that the whole stride is 8, not 32.
        dropout: probability before the linear layer.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, small_stem: bool = False, dropout: float = 0.2) -> None:
        super().__init__()
        self.features = nn.Sequential(conv_norm(channels, STEM, 3, 1 if small_stem else 2, activation=RELU6))
        width = STEM
        for index, (expansion, c_out, depth, stride) in enumerate(STAGES):
            for block in range(depth):
                keeps = block > 0 or (small_stem and index == 1)
                self.features.append(InvertedResidual(width, c_out, 1 if keeps else stride, expansion))
                width = c_out
        self.features.append(conv_norm(width, HEAD, 1, activation=RELU6))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        last = nn.Linear(HEAD, n_classes)
        self.classifier = nn.Sequential(nn.Dropout(dropout), last)
        initialise(self.features[0], "fan_in")
        initialise(self.features[-1], "fan_in")
        start_small(last)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W."""
        x = self.features(x)  # (N, 1280, H/32, W/32), or H/8, W/8 with the small stem
        return self.classifier(self.avgpool(x).flatten(1))  # (N, K)


def mobilenet_v2(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """MobileNet v2: seventeen inverted residuals with linear bottlenecks; 3.5 M parameters."""
    require_size("mobilenet_v2", image_size, LEAST)
    model = MobileNetV2(n_classes, channels, is_small(image_size))
    model.notes = stem_notes(image_size, *MOBILE_STEMS)
    return model
