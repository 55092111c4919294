"""The networks as tables: all of them, and one opened up."""

from pathlib import Path
from typing import Any

from torch import nn

from pellucid.models import classify, create, segment
from pellucid.nn.geometry import describe
from pellucid.runs.trained import load_trained

USUAL = {"classify": ((32, 32), 3, 10), "segment": ((64, 64), 3, 11)}


def list_models() -> list[dict[str, Any]]:
    """One row a network, measured at a usual size."""
    rows = []
    for task, table in (("classify", classify.MODELS), ("segment", segment.MODELS)):
        size, channels, n_classes = USUAL[task]
        for name, build in table.items():
            found = describe(build(n_classes, channels, size), channels, size)
            about = (build.__doc__ or "").strip().splitlines()[0]
            at = f"{size[0]} px, {n_classes} classes"
            rows.append(
                {
                    "model": name,
                    "task": task,
                    "parameters": found.parameters,
                    "MACs": found.macs,
                    "at": at,
                    "about": about,
                }
            )
    return rows


def summarise_model(
    name: str, n_classes: int, channels: int, size: tuple[int, int]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Layer rows and sums of a network by name, or of a run's."""
    net: nn.Module
    if Path(name).exists():
        trained = load_trained(Path(name))
        preprocess = trained.facts.preprocess
        net, channels, size = trained.model.net, preprocess.channels, preprocess.size  # type: ignore[assignment]
    else:
        net = create(name, n_classes, channels, size)
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
