"""How weights start. He et al. 2015, "Delving Deep into Rectifiers" (https://arxiv.org/abs/1502.01852)."""

from typing import Literal

import torch
from torch import nn


def initialise(net: nn.Module, mode: Literal["fan_in", "fan_out"] = "fan_out") -> None:
    """Draw every weight of `net` anew: He's normal for convolutions and linear layers, zero biases, norms as identity.

    `fan_out` keeps the variance of gradients, `fan_in` that of activations. Transposed convolutions and layers
    with weights of their own making (attention, embeddings) are left alone.
    """
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)) and module.affine:
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def start_linear(net: nn.Module) -> None:
    """Draw anew the convolutions of `net` that no ReLU follows, with half the variance of He's, which keeps the signal.

    With He's, every linear bottleneck would double the variance until statistics of the norms have settled.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def start_small(head: nn.Linear | nn.Conv2d, std: float = 0.01) -> None:
    """Let the last layer begin with nearly equal logits, so that the first loss is ln K.

    Deviation 0.01 after https://arxiv.org/abs/1706.02677, section 5.1.
    """
    nn.init.normal_(head.weight, std=std)
    if head.bias is not None:
        nn.init.zeros_(head.bias)


def blank_linear(n_in: int, n_out: int) -> nn.Linear:
    """A linear layer whose weights nobody has drawn yet: `initialise` has to follow.

    torch draws weights when it makes a layer. Of a hundred million, which would be drawn anew, that takes seconds.
    """
    with torch.device("meta"):
        layer = nn.Linear(n_in, n_out)
    return layer.to_empty(device=torch.get_default_device())
