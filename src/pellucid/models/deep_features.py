"""Features of a network: what its last linear layer reads."""

import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError


def last_linear(net: nn.Module) -> nn.Linear:
    """The layer that turns features into class scores.

    Raises:
        ConfigError: the network has no linear layer.
    """
    layers = [module for module in net.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ConfigError(f"{type(net).__name__} has no linear layer, so it has no features to read before it.")
    return layers[-1]


def deep_features(net: nn.Module, x: Tensor) -> Tensor:
    """(N, C, H, W) standardised pixels -> (N, D): the input of the last linear layer.

    Razavian et al. 2014, "CNN Features off-the-shelf" (arXiv:1403.6382).

    Raises:
        ConfigError: the network has no linear layer.
    """
    seen: list[Tensor] = []
    handle = last_linear(net).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        with torch.no_grad():
            net(x)
    finally:
        handle.remove()
    return seen[-1].flatten(1)
