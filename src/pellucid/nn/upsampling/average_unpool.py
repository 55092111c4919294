"""Average unpooling: each value is spread evenly over the window it came from.

Letters: N pictures, C channels, h x w cells after pooling, H x W before, f x f the window, s its stride.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.errors import DataError

KEEP = {"sum": False, "mean": True}  # whether each value is copied whole


def average_unpool(
    x: Tensor,
    kernel: int,
    stride: int | None = None,
    padding: int = 0,
    size: tuple[int, int] | None = None,
    keep: str = "sum",
) -> Tensor:
    """The adjoint of average pooling, or that times f²; windows that overlap add.

    Args:
        x: (N, C, h, w) values.
        kernel, stride, padding: of the pooling; padding counted among what is averaged. A stride of None is f.
        size: (H, W) before pooling where several give (h, w); None takes the smallest, (h - 1) s + f - 2 padding.
        keep: "sum" shares each value out, so that a map keeps its sum; "mean" copies it, so that average pooling
            gives it back where windows do not overlap. With f = s that is nearest-neighbour up-sampling.

    Raises:
        ConfigError: `keep` is neither.
        DataError: x is not (N, C, h, w), or pooling maps of `size` does not give h x w.
    """
    whole = choose(keep, KEEP, "keep")
    if x.dim() != 4:
        raise DataError(f"average unpool: x must be (N, C, H, W), got {tuple(x.shape)}.")
    step = stride or kernel
    smallest = [(cells - 1) * step + kernel - 2 * padding for cells in x.shape[2:]]
    rest = [wanted - least for wanted, least in zip(size or smallest, smallest, strict=True)]
    if not all(0 <= more < step for more in rest):
        raise DataError(
            f"average unpool: pooling maps of {tuple(size or smallest)} with kernel {kernel}, stride {step} and padding"
            f" {padding} does not give {tuple(x.shape[2:])}."
        )
    share = 1.0 if whole else 1.0 / kernel**2
    weight = x.new_full((x.shape[1], 1, kernel, kernel), share)
    # What lies beyond the last window gets nothing: a transposed convolution's output padding is just that.
    return F.conv_transpose2d(x, weight, None, step, padding, (rest[0], rest[1]), groups=x.shape[1])


class AverageUnpool(nn.Module):
    """`average_unpool` as a layer.

    Args:
        kernel, stride, padding, keep: as of the function.
    """

    def __init__(self, kernel: int, stride: int | None = None, padding: int = 0, keep: str = "sum") -> None:
        super().__init__()
        require(kernel >= 1, "kernel", "1 or more", kernel)
        choose(keep, KEEP, "keep")
        self.kernel, self.stride, self.padding, self.keep = kernel, stride or kernel, padding, keep

    def forward(self, x: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """(N, C, h, w) -> (N, C, H, W)."""
        return average_unpool(x, self.kernel, self.stride, self.padding, size, self.keep)

    def extra_repr(self) -> str:
        return f"{self.kernel}, stride={self.stride}, padding={self.padding}, keep={self.keep!r}"
