"""What may follow a packed layer inside of it: a sum with a shortcut, and an activation in oneDNN's words."""

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn


def _nothing(x: Tensor) -> Tensor:
    return x


class After(NamedTuple):
    """An activation: its name, numbers and algorithm as oneDNN calls them, and the function that it is."""

    name: str = "none"
    numbers: tuple[float, ...] = ()
    algorithm: str = ""
    function: Callable[[Tensor], Tensor] = _nothing


NOTHING = After()
SUMS = (operator.add, operator.iadd, torch.add, "add", "add_")

LAYERS: dict[type[nn.Module], Callable[[Any], After]] = {
    nn.ReLU: lambda layer: After("relu", function=F.relu),
    nn.ReLU6: lambda layer: After("hardtanh", (0.0, 6.0), function=F.relu6),
    nn.LeakyReLU: lambda layer: After("leaky_relu", (float(layer.negative_slope),), function=layer),
    nn.Sigmoid: lambda layer: After("sigmoid", function=torch.sigmoid),
    nn.Tanh: lambda layer: After("tanh", function=torch.tanh),
    nn.SiLU: lambda layer: After("swish", function=F.silu),
    nn.Hardswish: lambda layer: After("hardswish", function=F.hardswish),
    nn.Hardsigmoid: lambda layer: After("hardsigmoid", function=F.hardsigmoid),
    nn.GELU: lambda layer: After("gelu", (), layer.approximate, layer),
}
FUNCTIONS: dict[Any, After] = {
    F.relu: After("relu", function=F.relu),
    torch.relu: After("relu", function=F.relu),
    "relu": After("relu", function=F.relu),
    "relu_": After("relu", function=F.relu),
    F.relu6: After("hardtanh", (0.0, 6.0), function=F.relu6),
    F.silu: After("swish", function=F.silu),
    F.hardswish: After("hardswish", function=F.hardswish),
    F.hardsigmoid: After("hardsigmoid", function=F.hardsigmoid),
    torch.sigmoid: After("sigmoid", function=torch.sigmoid),
    "sigmoid": After("sigmoid", function=torch.sigmoid),
}


def activation_of(node: fx.Node, layers: dict[str, nn.Module]) -> After | None:
    """The activation that a node is, None if it is none of these."""
    if len(node.all_input_nodes) != 1 or len(node.args) != 1:
        return None
    if node.op == "call_module":
        layer = layers[str(node.target)]
        known = LAYERS.get(type(layer))
        return known(layer) if known and not layer._forward_hooks and not layer._forward_pre_hooks else None
    if node.op in ("call_function", "call_method") and set(node.kwargs) <= {"inplace"}:
        return FUNCTIONS.get(node.target)
    return None


def other_summand(node: fx.Node, summand: fx.Node) -> fx.Node | None:
    """What a node adds to `summand`, if it is a plain sum of two tensors."""
    plain = node.op in ("call_function", "call_method") and node.target in SUMS
    if not plain or len(node.args) != 2 or node.kwargs:
        return None
    others = [other for other in node.all_input_nodes if other is not summand]
    return others[0] if len(others) == 1 else None
