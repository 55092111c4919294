"""Maxout: the largest of k learnt affine functions. Goodfellow et al. 2013 (https://arxiv.org/abs/1302.4389).

Letters: N samples, D inputs, M outputs, k pieces, C channels in, F channels out.
"""

from torch import Tensor, nn

from pellucid.core.config import require
from pellucid.core.errors import DataError


def maxout(z: Tensor, pieces: int) -> Tensor:
    """The largest of every `pieces` neighbouring channels: (N, k · M, ...) -> (N, M, ...).

    Of equal pieces the first gets the gradient.

    Raises:
        DataError: k does not divide the channels.
    """
    if pieces < 1 or z.shape[1] % pieces:
        raise DataError(f"maxout: {pieces} pieces do not divide the {z.shape[1]} channels of x {tuple(z.shape)}.")
    return z.unflatten(1, (z.shape[1] // pieces, pieces)).max(dim=2).values  # (N, M, k, ...) -> (N, M, ...)


class Maxout(nn.Module):
    """A linear layer of k pieces and their maximum: y_m = max_j (x W_j + b_j)_m.

    The pieces of one output are neighbouring rows of `linear.weight`: row m · k + j is piece j of output m.

    Args:
        d_in, d_out: D and M.
        pieces: k; 2 make a ReLU or an absolute value, more any convex function of so many lines.
    """

    def __init__(self, d_in: int, d_out: int, pieces: int = 2) -> None:
        super().__init__()
        require(pieces >= 1, "pieces", "1 or more", pieces)
        self.pieces = pieces
        self.linear = nn.Linear(d_in, d_out * pieces)

    def forward(self, x: Tensor) -> Tensor:
        """(N, D) -> (N, M)."""
        return maxout(self.linear(x), self.pieces)


class Maxout2d(nn.Module):
    """The same for pictures: a convolution of k · F filters, and the largest answer of every k.

    Args:
        c_in, c_out: C and F.
        kernel, stride, padding: of the convolution.
        pieces: k.
    """

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1, padding: int = 0, pieces: int = 2) -> None:
        super().__init__()
        require(pieces >= 1, "pieces", "1 or more", pieces)
        self.pieces = pieces
        self.conv = nn.Conv2d(c_in, c_out * pieces, kernel, stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, F, h', w')."""
        return maxout(self.conv(x), self.pieces)
