"""What every Inception is made of: a convolution with its norm, chains of them, and branches side by side.

Letters: N pictures, h x w cells of a feature map.
"""

import torch
from torch import Tensor, nn

EPSILON = 1e-3  # of the norm, in all Inceptions
HEAD_STD = 1e-3  # of the first weights of last layers: one that sees 1,000 maps or more gives nearly equal logits


class ConvUnit(nn.Module):
    """Convolution, batch norm, ReLU; parts are named `conv` and `bn`, as in published weights.

    Args:
        c_in, c_out: feature maps.
        kernel: side, or (height, width), such as (1, 7).
        stride: of the convolution.
        same: pad so that stride 1 keeps the size (odd kernels); without it nothing is padded.
        norm: batch norm and no bias; without it a bias and no norm, as before 2015.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: int | tuple[int, int] = 1,
        stride: int = 1,
        same: bool = True,
        norm: bool = True,
    ) -> None:
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if same else (0, 0)
        self.conv = nn.Conv2d(c_in, c_out, (height, width), stride, padding, bias=not norm)
        self.bn = nn.BatchNorm2d(c_out, eps=EPSILON) if norm else nn.Identity()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, c_out, h', w'); h and w stay at stride 1 with `same`."""
        return self.relu(self.bn(self.conv(x)))


class Branches(nn.ModuleDict):
    """Parts that all see the same input, their feature maps one after the other; heights and widths must agree."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, sum of the parts' feature maps, h', w')."""
        return torch.cat([part(x) for part in self.values()], 1)


def chain(c_in: int, *steps: tuple[int, int | tuple[int, int]], shrink: bool = False, cut: bool = False) -> nn.Module:
    """Convolutions one after the other.

    Args:
        c_in: feature maps before them.
        steps: feature maps and kernel of each.
        shrink: the last has stride 2 and no padding.
        cut: the last has no padding, so that the map loses its border.
    """
    units: list[nn.Module] = []
    for place, (c_out, kernel) in enumerate(steps):
        last = place == len(steps) - 1
        units.append(ConvUnit(c_in, c_out, kernel, 2 if last and shrink else 1, not (last and (shrink or cut))))
        c_in = c_out
    return nn.Sequential(*units) if len(units) > 1 else units[0]


def pooled(c_in: int, c_out: int) -> nn.Sequential:
    """Averages of 3x3, of what lies inside of the map alone, then a 1x1 convolution."""
    return nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False), ConvUnit(c_in, c_out))
