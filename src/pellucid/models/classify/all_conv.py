"""All-CNN-C: nothing but convolutions and ReLU.

Springenberg, Dosovitskiy, Brox, Riedmiller 2014, "Striving for Simplicity: The All Convolutional Net"
(https://arxiv.org/abs/1412.6806), tables 1 and 2. Convolutions of stride 2 shrink the map in place of pooling, and
the mean over the map takes the place of fully connected layers: the last layer is a 1x1 convolution of
192 x K weights, however large the picture. Differences from the paper: weights start as He et al. 2015 has it.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from torch import Tensor, nn

from pellucid.models.classify.stem import require_size
from pellucid.nn.initialise import initialise, start_small

LEAST = 9  # px of a side: 3 cells after two halvings, the least a 3x3 window without border fits in


class AllConv(nn.Module):
    """Nine convolutions: two and one of stride 2 with 96 filters, the same with 192, then 3x3, 1x1 and 1x1 to K maps.

    Args:
        n_classes: K.
        channels: C.
        dropout: share dropped in training of the pixels, and of the maps after each convolution of stride 2;
            the paper's.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, dropout: tuple[float, float] = (0.2, 0.5)) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Dropout(dropout[0]),
            *_convolution(channels, 96, 3, padding=1),
            *_convolution(96, 96, 3, padding=1),
            *_convolution(96, 96, 3, stride=2, padding=1),
            nn.Dropout(dropout[1]),
            *_convolution(96, 192, 3, padding=1),
            *_convolution(192, 192, 3, padding=1),
            *_convolution(192, 192, 3, stride=2, padding=1),
            nn.Dropout(dropout[1]),
            *_convolution(192, 192, 3),
            *_convolution(192, 192, 1),
        )
        self.classifier = nn.Conv2d(192, n_classes, 1)
        self.avgpool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        initialise(self, "fan_in")
        start_small(self.classifier)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; H and W of 9 or more."""
        x = self.features(x)  # (N, 192, H/4 - 2, W/4 - 2)
        x = self.classifier(x)  # (N, K, H/4 - 2, W/4 - 2): a map of each class
        return self.avgpool(x)  # (N, K)


def _convolution(c_in: int, c_out: int, kernel: int, stride: int = 1, padding: int = 0) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(c_in, c_out, kernel, stride, padding), nn.ReLU(inplace=True)


def all_conv(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """All-CNN-C: convolutions alone, strides in place of pooling, the mean in place of dense layers; from 9 px."""
    require_size("all_conv", image_size, LEAST)
    return AllConv(n_classes, channels)
