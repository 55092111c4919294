"""One door to all networks: names, numbers and what is said about choices."""

import pytest
from torch import nn

from pellucid.core.errors import ConfigError
from pellucid.models import FAMILIES, create

SMALL = "small-image stem (3x3, stride 1, no pooling)"
LARGE = "ImageNet stem (7x7, stride 2, then pooling)"


def test_no_two_families_share_a_name() -> None:
    names = [name for family in FAMILIES.values() for name in family]
    assert len(names) == len(set(names))
    assert {"linear", "mlp", "convnet", "resnet18", "fcn_small"} <= set(names)


@pytest.mark.parametrize("name", [name for family in FAMILIES.values() for name in family])
def test_every_builder_says_what_it_builds_in_one_line(name: str) -> None:
    """Lists of networks show the first line."""
    builder = next(family[name] for family in FAMILIES.values() if name in family)
    assert builder.__name__ == name
    assert (builder.__doc__ or "").splitlines()[0].endswith(".")


def test_create_passes_the_numbers_on() -> None:
    model = create("mlp", n_classes=7, channels=1, image_size=(4, 5))
    sizes = [(layer.in_features, layer.out_features) for layer in model.modules() if isinstance(layer, nn.Linear)]
    assert sizes == [(20, 256), (256, 128), (128, 7)]
    assert model.training


def test_an_unknown_name_lists_all_and_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        create("resnet81")
    text = str(caught.value)
    assert text.startswith("Unknown model 'resnet81'. Did you mean 'resnet18' or 'resnet152'?")
    assert all(name in text for name in ("convnet", "fcn_small", "linear", "mlp", "vit_b_16"))


@pytest.mark.parametrize(
    "numbers, text",
    [
        ((0, 3, (32, 32)), "n_classes must be 1 or more, got 0."),
        ((10, 0, (32, 32)), "channels must be 1 or more, got 0."),
        ((10, 3, (0, 32)), "image_size must be two numbers of 1 or more, got (0, 32)."),
        ((10, 3, (32,)), "image_size must be two numbers of 1 or more, got (32,)."),
    ],
)
def test_impossible_numbers(numbers: tuple[int, int, tuple[int, int]], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        create("convnet", *numbers)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "name, size, note",
    [
        ("resnet18", (64, 300), f"{SMALL} because the short side is 64 px (64 or less)"),
        ("resnet18", (300, 65), f"{LARGE} because the short side is 65 px (above 64)"),
        ("convnet", (65, 65), "stem stride 2 because the short side is 65 px (above 64)"),
        ("convnet", (224, 129), "stem stride 4 because the short side is 129 px (above 128)"),
    ],
)
def test_choices_are_said(name: str, size: tuple[int, int], note: str) -> None:
    assert create(name, 2, 1, size).notes == (note,)


def test_what_chooses_nothing_says_nothing() -> None:
    assert create("convnet", 2, 1, (64, 64)).notes == ()
    assert create("linear", 2, 1, (300, 300)).notes == ()
