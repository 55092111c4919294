"""Statistics of batch norm, measured anew for weights that no batch has seen yet."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import torch
from torch import nn

MEASURED_ON = (
    10_000  # pictures; a thousand to ten thousand are enough (Wu & Johnson 2021, https://arxiv.org/abs/2105.07576)
)


@torch.no_grad()
def measure_statistics(model: nn.Module, batches: Iterable[Any], n_batches: int) -> None:
    """Replace the running statistics of `model` by their mean over the first batches, each counting the same.

    Only of norms that are in training mode: those that keep their statistics in training keep them here. Everything
    else runs as in evaluation, so no random number is drawn. All modes are as before in the end.

    Args:
        batches: as the model takes them.
        n_batches: how many of them are looked at, 1 or more.
    """
    norms: list[Any] = [m for m in model.modules() if m.training and getattr(m, "running_mean", None) is not None]
    if not norms:
        return
    modes = {module: module.training for module in model.modules()}
    momenta = [norm.momentum for norm in norms]
    model.eval()
    try:
        for norm in norms:
            norm.training = True
        for number, batch in enumerate(islice(batches, n_batches)):
            for norm in norms:
                norm.momentum = 1 / (number + 1)  # the running mean becomes the mean of all batches so far
            model(batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for module, mode in modes.items():
            module.training = mode
