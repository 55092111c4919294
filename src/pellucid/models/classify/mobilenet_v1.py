"""MobileNet v1, "Efficient Convolutional Neural Networks for Mobile Vision Applications" (https://arxiv.org/abs/1704.04861).

Every convolution but the first is separable: k x k in each channel alone, then 1x1 across channels. That costs
1 / c_out + 1 / k^2 of the ordinary convolution. Names of all tensors are timm's (`mobilenetv1_100`). The activation
is ReLU6, as in the published code; the paper writes ReLU.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from torch import Tensor, nn

from pellucid.models.classify.stem import MOBILE_STEMS, is_small, require_size, stem_notes
from pellucid.nn.initialise import initialise, start_small

STEM = 32  # feature maps of the first convolution
# Feature maps, separable convolutions and stride of the first of them, stage by stage: the paper's table 1.
STAGES = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2))
LEAST = 8  # px; the small-image form has a stride of 8


class SeparableBlock(nn.Module):
    """Depthwise 3x3, norm, ReLU6; pointwise 1x1, norm, ReLU6."""

    def __init__(self, c_in: int, c_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(c_in, c_in, 3, stride, padding=1, groups=c_in, bias=False)
        self.bn1 = nn.BatchNorm2d(c_in)
        self.act1 = nn.ReLU6(inplace=True)
        self.conv_pw = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.act2 = nn.ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, c_out, h/stride, w/stride), rounded up."""
        x = self.act1(self.bn1(self.conv_dw(x)))  # (N, c_in, h/stride, w/stride)
        return self.act2(self.bn2(self.conv_pw(x)))


class MobileNetV1(nn.Module):
    """A 3x3 convolution, thirteen separable ones, the mean over cells, and a linear layer.

    Args:
        n_classes: K.
        channels: C.
        small_stem: strides of 1 in the stem and in the second stage, so that the whole stride is 8, not 32.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, small_stem: bool = False) -> None:
        super().__init__()
        self.conv_stem = nn.Conv2d(channels, STEM, 3, 1 if small_stem else 2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM)
        self.act1 = nn.ReLU6(inplace=True)
        self.blocks = nn.Sequential()
        width = STEM
        for index, (c_out, depth, stride) in enumerate(STAGES):
            stride = 1 if small_stem and index == 1 else stride
            first = SeparableBlock(width, c_out, stride)
            self.blocks.append(nn.Sequential(first, *(SeparableBlock(c_out, c_out) for _ in range(depth - 1))))
            width = c_out
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, n_classes)
        # fan_in, as torch counts all channels, not one, in the fan_out of a depthwise convolution
        initialise(self, "fan_in")
        start_small(self.classifier)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W."""
        x = self.act1(self.bn1(self.conv_stem(x)))  # (N, 32, H/2, W/2), or H, W with the small stem
        x = self.blocks(x)  # (N, 1024, H/32, W/32), or H/8, W/8 with the small stem
        return self.classifier(self.avgpool(x).flatten(1))  # (N, K)


def mobilenet_v1(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """MobileNet v1: thirteen separable convolutions, an eighth to a ninth of the arithmetic of ordinary ones."""
    require_size("mobilenet_v1", image_size, LEAST)
    model = MobileNetV1(n_classes, channels, is_small(image_size))
    model.notes = stem_notes(image_size, *MOBILE_STEMS)
    return model
