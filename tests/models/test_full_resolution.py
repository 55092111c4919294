"""The network that never gives up a pixel, and what that costs."""

import pytest
import torch
from torch import nn

from pellucid.core.errors import ConfigError
from pellucid.models.segment.full_resolution import FullResolution
from pellucid.nn.geometry import describe


@pytest.mark.parametrize("halvings", [0, 1, 3])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5), (31, 33)])
def test_output_has_exactly_the_picture_s_size(halvings: int, size: tuple[int, int]) -> None:
    model = FullResolution(4, 1, 4, 3, halvings).eval()
    assert model(torch.zeros(2, 1, *size)).shape == (2, 4, *size)


@pytest.mark.parametrize(("halvings", "field"), [(0, 2 * 5 + 1), (1, 3 + 2 * 2 * 4), (2, 3 + 2 * 2 + 4 * 2 * 3)])
def test_the_field_grows_by_two_cells_a_layer(halvings: int, field: int) -> None:
    """Five 3x3 convolutions: 2 px each at full size; after a halving a cell is twice as far from the next."""
    torch.manual_seed(0)
    net = FullResolution(2, 1, 8, 5, halvings).eval()
    x = torch.randn(1, 1, 64, 64, requires_grad=True)
    logits = net.head(net.layers(x))
    middle = logits.shape[-1] // 2
    (gradient,) = torch.autograd.grad(logits[0, :, middle, middle].sum(), x)
    columns = gradient[0, 0].abs().sum(0).nonzero()
    assert int(columns.max() - columns.min()) + 1 == field


def test_maps_shrink_by_the_square_and_the_weights_stay() -> None:
    """What training keeps of ten layers' maps, by hand: the picture, 30 maps of (M, h, w), the logits."""
    found = {halvings: describe(FullResolution(5, 3, 16, 10, halvings), 3, (64, 64)) for halvings in (0, 1, 2)}
    assert len({each.parameters for each in found.values()}) == 1
    cells = 64 * 64
    assert found[0].training_bytes == 4 * cells * (3 + 10 * 3 * 16 + 5)
    assert found[1].training_bytes == 4 * cells * 3 + cells * (10 * 3 * 16 + 5) + 4 * cells * 5  # and resized logits
    assert found[0].macs == 4 * found[1].macs and 14 < found[0].macs / found[2].macs < 16


def test_the_answer_is_sharp() -> None:
    """A lone bright pixel can change one class in that pixel alone, which no map of half the size can say."""
    net = FullResolution(2, 1, 1, 2).eval()
    for layer in net.layers:
        nn.init.dirac_(layer[0].weight)  # type: ignore[index]
    nn.init.constant_(net.head.weight, 1.0)
    x = torch.zeros(1, 1, 9, 9)
    x[0, 0, 4, 5] = 1
    assert net(x)[0, 0].nonzero().tolist() == [[4, 5]]


def test_more_halvings_than_layers_are_refused() -> None:
    with pytest.raises(ConfigError, match="halvings must be 0 to 3, the number of convolutions, got 4"):
        FullResolution(2, 1, 4, 3, 4)
