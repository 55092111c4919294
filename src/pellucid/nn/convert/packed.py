"""Convolutions and linear layers as oneDNN likes them: weights laid out once, and what follows done on the way out.

An eager convolution on a CPU lays its weights out anew in every call, writes its result, and the activation reads and
writes it again. Here the weights keep oneDNN's own order, and an activation, or the sum with a shortcut and its
activation, is part of the convolution. These are the operators that `torch.compile` uses on a CPU, without compiling.

Letters: N pictures, C channels, h x w cells of a feature map, D inputs and M outputs of a linear layer.
"""

from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.nn.convert.following import NOTHING


class PackedConv2d(nn.Module):
    """A convolution for evaluation on a CPU, with what follows it; works in the precision of its weights.

    Args:
        conv: as it is; its weights are copied. Padding with zeros only, in numbers.
        input_size: (N, C, h, w) that is usual; the order of the weights suits it, others work too.
    """

    def __init__(self, conv: nn.Conv2d, input_size: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.kernel = conv.kernel_size
        self.stride, self.padding = list(conv.stride), [int(side) for side in conv.padding]
        self.dilation, self.groups, self.channels = list(conv.dilation), conv.groups, conv.out_channels
        self.after, self.said = NOTHING, conv.extra_repr()
        self.bias = None if conv.bias is None else conv.bias.detach().clone()
        # No buffer: a tensor in oneDNN's order can neither be moved nor written to a file.
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(
            conv.weight.detach(),
            self.padding,
            self.stride,
            self.dilation,
            self.groups,
            list(input_size) if input_size else None,
        )

    def forward(self, x: Tensor, shortcut: Tensor | None = None, over: bool = False) -> Tensor:
        """after(conv(x)), or after(conv(x) + shortcut): (N, C, h, w) -> (N, F, h', w').

        Args:
            x: the input.
            shortcut: anything that can be added to the output.
            over: the result may be written over the shortcut, which nothing reads any more.
        """
        shape = (self.weight, self.bias, self.padding, self.stride, self.dilation, self.groups)
        name, numbers, algorithm, function = self.after
        if shortcut is None:
            return torch.ops.mkldnn._convolution_pointwise(x, *shape, name, list(numbers), algorithm)
        if shortcut.shape != self._output_shape(x) or shortcut.dtype != x.dtype:  # it is stretched by the sum
            return function(torch.ops.mkldnn._convolution_pointwise(x, *shape, "none", [], "") + shortcut)
        behind = ("add", 1.0, None if name == "none" else name, list(numbers), algorithm)
        shortcut = shortcut.contiguous(memory_format=torch.channels_last)  # as the result is laid out
        if over:
            return torch.ops.mkldnn._convolution_pointwise_.binary(shortcut, x, *shape, *behind)
        return torch.ops.mkldnn._convolution_pointwise.binary(x, shortcut, *shape, *behind)

    def _output_shape(self, x: Tensor) -> tuple[int, ...]:
        sides = (
            (size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
            for size, pad, dilation, kernel, stride in zip(
                x.shape[2:], self.padding, self.dilation, self.kernel, self.stride, strict=True
            )
        )
        return x.shape[0], self.channels, *sides

    def extra_repr(self) -> str:
        return f"{self.said}, after={self.after.name}"


class PackedLinear(nn.Module):
    """A linear layer for evaluation on a CPU, with the activation that follows it.

    Args:
        linear: as it is; its weights are copied.
        rows: how many rows of numbers are usual in a call; the order of the weights suits that.
    """

    def __init__(self, linear: nn.Linear, rows: int | None = None) -> None:
        super().__init__()
        self.after, self.said = NOTHING, linear.extra_repr()
        self.bias = None if linear.bias is None else linear.bias.detach().clone()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), rows)

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., M)."""
        name, numbers, algorithm, _ = self.after
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, name, list(numbers), algorithm)

    def extra_repr(self) -> str:
        return f"{self.said}, after={self.after.name}"


def can_pack() -> bool:
    """Whether this torch has the operators."""
    names = ("_convolution_pointwise", "_reorder_convolution_weight", "_linear_pointwise", "_reorder_linear_weight")
    return torch.backends.mkldnn.is_available() and all(hasattr(torch.ops.mkldnn, name) for name in names)


def packed(layer: nn.Module, size: tuple[int, ...] | None) -> PackedConv2d | PackedLinear | None:
    """The layer packed, None for what cannot be.

    Args:
        layer: in evaluation, on a CPU.
        size: of its usual input.
    """
    hooked: Any = layer._forward_hooks or layer._forward_pre_hooks or hasattr(layer, "parametrizations")
    if hooked:
        return None
    if type(layer) is nn.Conv2d and layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
        return PackedConv2d(layer, size)
    if type(layer) is nn.Linear:
        return PackedLinear(layer, None if size is None else prod(size[:-1]))
    return None
