"""The measured receptive field against the computed one."""

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.nn.geometry import describe, footprint


def computed(model: nn.Module, layer: str, size: tuple[int, int]) -> tuple[int, int]:
    rows = [row for row in describe(model, 3, size).rows if row.name == layer or row.name.startswith(f"{layer}.")]
    return rows[-1].receptive_field


@pytest.mark.parametrize(
    ("name", "layer", "size"),
    [
        ("resnet18", "layer2", (128, 140)),
        ("vgg11", "features.9", (80, 72)),
        ("googlenet", "inception3a", (128, 128)),
        ("mobilenet_v2", "features.4", (96, 96)),
        ("densenet121", "features.denseblock1", (128, 128)),
        ("shufflenet_v2_x0_5", "stage2", (200, 200)),
    ],
)
def test_networks_measure_what_is_computed(name: str, layer: str, size: tuple[int, int]) -> None:
    model = create(name, 3, 3, size)
    assert footprint(model, layer, 3, size).size == computed(model, layer, size)


def test_a_pool_and_an_activation_close_no_path() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(2, 2, 3, dilation=2))
    found = footprint(net, "3", 3, (40, 40), unit=(2, 5))
    assert found.size == (12, 12)  # 3, then 4, then 4 steps of 2
    assert found.box == (4, 10, 16, 22)
    assert found.weights.shape == (40, 40)
    assert found.weights.sum() == pytest.approx(1)
    closed = footprint(net, "3", 3, (40, 40), unit=(2, 5), open_paths=False)
    assert (closed.weights > 0).sum() < (found.weights > 0).sum()


def test_gridding_is_seen() -> None:
    net = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=2, dilation=2) for _ in range(3)))
    assert (footprint(net, "2", 1, (33, 33)).weights > 0).sum() == 7 * 7


def test_a_unit_at_the_border_sees_less() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 5, padding=2))
    assert footprint(net, "0", 1, (16, 16), unit=(0, 8)).box == (0, 6, 3, 11)


def test_the_logits_see_everything() -> None:
    assert footprint(create("resnet18", 3, 1, (32, 40)), "fc", 1, (32, 40)).size == (32, 40)


def test_the_model_stays_as_it_was() -> None:
    model = create("resnet18", 3, 1, (32, 32)).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    footprint(model, "layer1", 1, (32, 32))
    assert model.training and all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


class Idle(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.idle = nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x)


@pytest.mark.parametrize(
    ("layer", "unit", "said"),
    [
        ("used.weight", None, "Unknown layer 'used.weight'. Did you mean 'used'? Choose from: idle, used."),
        ("idle", None, "Layer idle does not run for a picture in evaluation. Choose one that does."),
        ("used", (0, 6), "Layer used has 6x6 units, there is no unit 0, 6."),
    ],
)
def test_what_is_refused(layer: str, unit: tuple[int, int] | None, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        footprint(Idle(), layer, 1, (8, 8), unit)
    assert str(caught.value) == said
