"""What comes out of every layer of a network, on pictures or on noise."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.core.preprocess import Preprocess
from pellucid.data.load import load
from pellucid.data.single import as_batch
from pellucid.nn.activation_statistics import activation_statistics, lines
from pellucid.ops.normalise import normalise
from pellucid.runs.networks.opened import open_network


def summarise_activations(
    name: str,
    n_classes: int | None = None,
    channels: int | None = None,
    size: tuple[int, int] | None = None,
    data: Any = None,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Layer rows with mean and deviation of what comes out of each, and the hidden layers as lines.

    A fresh network runs as in its first training step, with the batch's own statistics in batch norm; a run's network
    runs as it predicts.

    Args:
        name, n_classes, channels, size: as for `open_network`.
        data: anything `pellucid.load` takes, of which up to 32 pictures spread over the whole are looked at; None for
            16 pictures of standard normal noise.

    Raises:
        ConfigError: as `open_network`.
        DataError: the data cannot be read.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # the same weights and noise every time
        opened = open_network(name, n_classes, channels, size)
        batch = _pictures(data, opened.preprocess, opened.trained) if data is not None else _noise(opened.preprocess)
        found = activation_statistics(opened.net, batch, training=not opened.trained)
    rows = [
        {
            "layer": row.name,
            "kind": row.kind,
            "hidden layer": row.hidden or None,
            "output": "x".join(map(str, row.shape)),
            "mean": row.mean,
            "std": row.std,
            "zeros": row.zeros,
            "saturated": row.saturated,
        }
        for row in found
    ]
    return rows, lines(found)


def _noise(preprocess: Preprocess) -> Tensor:
    return torch.randn(16, preprocess.channels, *preprocess.size)


def _pictures(data: Any, preprocess: Preprocess, trained: bool) -> Tensor:
    """Pictures as the network takes them; for a fresh one, standardised channel by channel among themselves."""
    source = load(data)
    rows = np.linspace(0, len(source) - 1, min(32, len(source))).round().astype(int)
    image = as_batch([source.images[row] for row in rows], preprocess)["image"]
    if trained:
        return normalise(image, preprocess)
    numbers = image.float()
    std, mean = torch.std_mean(numbers, dim=(0, 2, 3), keepdim=True, correction=0)
    return (numbers - mean) / std.clamp(min=1.0)  # of 255: an empty channel stays at 0
