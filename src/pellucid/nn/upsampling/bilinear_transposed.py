"""A transposed convolution that starts as bilinear interpolation, and may learn from there.

Long et al. 2015, "Fully Convolutional Networks" (https://arxiv.org/abs/1411.4038), section 3.3.

New pixel r lies at (r + ½) / s - ½ on the old grid (pixels are areas, as `align_corners=False`), and old pixel i
counts there by 1 - |distance|, if that is positive. So the kernel is the tent 1 - |u - centre| / s, which is above
zero on 2 s - 1 taps if its centre falls on a tap and on 2 s if it falls between two. Old pixel i has its centre at
s i + (s - 1) / 2 among the new ones: on one if s is odd, between two if s is even. Hence k = 2 s - s % 2, even for
even s. The centre of the kernel, (k - 1) / 2, has to come to (s - 1) / 2, so padding is (k - s) / 2: the size is
exactly s times the old one. The kernel's shares sum to one at each new pixel; only at the border, within (k - s) / 2
of it, do some fall off, where interpolation repeats the border pixel and this sees zeros.

A kernel that s does not divide reaches some pixels from more sides than others. The tent evens that out exactly
(odd s: k = 2 s - 1), but training from there may bring the checkerboard back; with even s it divides.

Letters: N pictures, C channels, h x w cells of a feature map, s the factor, k the kernel's side.
"""

import torch
from torch import Tensor, nn

from pellucid.core.config import require


def bilinear_kernel(scale: int) -> Tensor:
    """The tent (k, k) of factor s, k = 2 s - s % 2; its numbers sum to s².

    Raises:
        ConfigError: s is below 1.
    """
    require(scale >= 1, "scale", "1 or more", scale)
    side = 2 * scale - scale % 2
    taps = torch.arange(side, dtype=torch.float64)
    tent = 1 - (taps - (side - 1) / 2).abs() / scale  # (k,)
    return torch.outer(tent, tent).float()


class BilinearTransposed(nn.ConvTranspose2d):
    """A transposed convolution, initialised to bilinear interpolation of each channel.

    Away from the border it then equals `F.interpolate(x, scale_factor=s, mode="bilinear")`. Its state is that of
    `nn.ConvTranspose2d`.

    Args:
        channels: C; channels are not mixed.
        scale: s.
        learnable: whether training may change it.
        across: one kernel from each channel to each, zero between different ones at the start, as in the paper;
            else one a channel.
    """

    def __init__(self, channels: int, scale: int, learnable: bool = True, across: bool = False) -> None:
        kernel = bilinear_kernel(scale)
        side = len(kernel)
        groups = 1 if across else channels
        super().__init__(channels, channels, side, scale, (side - scale) // 2, groups=groups, bias=False)
        with torch.no_grad():
            self.weight.zero_()
            for channel in range(channels):
                self.weight[channel, channel if across else 0] = kernel.to(self.weight)
        self.weight.requires_grad_(learnable)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(N, C, h, w) -> (N, C, s·h, s·w)."""
        if self.groups > 1 and x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):  # kernel by kernel, bf16 takes 14 times as long as fp32 here
                return super().forward(x.float(), output_size)
        return super().forward(x, output_size)
