"""Networks without numbers."""

import pytest
import torch
from torch import nn

from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.models.classify import MODELS
from pellucid.nn.blank import smallest_picture, without_numbers


@pytest.mark.parametrize("name", ["vgg16", "resnet152", "vit_b_16", "googlenet", "shufflenet_v2_x0_5"])
def test_names_and_shapes_are_those_of_the_network(name: str) -> None:
    with without_numbers():
        blank = create(name)
    with torch.device("meta"):
        full = create(name)
    assert {k: v.shape for k, v in blank.state_dict().items()} == {k: v.shape for k, v in full.state_dict().items()}
    assert all(parameter.is_meta for parameter in blank.parameters())


def test_outside_of_it_numbers_are_drawn() -> None:
    with without_numbers():
        assert nn.Linear(2, 2).weight.is_meta
    assert bool(nn.Linear(2, 2).weight.any())


@pytest.mark.parametrize(
    "name", ["alexnet", "vgg11", "mobilenet_v2", "resnet18", "squeezenet1_1", "convnet", "inception_v3"]
)
def test_the_smallest_picture_is_accepted_and_a_smaller_one_refused(name: str) -> None:
    side = smallest_picture(lambda size: MODELS[name](10, 3, size))
    assert side is not None
    with without_numbers():
        MODELS[name](10, 3, (side, side))
    if side > 1:
        with pytest.raises(ConfigError, match=f"at least {side}x{side}"):
            MODELS[name](10, 3, (side - 1, side - 1))


def test_a_builder_that_accepts_nothing() -> None:
    def build(size: tuple[int, int]) -> nn.Module:
        raise ConfigError("never")

    assert smallest_picture(build) is None
