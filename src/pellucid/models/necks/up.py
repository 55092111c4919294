"""One step of the way up again, which adds to what comes from below.

A 1x1 convolution narrows the map before it is repeated: either order of the two gives the same, this one costs a
quarter.

Letters: N pictures, M feature maps, h x w cells of a map.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise, start_linear


class Up(nn.Module):
    """One step of the way up: narrow, repeat to the finer size, lay the skip beside it, convolve, add.

    Without skip the narrow map is wider by what the skip would have brought: the convolution stays as it is.

    Args:
        coarse: M of the map from below.
        fine: M of the map of the way down at the finer size.
        width: M of what comes out.
        skip: whether the finer map is used; else only its size.
    """

    def __init__(self, coarse: int, fine: int, width: int, skip: bool) -> None:
        super().__init__()
        self.skip, self.width = skip, width
        self.narrow = nn.Conv2d(coarse, width if skip else fine + width, 1, bias=False)
        self.mix = conv_norm(fine + width, width)
        initialise(self)
        start_linear(self.narrow)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """(N, coarse, h, w) and (N, fine, h', w') -> (N, width, h', w')."""
        x = F.interpolate(self.narrow(coarse), size=fine.shape[-2:])
        both = torch.cat([fine, x], 1) if self.skip else x
        return both[:, -self.width :] + self.mix(both)
