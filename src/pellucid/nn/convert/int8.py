"""Convolutions in eight bits: weights and maps are whole numbers, and only the sums between are 32 bits wide.

A map a is kept as q = round(a / s) + z in 0..255, its scale s and zero point z fixed by the least and the greatest
number seen on an example; a filter as whole numbers in -127..127 with a scale of its own. Then
    conv(a, w) = s s_w Σ (q - z) q_w,
and the processor multiplies four pairs of eight bits where it would multiply one of 32 (or two of bf16). A map stays
in eight bits from a convolution to the next, through sums with shortcuts and max pooling; what else reads it gets
numbers again. Jacob et al. 2018 (https://arxiv.org/abs/1712.05877).

Letters: N pictures, C channels, F filters, h x w cells of a feature map.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from pellucid.nn.convert.following import After
from pellucid.nn.convert.max_pool import ShiftedMaxPool2d
from pellucid.nn.convert.packed import PackedConv2d

LEVELS = 255
INSIDE = ("none", "relu", "hardtanh", "hardswish", "swish")  # what can be done on the way out


@dataclass(frozen=True)
class Scale:
    """q = round(a / step) + zero, in 0..255."""

    step: float
    zero: int

    @staticmethod
    def spanning(least: float, most: float) -> "Scale":
        """With 0 exactly on a level: padding is zeros."""
        least, most = min(least, 0.0), max(most, 0.0)
        step = max(most - least, 1e-12) / LEVELS
        return Scale(step, round(-least / step))


class ToInt8(nn.Module):
    """Numbers to eight bits.

    Args:
        scale: what a level is worth.
    """

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> the same shape in uint8, channels last."""
        levels = (x.float() / self.scale.step + self.scale.zero).round_().clamp_(0, LEVELS)
        return levels.to(torch.uint8, memory_format=torch.channels_last)


class FromInt8(nn.Module):
    """Eight bits to numbers.

    Args:
        scale: what a level is worth.
        dtype: of the numbers.
    """

    def __init__(self, scale: Scale, dtype: torch.dtype) -> None:
        super().__init__()
        self.scale, self.dtype = scale, dtype

    def forward(self, q: Tensor) -> Tensor:
        """(N, C, h, w) uint8 -> the same shape."""
        return ((q.float() - self.scale.zero) * self.scale.step).to(self.dtype)


class Int8Conv2d(nn.Module):
    """A convolution of eight bits, with what follows it.

    Args:
        conv: as it is, in float32, norms folded; padding with zeros only, in numbers.
        after: the activation that follows.
        given: scale of the input.
        out: scale of the output; None gives numbers of type `dtype`.
        dtype: of numbers.
        input_size: (N, C, h, w) that is usual.
    """

    def __init__(
        self, conv: nn.Conv2d, after: After, given: Scale, out: Scale | None, dtype: torch.dtype, input_size: list[int]
    ) -> None:
        super().__init__()
        self.after, self.given, self.out, self.said = after, given, out, conv.extra_repr()
        self.added = Scale(1.0, 0)
        self.dtype = dtype if out is None else torch.uint8
        weight = conv.weight.detach().float()
        steps = weight.abs().amax((1, 2, 3)).clamp(min=1e-12) / 127  # (F,)
        levels = (weight / steps[:, None, None, None]).round().to(torch.int8)
        self.steps, self.zeros = steps, torch.zeros(len(steps), dtype=torch.int8)
        self.bias = None if conv.bias is None else conv.bias.detach().float()
        padding = [int(side) for side in conv.padding]
        self.shape = (list(conv.stride), padding, list(conv.dilation), conv.groups)
        self.weight = torch.ops.onednn.qconv_prepack(levels, steps, given.step, given.zero, *self.shape, input_size)

    def forward(self, q: Tensor, shortcut: Tensor | None = None, over: bool = False) -> Tensor:
        """(N, C, h, w) uint8 -> (N, F, h', w').

        Args:
            q: levels of the input.
            shortcut: levels of what is added, of the output's shape, by the scale `added`.
            over: the result may be written over it.
        """
        weights = (q, self.given.step, self.given.zero, self.weight, self.steps, self.zeros)
        out = Scale(1.0, 0) if self.out is None else self.out
        name, numbers, algorithm, _ = self.after
        if shortcut is None:
            return torch.ops.onednn.qconv_pointwise(
                *weights, self.bias, *self.shape, out.step, out.zero, self.dtype, name, list(numbers), algorithm
            )
        if not over or len(shortcut) != len(q):
            shortcut = shortcut.expand(len(q), *shortcut.shape[1:]).clone(memory_format=torch.channels_last)
        return torch.ops.onednn.qconv2d_pointwise.binary(
            *weights,
            shortcut,
            self.bias,
            *self.shape,
            out.step,
            out.zero,
            self.dtype,
            self.added.step,
            self.added.zero,
            "sum",
            1.0,
            name,
            [],
            "",
        )

    def extra_repr(self) -> str:
        return f"{self.said}, after={self.after.name}"


def can_int8() -> bool:
    """Whether this torch has the operators."""
    return all(hasattr(torch.ops.onednn, name) for name in ("qconv_prepack", "qconv_pointwise", "qconv2d_pointwise"))


def to_int8(net: fx.GraphModule, plain: nn.Module, example: Tensor) -> fx.GraphModule:
    """Put the convolutions of a packed network into eight bits, in place.

    Args:
        net: from `pellucid.nn.convert.pack.pack`.
        plain: what it was made from, for the weights.
        example: a representative input in the precision of `net`: the range of every map comes from it.
    """
    layers, plain_layers = dict(net.named_modules()), dict(plain.named_modules())
    seen = _Seen(net)
    with torch.no_grad():
        seen.run(example)
    calls = [str(node.target) for node in net.graph.nodes if node.op == "call_module"]
    made = _Levels(net, seen, example.dtype)

    def is_conv(node: fx.Node) -> bool:
        layer = layers.get(str(node.target)) if node.op == "call_module" else None
        if not isinstance(layer, PackedConv2d) or layer.after.name not in INSIDE or calls.count(str(node.target)) != 1:
            return False
        return len(node.args) == 1 or seen.shapes[node.all_input_nodes[-1]] == seen.shapes[node]  # no stretching

    def is_pool(node: fx.Node) -> bool:
        return node.op == "call_module" and isinstance(layers[str(node.target)], ShiftedMaxPool2d)

    def wanted(node: fx.Node) -> bool:
        """Whether something reads it in eight bits."""
        return any(is_conv(reader) or (is_pool(reader) and wanted(reader)) for reader in node.users)

    for node in list(net.graph.nodes):
        if is_conv(node):
            name, reads = str(node.target), list(node.args)
            summed = len(reads) == 3
            x = made.levels(reads[0])
            layer: Any = layers[name]
            conv: Any = plain_layers[name]
            out = seen.scale(node) if summed or wanted(node) else None
            eight = Int8Conv2d(conv, layer.after, made.scales[x], out, example.dtype, list(seen.shapes[reads[0]]))
            if summed:
                other = made.levels(reads[1])
                eight.added = made.scales[other]
                reads[1:] = [other, bool(reads[2]) and other is reads[1]]
            node.args = (x, *reads[1:])
            net.add_submodule(name, eight)
            if out is not None:
                made.scales[node] = out
        elif is_pool(node) and node.args[0] in made.scales and wanted(node):
            made.scales[node] = made.scales[node.all_input_nodes[0]]
        else:
            for before in node.all_input_nodes:
                if before in made.scales:
                    node.replace_input_with(before, made.numbers(before))
    net.graph.lint()
    net.recompile()
    return net


class _Seen(fx.Interpreter):
    """Runs a network and remembers range and shape of every map."""

    def __init__(self, net: fx.GraphModule) -> None:
        super().__init__(net)
        self.ranges: dict[fx.Node, tuple[float, float]] = {}
        self.shapes: dict[fx.Node, torch.Size] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor) and result.is_floating_point() and result.numel():
            self.ranges[n] = (float(result.min()), float(result.max()))  # now: it may be written over later
            self.shapes[n] = result.shape
        return result

    def scale(self, node: fx.Node) -> Scale:
        return Scale.spanning(*self.ranges[node])


class _Levels:
    """Which nodes are in eight bits, and the steps between both forms, each made once."""

    def __init__(self, net: fx.GraphModule, seen: _Seen, dtype: torch.dtype) -> None:
        self.net, self.seen, self.dtype = net, seen, dtype
        self.scales: dict[fx.Node, Scale] = {}
        self.down: dict[fx.Node, fx.Node] = {}
        self.up: dict[fx.Node, fx.Node] = {}

    def levels(self, node: fx.Node) -> fx.Node:
        """The node in eight bits."""
        if node in self.scales:
            return node
        if node not in self.down:
            scale = self.seen.scale(node)
            self.down[node] = self._behind(node, ToInt8(scale), f"levels_{node.name}")
            self.scales[self.down[node]] = scale
        return self.down[node]

    def numbers(self, node: fx.Node) -> fx.Node:
        """A node that is in eight bits, as numbers."""
        if node not in self.up:
            step = FromInt8(self.scales[node], self.dtype)
            self.up[node] = self._behind(node, step, f"numbers_{node.name}")
        return self.up[node]

    def _behind(self, node: fx.Node, step: nn.Module, name: str) -> fx.Node:
        self.net.add_module(name, step)  # right behind it, before anything may write over it
        with self.net.graph.inserting_after(node):
            return self.net.graph.call_module(name, (node,))
