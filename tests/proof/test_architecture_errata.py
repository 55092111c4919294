"""What the errata count from settings is what the networks have."""

import torch

from pellucid.models import create
from pellucid.models.classify.googlenet import WIDTHS
from pellucid.proof.errata import architectures


def count(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_googlenet_is_counted_as_the_network_is() -> None:
    assert architectures.GOOGLENET == WIDTHS
    with torch.device("meta"):
        model = create("googlenet_paper")
    without_heads = count(model) - count(model.aux1) - count(model.aux2)
    assert architectures.googlenet_parameters() == (without_heads - count(model.fc), count(model.fc))
    assert architectures.googlenet_parameters() == (5_973_552, 1_025_000)
    assert model.dropout.p == architectures.GOOGLENET_DROPOUT.right_version


def test_vgg_is_counted_as_the_network_is() -> None:
    with torch.device("meta"):
        model = create("vgg16")
    assert count(model) == architectures.VGG16_PARAMETERS
