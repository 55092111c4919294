"""A network as tables: its layers, its sums, and the traps in it."""

from typing import Any

from pellucid.core.verdict import Verdict
from pellucid.nn.geometry import Geometry, describe
from pellucid.nn.lint import lint
from pellucid.runs.networks.opened import Opened


def layers_and_sums(opened: Opened, found: Geometry | None = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """One row a layer, and what they come to.

    Raises:
        ConfigError: the picture does not fit through the network.
    """
    found = found or describe(opened.net, opened.preprocess.channels, opened.preprocess.size)
    return [_row(row) for row in found.rows], _sums(found)


def verdicts(opened: Opened, batch: int | None = None) -> list[Verdict]:
    """What the linter says, for a batch of so many pictures.

    Raises:
        ConfigError: the picture does not fit through the network, or `batch` is below 1.
    """
    return lint(opened.net, opened.preprocess.channels, opened.preprocess.size, batch)


def _row(row: Any) -> dict[str, Any]:
    return {
        "layer": row.name,
        "kind": row.kind,
        "depth": row.depth,
        "output": "x".join(map(str, row.output_shape)),
        "parameters": row.parameters,
        "MACs": row.macs,
        "activation bytes": row.activation_bytes,
        "receptive field": "x".join(map(str, row.receptive_field)),
        "stride": "x".join(f"{side:g}" for side in row.stride),
    }


def _sums(found: Geometry) -> dict[str, Any]:
    """The sums; parameters lie mostly in fully connected layers, activations in early ones, so both are split."""
    parameters = found.parameters_in
    early, late = found.activation_halves()
    split = {
        "parameters": found.parameters,
        "of convolutions": parameters["convolution"],
        "of fully connected layers": parameters["fully connected"],
        "of norms and others": parameters["other"],
        "not used in prediction": parameters["unused"],
    }
    return {
        "picture": "x".join(map(str, found.input_shape)),
        "layers (conv and FC on the longest path)": found.depth,
        "conv and FC layers on all paths": found.n_layers,
        **{name: value for name, value in split.items() if value or name == "parameters"},
        "trainable": found.trainable,
        "MACs": found.macs,
        "parameters (bytes, float32)": 4 * found.parameters,
        "activations in training (bytes)": found.training_bytes,
        "of the first half of the layers": early,
        "of the second half of the layers": late,
        "largest in inference (bytes)": found.inference_bytes,
    }
