"""Bed of nails: every value in the upper left corner of its cell, zeros elsewhere.

Letters: N pictures, C channels, h x w cells of a feature map, s the factor.
"""

from torch import Tensor, nn

from pellucid.core.config import require
from pellucid.core.errors import DataError


def bed_of_nails(x: Tensor, scale: int) -> Tensor:
    """out[s·i, s·j] = x[i, j], 0 elsewhere: (N, C, h, w) -> (N, C, s·h, s·w).

    Raises:
        DataError: x is not (N, C, h, w), or s is below 1.
    """
    if x.dim() != 4 or scale < 1:
        raise DataError(f"bed of nails: x must be (N, C, H, W) and scale 1 or more, got {tuple(x.shape)} and {scale}.")
    n, c, height, width = x.shape
    out = x.new_zeros(n, c, height * scale, width * scale)
    out[:, :, ::scale, ::scale] = x
    return out


class BedOfNails(nn.Module):
    """`bed_of_nails` as a layer.

    Args:
        scale: s.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        require(scale >= 1, "scale", "1 or more", scale)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, C, s·h, s·w)."""
        return bed_of_nails(x, self.scale)

    def extra_repr(self) -> str:
        return f"scale={self.scale}"
