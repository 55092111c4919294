"""The thin residual networks for small pictures, and the same without shortcuts.

He et al. 2015, "Deep Residual Learning for Image Recognition" (https://arxiv.org/abs/1512.03385), section 4.2: 6n + 2
layers, which are a 3x3 convolution, three stages of n blocks with 16, 32 and 64 feature maps, and a linear layer. The
shortcuts have no parameters (option A), so a residual network and its plain twin have the same ones, and what differs
between them is the sum alone. ResNet-20 has 0.27 million on pictures of 32 px, ResNet-56 0.85 million.

Difference from the paper: the last layer starts at 0.01.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.config import require
from pellucid.models.classify.plain import PlainBlock
from pellucid.models.classify.resnet import BasicBlock, BlockMaker, stage
from pellucid.nn.initialise import initialise, start_small


class PaddedShortcut(nn.Module):
    """x with fewer cells and more feature maps, without parameters: every stride-th cell, zeros in the maps added."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.stride, self.added = stride, c_out - c_in

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, c_out, h/stride, w/stride), rounded up."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.added))


def residual_block(c_in: int, width: int, stride: int = 1, dilation: int = 1) -> nn.Module:
    """A basic block whose way round has no parameters, also where the shape changes."""
    return BasicBlock(c_in, width, stride, dilation, shortcut=PaddedShortcut)


class CifarResNet(nn.Module):
    """Three stages of n blocks of two convolutions.

    Args:
        n_classes: K.
        channels: C.
        n: blocks of each stage; the network has 6n + 2 layers.
        widths: feature maps of the stages.
        block: makes a block from c_in, width, stride and dilation; a PlainBlock gives the plain network.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        n_classes: int,
        channels: int,
        n: int = 3,
        widths: tuple[int, int, int] = (16, 32, 64),
        block: BlockMaker = residual_block,
    ) -> None:
        super().__init__()
        require(n >= 1, "n", "1 or more", n)
        self.conv1 = nn.Conv2d(channels, widths[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = stage(block, widths[0], widths[0], n)
        self.layer2 = stage(block, widths[0], widths[1], n, stride=2)
        self.layer3 = stage(block, widths[1], widths[2], n, stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(widths[2], n_classes)
        initialise(self)
        start_small(self.fc)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W."""
        x = self.relu(self.bn1(self.conv1(x)))  # (N, 16, H, W)
        x = self.layer2(self.layer1(x))  # (N, 32, H/2, W/2), rounded up
        x = self.layer3(x)  # (N, 64, H/4, W/4), rounded up
        return self.fc(self.avgpool(x).flatten(1))  # (N, K)


# name -> (maker of blocks, blocks of each stage)
VARIANTS: dict[str, tuple[BlockMaker, int]] = {
    "resnet20": (residual_block, 3),
    "resnet56": (residual_block, 9),
    "plain20": (PlainBlock, 3),
    "plain56": (PlainBlock, 9),
}


def _build(name: str, n_classes: int, channels: int) -> nn.Module:
    block, n = VARIANTS[name]
    return CifarResNet(n_classes, channels, n, block=block)


def resnet20(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-20 for small pictures: 9 blocks of 16 to 64 feature maps."""
    return _build("resnet20", n_classes, channels)


def resnet56(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-56 for small pictures: 27 blocks of 16 to 64 feature maps."""
    return _build("resnet56", n_classes, channels)


def plain20(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-20 for small pictures without shortcuts, to compare with."""
    return _build("plain20", n_classes, channels)


def plain56(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-56 for small pictures without shortcuts, which learns worse than plain20 does."""
    return _build("plain56", n_classes, channels)
