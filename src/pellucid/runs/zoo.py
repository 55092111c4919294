"""The networks as tables: all of them, and one opened up."""

from pathlib import Path
from typing import Any

from torch import nn

from pellucid.core.errors import ConfigError
from pellucid.models import FAMILIES, create
from pellucid.nn.geometry import describe
from pellucid.runs.stored.trained import load_trained

USUAL = {"classify": ((32, 32), 3, 10), "segment": ((64, 64), 3, 11)}


def list_models() -> list[dict[str, Any]]:
    """One row a network, measured at a usual size."""
    rows = []
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
    return rows


def summarise_model(
    name: str, n_classes: int | None = None, channels: int | None = None, size: tuple[int, int] | None = None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Layer rows and sums of a run's network, or of one by name: for 1000 classes of RGB at 224 px unless said.

    Raises:
        ConfigError: no network has that name, or numbers were given for a run, which has its own.
    """
    net: nn.Module
    if not any(name in table for table in FAMILIES.values()) and Path(name).exists():
        if (n_classes, channels, size) != (None, None, None):
            raise ConfigError(
                f"{name} is a run and has its own classes, channels and image size. Leave those options out."
            )
        trained = load_trained(Path(name))
        preprocess = trained.facts.preprocess
        net, channels, size = trained.model.net, preprocess.channels, preprocess.size  # type: ignore[assignment]
    else:
        channels, size = channels or 3, size or (224, 224)
        net = create(name, 1000 if n_classes is None else n_classes, channels, size)
    found = describe(net, channels, size)
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


def _first_sentence(text: str) -> str:
    """Up to the first full stop or empty line, on one line."""
    words = " ".join(text.strip().split("\n\n")[0].split())
    return words.split(". ")[0].rstrip(".")
