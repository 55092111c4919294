"""Multi-rate branches: the same map seen through holes of several widths, side by side.

Chen et al. 2017, "DeepLab" (https://arxiv.org/abs/1606.00915), section 3.2, atrous spatial pyramid pooling. A 3x3
kernel at rate D reaches over 2 D + 1 pixels for nine weights, so small and large things are seen at one resolution.

Letters: N pictures, C channels in, F channels of a branch, R branches, h x w cells of a feature map.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from pellucid.core.config import require


class DilatedBranches(nn.Module):
    """One dilated convolution a rate, their maps concatenated: the size stays and the channels add.

    Args:
        c_in: C.
        c_branch: F.
        rates: dilation of each branch. A branch whose rate exceeds the map sees its centre tap alone.
        kernel: an odd number.
        bias: of the convolutions.
        after: makes what follows each convolution, for F channels; a norm and an activation, say.
    """

    def __init__(
        self,
        c_in: int,
        c_branch: int,
        rates: Sequence[int] = (1, 2, 4),
        kernel: int = 3,
        bias: bool = True,
        after: Callable[[int], Sequence[nn.Module]] = lambda channels: (),
    ) -> None:
        super().__init__()
        require(len(rates) > 0 and min(rates) >= 1, "rates", "at least one number of 1 or more", tuple(rates))
        require(kernel % 2 == 1, "kernel", "odd, or the size would change", kernel)
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(c_in, c_branch, kernel, padding=rate * (kernel // 2), dilation=rate, bias=bias),
                *after(c_branch),
            )
            for rate in rates
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, R · F, h, w), in the order of the rates."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)
