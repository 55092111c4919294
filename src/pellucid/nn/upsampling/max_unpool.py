"""Max unpooling: every value goes back to where its maximum was found, zeros elsewhere.

Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks" (https://arxiv.org/abs/1311.2901),
section 2.1, whose word for the places is switches.

Letters: N pictures, C channels, h x w cells after pooling, H x W before.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.core.errors import DataError


def max_unpool(x: Tensor, switches: Tensor, size: tuple[int, int]) -> Tensor:
    """Put values (N, C, h, w) at their places in maps (N, C, H, W); values of the same place add.

    They add because that is what max pooling does to gradients where windows overlap, and so this is exactly its
    adjoint; `torch.nn.MaxUnpool2d` keeps any one of them instead.

    Args:
        x: (N, C, h, w) values.
        switches: (N, C, h, w) integers, row · W + column: the second result of `F.max_pool2d(..., return_indices)`.
        size: (H, W).

    Raises:
        DataError: the shapes differ, or a switch lies outside.
    """
    height, width = size
    if x.dim() != 4 or x.shape != switches.shape:
        shapes = f"{tuple(x.shape)} and {tuple(switches.shape)}"
        raise DataError(f"max unpool: x and switches must both be (N, C, H, W), got {shapes}.")
    known = not switches.is_meta and not torch.compiler.is_compiling()  # else there are no numbers to look at
    if known and switches.numel() and not 0 <= int(switches.min()) <= int(switches.max()) < height * width:
        found = f"{int(switches.min())} to {int(switches.max())}"
        raise DataError(
            f"max unpool: switches must be 0 to {height * width - 1} in maps of {height} x {width}, got {found}."
        )
    out = x.new_zeros(*x.shape[:2], height * width)
    return out.scatter_add(2, switches.flatten(2), x.flatten(2)).unflatten(2, (height, width))


class SwitchedMaxPool(nn.Module):
    """Max pooling that also says where each maximum stood, for a `MaxUnpool` further on.

    Args:
        kernel, stride, padding: of the pooling; a stride of None is that of the kernel.
        ceil_mode: let windows that reach over the border count, so that sides are rounded up, not down.
    """

    def __init__(self, kernel: int, stride: int | None = None, padding: int = 0, ceil_mode: bool = False) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding, self.ceil_mode = kernel, stride or kernel, padding, ceil_mode

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> maxima and switches, both (N, C, h, w)."""
        out, switches = F.max_pool2d(
            x, self.kernel, self.stride, self.padding, ceil_mode=self.ceil_mode, return_indices=True
        )
        return out, switches

    def extra_repr(self) -> str:
        return f"{self.kernel}, stride={self.stride}, padding={self.padding}"


class MaxUnpool(nn.Module):
    """`max_unpool` as a layer, which takes the switches of a pool and the size before it."""

    def forward(self, x: Tensor, switches: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
        """(N, C, h, w) -> (N, C, H, W); of `size` the last two numbers count."""
        return max_unpool(x, switches, (size[-2], size[-1]))
