"""A small encoder of this package's own, made to be trained from nothing on a processor: no paper describes it.

After a strided convolution, pooling halves the size: before the norm, where it leaves it a quarter of the work.

Letters: N pictures, C channels, H x W pixels, s a stride, M feature maps.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise


class SmallEncoder(nn.Module):
    """A strided convolution, then two convolutions a stride with a pooling between them.

    Args:
        channels: C.
        widths: stride -> M, each stride twice the one before, from 2.

    Attributes:
        widths: as given.
        strides: stride -> the same; a `Backbone` may differ.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, channels: int, widths: Mapping[int, int]) -> None:
        super().__init__()
        self.widths = dict(widths)
        self.strides = {stride: stride for stride in widths}
        self.stages = nn.ModuleDict()
        before = channels
        for stride, width in self.widths.items():
            halving = _pooled(before, width) if stride > 2 else [conv_norm(before, width, stride=2)]
            self.stages[str(stride)] = nn.Sequential(*halving)
            before = width
        initialise(self)

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        """(N, C, H, W) -> stride s -> (N, M, H/s, W/s), rounded up, finest first."""
        maps = {}
        for stride in self.widths:
            x = self.stages[str(stride)](x)
            maps[stride] = x
        return maps


def _pooled(c_in: int, c_out: int) -> list[nn.Module]:
    """Two 3x3 convolutions with a pooling that halves the size, rounded up, before the first norm."""
    first = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
    pool = nn.MaxPool2d(2, ceil_mode=True)
    return [first, pool, nn.BatchNorm2d(c_out), nn.ReLU(), conv_norm(c_out, c_out)]
