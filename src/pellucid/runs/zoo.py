"""The networks as tables: all of them, and one opened up."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.core.preprocess import Preprocess
from pellucid.data.load import load
from pellucid.data.single import as_batch
from pellucid.models import FAMILIES, create
from pellucid.models.fitted import ABOUT
from pellucid.models.fitted.classifier import FittedClassifier
from pellucid.nn.activation_statistics import activation_statistics, lines
from pellucid.nn.geometry import describe
from pellucid.ops.normalise import normalise
from pellucid.runs.stored.trained import load_trained

USUAL = {"classify": ((32, 32), 3, 10), "segment": ((64, 64), 3, 11)}


def list_models() -> list[dict[str, Any]]:
    """One row a network, measured at a usual size, then the models that are fitted and have no size of their own."""
    rows: list[dict[str, Any]] = []
    for family, table in FAMILIES.items():
        size, channels, n_classes = USUAL[family]
        for name, build in table.items():
            found = describe(build(n_classes, channels, size), channels, size)
            rows.append(
                {
                    "model": name,
                    "task": family,
                    "parameters": found.parameters,
                    "MACs": found.macs,
                    "counted at": f"{size[0]} px, {n_classes} classes",
                    "about": _first_sentence(build.__doc__ or ""),
                }
            )
    return [
        *rows,
        *(
            {**dict.fromkeys(rows[0]), "model": name, "task": "classify", "about": about}
            for name, about in ABOUT.items()
        ),
    ]


def summarise_model(
    name: str, n_classes: int | None = None, channels: int | None = None, size: tuple[int, int] | None = None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Layer rows and sums of a run's network, or of one by name: for 1000 classes of RGB at 224 px unless said.

    Raises:
        ConfigError: no network has that name, or numbers were given for a run, which has its own.
    """
    net, preprocess, _ = _open(name, n_classes, channels, size)
    found = describe(net, preprocess.channels, preprocess.size)
    rows = [
        {
            "layer": row.name,
            "kind": row.kind,
            "output": "x".join(map(str, row.output_shape)),
            "parameters": row.parameters,
            "MACs": row.macs,
            "activation bytes": row.activation_bytes,
            "receptive field": "x".join(map(str, row.receptive_field)),
        }
        for row in found.rows
    ]
    totals = {
        "parameters": found.parameters,
        "trainable": found.trainable,
        "MACs": found.macs,
        "activations in training (bytes)": found.training_bytes,
        "largest in inference (bytes)": found.inference_bytes,
    }
    return rows, totals


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
        name, n_classes, channels, size: as for `summarise_model`.
        data: anything `pellucid.load` takes, of which up to 32 pictures spread over the whole are looked at; None for
            16 pictures of standard normal noise.

    Raises:
        ConfigError: as `summarise_model`.
        DataError: the data cannot be read.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # the same weights and noise every time
        net, preprocess, trained = _open(name, n_classes, channels, size)
        batch = _pictures(data, preprocess, trained) if data is not None else _noise(preprocess)
        found = activation_statistics(net, batch, training=not trained)
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


def _open(
    name: str, n_classes: int | None, channels: int | None, size: tuple[int, int] | None
) -> tuple[nn.Module, Preprocess, bool]:
    """A network, what its pictures are like, and whether it is a run's."""
    if name in ABOUT:
        raise ConfigError(f"{name} is fitted to features and has no layers to open. `pellucid models` says which have.")
    if any(name in table for table in FAMILIES.values()) or not Path(name).exists():
        channels, size = channels or 3, size or (224, 224)
        net = create(name, 1000 if n_classes is None else n_classes, channels, size)
        return net, Preprocess(size, channels=channels, shift=(0.0,) * channels, scale=(1 / 255,) * channels), False
    if (n_classes, channels, size) != (None, None, None):
        raise ConfigError(f"{name} is a run and has its own classes, channels and image size. Leave those options out.")
    trained = load_trained(Path(name))
    if isinstance(trained.model.net, FittedClassifier):
        raise ConfigError(
            f"{name} is a {trained.cfg.model.model}, which has no layers to open. Its report shows what it sees."
        )
    return trained.model.net, trained.facts.preprocess, True  # type: ignore[return-value]


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


def _first_sentence(text: str) -> str:
    """Up to the first full stop or empty line, on one line."""
    words = " ".join(text.strip().split("\n\n")[0].split())
    return words.split(". ")[0].rstrip(".")
