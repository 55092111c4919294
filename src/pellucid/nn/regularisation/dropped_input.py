"""Dropout of what a layer gets, put before it from outside: names and shapes of all tensors stay.

Inverted: what is kept is divided by 1 - p in training, so that evaluation needs nothing and changes nothing, as in
`scratch/regularisation/dropout.py` and `channel_dropout.py`.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.config import require


@dataclass
class DroppedInput:
    """A forward pre-hook: drops parts of a layer's first input while the layer is in training mode.

    Args:
        p: probability to drop, in [0, 1).
        channels: drop whole channels of (N, C, ...) instead of single numbers, since neighbours in a feature map tell
            what a dropped one was (Tompson et al. 2015, https://arxiv.org/abs/1411.4280).
    """

    p: float
    channels: bool = False

    def __post_init__(self) -> None:
        require(0 <= self.p < 1, "p", "in [0, 1)", self.p)

    def __call__(self, layer: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """What the layer gets instead; None leaves it as it is."""
        if not layer.training:
            return None
        return self.drop(given[0]), *given[1:]

    def drop(self, x: Tensor) -> Tensor:
        """Any shape -> the same shape; with `channels` (N, C, H, W)."""
        return F.dropout2d(x, self.p) if self.channels else F.dropout(x, self.p)


def drop_input(layer: nn.Module, p: float, channels: bool = False) -> None:
    """Let `layer` miss parts of its input in training."""
    layer.register_forward_pre_hook(DroppedInput(p, channels))
