"""Channel shuffle: lets the groups of grouped convolutions meet.

Zhang et al. 2018, "ShuffleNet" (https://arxiv.org/abs/1707.01083), section 3.1.

Letters: N pictures, G groups, C channels, n = C / G channels a group, h x w cells of a feature map.
"""

import torch
from torch import Tensor, nn

from pellucid.core.config import require
from pellucid.core.errors import DataError


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """Deal the channels out like cards: the first of every group, then the second of every group, and so on.

    Channel g · n + i moves to i · G + g, so that a later convolution in G groups sees every earlier group.

    Args:
        x: (N, C, ...).
        groups: G, a divisor of C; 1 and C change nothing.

    Raises:
        DataError: G does not divide C.
    """
    channels = x.shape[1]
    if groups < 1 or channels % groups:
        raise DataError(
            f"channel shuffle: {groups} groups do not divide the {channels} channels of x {tuple(x.shape)}."
        )
    # Whole extents, no -1: the shapes stay symbolic under torch.export.
    if x.dim() == 4 and not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last):
        # The same with channels as the last axis: the result stays channels_last, which spares a copy back.
        last = x.permute(0, 2, 3, 1).unflatten(3, (groups, channels // groups))  # (N, h, w, G, n)
        return last.transpose(3, 4).flatten(3, 4).permute(0, 3, 1, 2)  # (N, C, h, w)
    grouped = x.unflatten(1, (groups, channels // groups))  # (N, G, n, ...)
    return grouped.transpose(1, 2).flatten(1, 2)  # (N, n · G = C, ...)


def channel_unshuffle(x: Tensor, groups: int) -> Tensor:
    """The inverse: put shuffled channels back. Dealing to n hands undoes dealing to G.

    Raises:
        DataError: G does not divide C.
    """
    return channel_shuffle(x, x.shape[1] // groups if groups > 0 and x.shape[1] % groups == 0 else groups)


class ChannelShuffle(nn.Module):
    """`channel_shuffle` as a layer without weights.

    Args:
        groups: G.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        require(groups >= 1, "groups", "1 or more", groups)
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) -> the same shape."""
        return channel_shuffle(x, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
