"""From a plain network, tensors in and tensors out, to the batch-in, outputs-out form of the tasks."""

import math
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from pellucid.core.preprocess import Preprocess
from pellucid.ops.normalise import normalise


@runtime_checkable
class HasAuxiliaryHeads(Protocol):
    """A network that gives more than logits in training."""

    def outputs(self, x: Tensor) -> dict[str, Tensor]:
        """(N, C, H, W) -> `logits`, and in training `auxiliary1`, `auxiliary2`, ..."""


class FromBatch(nn.Module):
    """Normalise `batch["image"]` (N, C, H, W) uint8 and give `{"logits": net(x)}`.

    The preprocessing lies inside, so nobody can feed the network numbers it was not trained on. A network with
    `outputs(x)` gives that in training: the logits and those of its auxiliary heads, under their own names.

    Args:
        mirror: outside training give the logarithm of the mean of two softmaxes, of the picture and its mirror image:
            a picture and its mirror image get the same answer, for twice the work. For classifiers only.
    """

    def __init__(self, net: nn.Module, preprocess: Preprocess, mirror: bool = False) -> None:
        super().__init__()
        self.net = net
        self.preprocess = preprocess
        self.mirror = mirror

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        x = normalise(batch["image"], self.preprocess)
        if self.training and isinstance(self.net, HasAuxiliaryHeads):
            return self.net.outputs(x)
        if self.mirror and not self.training:
            left, right = (self.net(view).float().log_softmax(1) for view in (x, x.flip(3)))  # (N, K)
            return {"logits": torch.logaddexp(left, right) - math.log(2)}
        return {"logits": self.net(x)}


class FromPixels(nn.Module):
    """Give `{"logits": net(batch["image"])}`: for nets that begin with the pixels as they are, (N, C, H, W) uint8."""

    def __init__(self, net: nn.Module, preprocess: Preprocess) -> None:
        super().__init__()
        self.net = net
        self.preprocess = preprocess

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"logits": self.net(batch["image"])}
