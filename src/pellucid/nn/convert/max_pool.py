"""Max pooling by shifts: the largest of k strided views along each axis, vectorised for every type of number.

torch's own kernel for channels-last maps keeps the places of the maxima, which evaluation has no use for, and knows
eight bits for small maps only.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ShiftedMaxPool2d(nn.Module):
    """`nn.MaxPool2d` in evaluation, of maps in bf16, float32 or uint8.

    Args:
        pool: its settings; without dilation, indices or ceil mode, see `can_shift`.
    """

    def __init__(self, pool: nn.MaxPool2d) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = _both(pool.kernel_size), _both(pool.stride), _both(pool.padding)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, C, h', w')."""
        (down, right), least = self.padding, float("-inf") if x.is_floating_point() else 0
        if down or right:
            x = F.pad(x, (right, right, down, down), value=least)
        for axis, kernel, stride in zip((3, 2), self.kernel[::-1], self.stride[::-1], strict=True):
            places = (x.shape[axis] - kernel) // stride + 1
            span = (places - 1) * stride + 1
            largest = x.narrow(axis, 0, span)[(slice(None),) * axis + (slice(None, None, stride),)]
            for shift in range(1, kernel):
                seen = x.narrow(axis, shift, span)[(slice(None),) * axis + (slice(None, None, stride),)]
                largest = torch.maximum(largest, seen)
            x = largest
        return x

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, stride={self.stride}, padding={self.padding}"


def can_shift(pool: nn.Module) -> bool:
    """Whether a layer is a max pooling that can be done so."""
    return (
        type(pool) is nn.MaxPool2d
        and _both(pool.dilation) == (1, 1)
        and not pool.return_indices
        and not pool.ceil_mode
        and max(_both(pool.kernel_size)) > 1
        and not pool._forward_hooks
        and not pool._forward_pre_hooks
    )


def _both(setting: int | tuple[int, ...]) -> tuple[int, int]:
    return (setting, setting) if isinstance(setting, int) else (setting[0], setting[1])
