"""ZFNet: AlexNet after a look at what its layers see.

Zeiler and Fergus 2013, "Visualizing and Understanding Convolutional Networks" (https://arxiv.org/abs/1311.2901),
figure 3. Against AlexNet the first convolution is 7x7 of stride 2 (not 11x11 of stride 4) and the second 5x5 of
stride 2; the third to fifth keep stride 1. The paper's filters are 96, 256, 384, 384, 256; the wider net, which
lectures show, has 512, 1024, 512 in the third to fifth.

The paper prints map sizes but neither paddings nor the rounding of its poolings. Padding 1 in the first
convolution, none in the second and poolings that round up give all of them: 110, 55, 26, 13, 6 at 224 px.
Its contrast norm across maps is taken to be AlexNet's local response norm. Weights start as He et al. 2015 has it.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from torch import Tensor, nn

from pellucid.models.classify.alexnet_notes import response_norm
from pellucid.models.classify.stem import require_size
from pellucid.nn.initialise import blank_linear, initialise, start_small

LEAST = 47  # px of a side that the last pooling leaves one cell of
CELLS = 6  # a side of the last map at 224 px


class ZFNet(nn.Module):
    """conv1 to conv5, three poolings (3x3, stride 2), fc6 to fc8.

    Args:
        n_classes: K.
        channels: C.
        filters: of conv3, conv4 and conv5.
        dropout: share of the outputs of fc6 and fc7 that training drops.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self, n_classes: int, channels: int, filters: tuple[int, int, int] = (384, 384, 256), dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 96, 7, stride=2, padding=1)
        self.relu1 = nn.ReLU(inplace=True)
        self.pool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.norm1 = response_norm()
        self.conv2 = nn.Conv2d(96, 256, 5, stride=2)
        self.relu2 = nn.ReLU(inplace=True)
        self.pool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.norm2 = response_norm()
        self.conv3 = nn.Conv2d(256, filters[0], 3, padding=1)
        self.relu3 = nn.ReLU(inplace=True)
        self.conv4 = nn.Conv2d(filters[0], filters[1], 3, padding=1)
        self.relu4 = nn.ReLU(inplace=True)
        self.conv5 = nn.Conv2d(filters[1], filters[2], 3, padding=1)
        self.relu5 = nn.ReLU(inplace=True)
        self.pool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.fit = nn.AdaptiveAvgPool2d(CELLS)  # changes nothing at 224 px
        self.fc6 = blank_linear(filters[2] * CELLS * CELLS, 4096)
        self.relu6 = nn.ReLU(inplace=True)
        self.drop6 = nn.Dropout(dropout)
        self.fc7 = blank_linear(4096, 4096)
        self.relu7 = nn.ReLU(inplace=True)
        self.drop7 = nn.Dropout(dropout)
        self.fc8 = nn.Linear(4096, n_classes)
        initialise(self, "fan_in")
        start_small(self.fc8, std=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; H and W of 47 or more. Sizes below are for 224 px."""
        x = self.relu1(self.conv1(x))  # (N, 96, 110, 110)
        x = self.norm1(self.pool1(x))  # (N, 96, 55, 55)
        x = self.relu2(self.conv2(x))  # (N, 256, 26, 26)
        x = self.norm2(self.pool2(x))  # (N, 256, 13, 13)
        x = self.relu3(self.conv3(x))  # (N, filters[0], 13, 13)
        x = self.relu4(self.conv4(x))
        x = self.relu5(self.conv5(x))  # (N, filters[2], 13, 13)
        x = self.fit(self.pool3(x)).flatten(1)  # (N, 36 * filters[2])
        x = self.drop6(self.relu6(self.fc6(x)))  # (N, 4096)
        x = self.drop7(self.relu7(self.fc7(x)))
        return self.fc8(x)  # (N, K)


def zfnet(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ZFNet with the paper's filters; from 47 px."""
    require_size("zfnet", image_size, LEAST)
    return ZFNet(n_classes, channels)


def zfnet_wide(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ZFNet with 512, 1024 and 512 filters in the third to fifth convolution; from 47 px."""
    require_size("zfnet_wide", image_size, LEAST)
    return ZFNet(n_classes, channels, (512, 1024, 512))
