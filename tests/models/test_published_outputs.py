"""With the same weights, our networks answer as torchvision's and timm's own code does.

The expected logits were computed once by those libraries, with weights and a picture that follow from the names of the
tensors by plain arithmetic (`fill`, `spread`), so that no file of weights has to be kept.
"""

import gzip
import json
import math
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pellucid.models import create

HERE = Path(__file__).parent
EXPECTED: dict[str, Any] = json.loads((HERE / "published_outputs.json").read_text(encoding="utf-8"))["networks"]
TIMM: dict[str, Any] = json.loads(gzip.decompress((HERE / "timm_state_dicts.json.gz").read_bytes()))["architectures"]
LARGE = 30_000_000  # parameters from which making the weights takes seconds


def spread(n: int, phase: float) -> Tensor:
    """`n` numbers in [-1, 1), by additions and products only: the same on every machine."""
    i = torch.arange(n, dtype=torch.float64)
    return torch.frac((0.6180339887498949 * i + phase) * (1 + torch.frac(0.7548776662466927 * i))) * 2 - 1


def fill(model: nn.Module, norm_scale: float) -> None:
    """Give every tensor numbers that follow from its name, of a size that lets the signal pass."""
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        u = spread(tensor.numel(), zlib.crc32(name.encode()) / 2**32).view(tensor.shape)
        if name.endswith("running_var"):
            u = 1 + 0.5 * u
        elif name.endswith("running_mean"):
            u = 0.1 * u
        elif tensor.dim() > 1 and "pos_embedding" not in name and "class_token" not in name:
            u = u * math.sqrt(6 / tensor[0].numel())
        else:
            u = norm_scale + 0.2 * u if name.endswith("weight") else 0.1 * u
        tensor.copy_(u.to(tensor.dtype))


def cases() -> list[Any]:
    """Names; those of large networks marked slow."""
    found = []
    for name, expected in EXPECTED.items():
        with torch.device("meta"):
            model = create(name, image_size=(expected["image_size"],) * 2)
        large = sum(parameter.numel() for parameter in model.parameters()) > LARGE
        found.append(pytest.param(name, marks=[pytest.mark.slow] * large))
    return found


@pytest.mark.parametrize("name", cases())
def test_logits_are_those_of_the_library(name: str) -> None:
    expected = EXPECTED[name]
    size = expected["image_size"]
    model = create(name, image_size=(size, size)).eval()
    with torch.no_grad():
        fill(model, expected["norm_scale"])
        logits = model(spread(3 * size * size, 0.25).view(1, 3, size, size).float())[0]
    near = 1e-4 * expected["std"]
    torch.testing.assert_close(logits[:8], torch.tensor(expected["logits"]), rtol=0, atol=near)
    assert float(logits.mean()) == pytest.approx(expected["mean"], abs=near)
    assert float(logits.std()) == pytest.approx(expected["std"], rel=1e-4)


@pytest.mark.parametrize("name", sorted(TIMM))
def test_names_and_shapes_are_those_of_timm(name: str) -> None:
    with torch.device("meta"):
        model = create(name, image_size=(299, 299))
    assert [[key, list(value.shape)] for key, value in model.state_dict().items()] == TIMM[name]
