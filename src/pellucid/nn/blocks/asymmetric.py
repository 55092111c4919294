"""Asymmetric pairs: a 1 x n convolution, then an n x 1 one, in place of an n x n one.

Szegedy et al. 2016, "Rethinking the Inception Architecture" (https://arxiv.org/abs/1512.00567), section 3.2: with C
channels throughout 2 n C² weights do the work of n² C², 33 % fewer at n = 3 and 71 % at n = 7.

One after the other, of one channel each and with nothing between, they are an n x n convolution whose kernel has
rank one, the outer product of both.

Letters: N pictures, C channels in, F channels out, n taps, h x w cells of a feature map.
"""

from collections.abc import Callable, Sequence

from torch import Tensor, nn


class AsymmetricConv2d(nn.Sequential):
    """A 1 x n convolution (along the rows), then an n x 1 one (along the columns).

    At stride 1 and odd n the size stays.

    Args:
        c_in, c_out: C and F.
        taps: n.
        c_between: channels between; None takes F.
        stride: of the whole; the first part takes it along the rows, the second along the columns.
        bias: of both parts.
        between: makes what stands between the parts for so many channels; Inception has a norm and a ReLU there.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        taps: int,
        c_between: int | None = None,
        stride: int = 1,
        bias: bool = True,
        between: Callable[[int], Sequence[nn.Module]] = lambda channels: (),
    ) -> None:
        middle = c_out if c_between is None else c_between
        super().__init__(
            nn.Conv2d(c_in, middle, (1, taps), (1, stride), (0, taps // 2), bias=bias),
            *between(middle),
            nn.Conv2d(middle, c_out, (taps, 1), (stride, 1), (taps // 2, 0), bias=bias),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, F, h / stride, w / stride), rounded up."""
        return super().forward(x)
