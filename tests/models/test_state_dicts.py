"""Networks that torchvision has too carry its names, shapes and order of tensors, so that published weights fit."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from pellucid.models import create

REFERENCE: dict[str, Any] = json.loads(
    gzip.decompress((Path(__file__).parent / "torchvision_state_dicts.json.gz").read_bytes())
)["architectures"]


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_names_and_shapes_are_those_of_published_weights(name: str) -> None:
    with torch.device("meta"):
        n_classes = REFERENCE[name].get("classes", 1000)
        model = create(name, n_classes, image_size=(299, 299) if name == "inception_v3" else (224, 224))
    ours = {key: list(value.shape) for key, value in model.state_dict().items()}
    theirs = dict(REFERENCE[name]["state_dict"])
    assert sorted(theirs.keys() - ours.keys()) == [] and sorted(ours.keys() - theirs.keys()) == []
    assert {key: shape for key, shape in ours.items() if shape != theirs[key]} == {}
    assert list(ours) == list(theirs), "the order differs"
    assert sum(parameter.numel() for parameter in model.parameters()) == REFERENCE[name]["parameters"]
