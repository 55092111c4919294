"""Features of a network: what one of its layers gives, or what its last linear layer reads."""

from typing import Any

import torch
from torch import Tensor, nn

from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError

# N pictures, C channels or maps, H x W pixels, h x w cells, T tokens, D numbers


def last_linear(net: nn.Module) -> nn.Linear:
    """The layer that turns features into class scores.

    Raises:
        ConfigError: the network has no linear layer.
    """
    layers = [module for module in net.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ConfigError(f"{type(net).__name__} has no linear layer, so it has no features to read before it.")
    return layers[-1]


def layer_names(net: nn.Module) -> list[str]:
    """Dotted names of all layers, outer ones before what they are made of."""
    return [name for name, _ in net.named_modules() if name]


def require_layer(net: nn.Module, layer: str | None) -> nn.Module:
    """The layer of that name; None or "" is the last linear one, whose input is read.

    Raises:
        ConfigError: there is no such layer (the message lists all, and the nearest), or no linear one.
    """
    if not layer:
        return last_linear(net)
    modules = dict(net.named_modules())
    if layer not in modules:
        raise ConfigError(unknown(layer, layer_names(net), "layer"))
    return modules[layer]


def layer_features(net: nn.Module, x: Tensor, layer: str | None = None) -> Tensor:
    """What a layer gives for (N, C, H, W) standardised pixels, without gradients.

    Of a layer that is used several times (one ReLU for a whole block), the last time counts.

    Args:
        layer: dotted name, such as `layer3.0.conv2`; None or "" gives the input of the last linear layer.

    Returns:
        (N, D); or as the layer gives it: (N, C, h, w) maps, (N, T, D) tokens.

    Raises:
        ConfigError: there is no such layer, or the network does not call it, or its output is no tensor.
    """
    module = require_layer(net, layer)
    seen: list[Any] = []

    def note_input(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        seen[:] = [inputs[0]]

    def note_output(_: nn.Module, __: tuple[Any, ...], output: Any) -> None:
        first = output[0] if isinstance(output, tuple) and output else output
        seen[:] = [first.clone() if isinstance(first, Tensor) else first]  # a later layer may write into it

    handle = module.register_forward_hook(note_output) if layer else module.register_forward_pre_hook(note_input)
    try:
        with torch.no_grad():
            net(x)
    finally:
        handle.remove()
    if not seen:
        raise ConfigError(f"The network does not call its layer {layer} by itself. Name the layer around it.")
    if not isinstance(seen[0], Tensor):
        raise ConfigError(f"Layer {layer} gives a {type(seen[0]).__name__}, not a tensor. Name a layer inside of it.")
    return seen[0] if layer else seen[0].flatten(1)


def deep_features(net: nn.Module, x: Tensor) -> Tensor:
    """(N, C, H, W) standardised pixels -> (N, D): the input of the last linear layer.

    Razavian et al. 2014, "CNN Features off-the-shelf" (arXiv:1403.6382).

    Raises:
        ConfigError: the network has no linear layer.
    """
    return layer_features(net, x)


def averaged(features: Tensor) -> Tensor:
    """One number a channel: (N, C, h, w) -> (N, C) by the mean over cells, (N, T, D) -> (N, D) over tokens."""
    if features.dim() == 3:
        return features.mean(1)
    return features.flatten(2).mean(2) if features.dim() > 3 else features
