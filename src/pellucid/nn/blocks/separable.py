"""Separable convolution: first space in each channel alone (depthwise), then channels at each pixel (pointwise).

Howard et al. 2017, "MobileNets" (https://arxiv.org/abs/1704.04861), section 3.1: of a standard layer's weights and
multiply-adds, 1 / F + 1 / (kernel · kernel) remain.

Letters: N pictures, C channels in, F channels out, h x w cells of a feature map.
"""

from collections.abc import Callable, Sequence

from torch import Tensor, nn


class SeparableConv2d(nn.Sequential):
    """A depthwise convolution that keeps the size (at stride 1, odd kernel), then a 1x1 one.

    Args:
        c_in, c_out: C and F.
        kernel, stride, dilation: of the depthwise part.
        bias: of both parts.
        between: makes what stands between the parts for C channels, such as a norm and an activation; MobileNet has
            them there, Xception has nothing.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: int = 3,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = True,
        between: Callable[[int], Sequence[nn.Module]] = lambda channels: (),
    ) -> None:
        padding = dilation * (kernel // 2)
        super().__init__(
            nn.Conv2d(c_in, c_in, kernel, stride, padding, dilation, groups=c_in, bias=bias),
            *between(c_in),
            nn.Conv2d(c_in, c_out, 1, bias=bias),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, F, h / stride, w / stride), rounded up."""
        return super().forward(x)
