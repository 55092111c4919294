"""Plain networks: ResNets without their shortcuts (https://arxiv.org/abs/1512.03385, section 3.3).

They are there to be compared: the deeper plain network has the higher error in *training*, though it could copy
the shallower one and do nothing in the layers it has more ("degradation"). With shortcuts the order turns.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from torch import Tensor, nn

from pellucid.models.classify.resnet import Variant, build


class PlainBlock(nn.Module):
    """H(x) = relu(norm(conv(relu(norm(conv(x)))))): a basic block of a ResNet without the way round.

    Args:
        c_in, width: feature maps of x and of H.
        stride, dilation: of the first convolution, and of both.
    """

    def __init__(self, c_in: int, width: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, width, 3, stride, padding=dilation, dilation=dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.removable = stride == 1 and c_in == width

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, width, h/stride, w/stride), rounded up."""
        x = self.relu(self.bn1(self.conv1(x)))  # (N, width, h/stride, w/stride)
        return self.relu(self.bn2(self.conv2(x)))

    def without_residual(self, x: Tensor) -> Tensor:
        """What remains when the block is left out: x, which the next block can only take if the shape is right."""
        return x


VARIANTS: dict[str, Variant] = {"plain18": (PlainBlock, 1, (2, 2, 2, 2)), "plain34": (PlainBlock, 1, (3, 4, 6, 3))}


def plain18(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-18 without shortcuts, to compare with."""
    return build(VARIANTS["plain18"], n_classes, channels, image_size)


def plain34(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-34 without shortcuts, which learns worse than plain18 does."""
    return build(VARIANTS["plain34"], n_classes, channels, image_size)
