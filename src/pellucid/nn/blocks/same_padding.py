"""Convolution with TensorFlow's SAME padding, which torch has for stride 1 alone.

The output has ceil(h / stride) rows. The padding that this takes depends on h, and where it is odd the extra row lies
below (and the extra column to the right): at stride 2 an even picture is padded on one side only. Weights trained
that way are off by half a pixel in every stage under symmetric padding.

TensorFlow's rule: https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2.

Letters: N pictures, C channels, h x w cells of a feature map.
"""

from torch import Tensor, nn
from torch.nn import functional as F


def same_padding(size: int, kernel: int, stride: int = 1) -> tuple[int, int]:
    """Rows before and after, so that a side of `size` gives ceil(size / stride)."""
    total = max(((size + stride - 1) // stride - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def same_conv(c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = True) -> nn.Conv2d:
    """A convolution with SAME padding: at stride 1 and odd `kernel` an ordinary one, which folding knows."""
    if stride == 1 and kernel % 2:
        return nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, groups=groups, bias=bias)
    return SameConv2d(c_in, c_out, kernel, stride, groups, bias)


class SameConv2d(nn.Conv2d):
    """`nn.Conv2d` with SAME padding; weights and names are those of `nn.Conv2d`.

    Args:
        c_in, c_out: channels before and after.
        kernel: side of the filter.
        stride: step in both directions.
        groups: as in `nn.Conv2d`.
        bias: whether a bias is added.
    """

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = True) -> None:
        # The padding told to torch is that of one side at most: what is read off the layer is then nearly right.
        super().__init__(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, c_out, h/stride, w/stride), rounded up."""
        rows = same_padding(x.shape[2], self.kernel_size[0], self.stride[0])
        columns = same_padding(x.shape[3], self.kernel_size[1], self.stride[1])
        if rows[0] == rows[1] and columns[0] == columns[1]:  # no copy of x
            padding = (rows[0], columns[0])
            return F.conv2d(x, self.weight, self.bias, self.stride, padding, groups=self.groups)
        return F.conv2d(F.pad(x, (*columns, *rows)), self.weight, self.bias, self.stride, groups=self.groups)
