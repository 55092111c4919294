"""Layer counts by the convention, multiply-adds as published, and what attention and recurrent layers cost."""

import pytest
import torch
from torch import Tensor, nn

from pellucid.models import create
from pellucid.nn.geometry import Geometry, describe


def of(name: str, side: int = 224, training: bool = False) -> Geometry:
    """Shapes without numbers in them: the meta device needs no memory for weights."""
    with torch.device("meta"):
        return describe(create(name, 1000, 3, (side, side)), 3, (side, side), training)


# parameters and GMAC of torchvision 0.29.2's own records at 1,000 classes; the count of layers is in most names
PUBLISHED = {
    "alexnet": (8, 61_100_840, 0.714),
    "vgg16": (16, 138_357_544, 15.470),
    "vgg19_bn": (19, 143_678_248, 19.632),
    "resnet18": (18, 11_689_512, 1.814),
    "resnet34": (34, 21_797_672, 3.664),
    "resnet50": (50, 25_557_032, 4.089),
    "densenet121": (121, 7_978_856, 2.834),
    "squeezenet1_0": (18, 1_248_424, 0.819),
    "mobilenet_v2": (53, 3_504_872, 0.301),
    "mobilenet_v3_small": (None, 2_542_856, 0.057),
    "shufflenet_v2_x1_0": (None, 2_278_604, 0.145),
    "vit_b_16": (None, 86_567_656, 17.564),  # two products of attention among them
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_numbers(name: str) -> None:
    depth, parameters, gmac = PUBLISHED[name]
    found = of(name)
    assert found.parameters == parameters == sum(found.parameters_in.values())
    assert found.macs / 1e9 == pytest.approx(gmac, abs=5.01e-4)
    assert depth in (None, found.depth)


def test_googlenet_has_22_layers_and_58_on_all_paths() -> None:
    """3 convolutions, nine modules two deep, one fully connected; each module has six convolutions."""
    found = of("googlenet")
    assert (found.depth, found.n_layers) == (3 + 9 * 2 + 1, 3 + 9 * 6 + 1)
    assert found.parameters - found.parameters_in["unused"] == 6_624_904
    assert found.macs / 1e9 == pytest.approx(1.498, abs=5e-4)


def test_auxiliary_heads_run_in_training_and_are_not_counted() -> None:
    found = of("googlenet", training=True)
    assert (found.depth, found.n_layers, found.unused) == (22, 58 + 2 * 3, ())
    assert {row.name.split(".")[0] for row in found.rows} >= {"aux1", "aux2"}
    assert found.macs > of("googlenet").macs


def test_mobilenet_v1_by_hand() -> None:
    """A convolution, 13 pairs of depthwise and 1x1 ones, one fully connected layer."""
    widths = [64, 128, 128, 256, 256, *[512] * 6, 1024, 1024]
    sides = [112, 56, 56, 28, 28, *[14] * 6, 7, 7]
    macs, c_in = 27 * 32 * 112**2 + 1024 * 1000, 32
    for width, side in zip(widths, sides, strict=True):
        macs += (9 * c_in + c_in * width) * side**2
        c_in = width
    found = of("mobilenet_v1")
    assert found.macs == macs
    assert (found.depth, found.n_layers, found.parameters) == (28, 28, 4_231_976)


def test_shortcuts_and_projections_add_no_layer() -> None:
    found = of("resnet18")
    assert found.n_layers == 18 + 3
    assert [row.depth for row in found.rows if row.name.endswith("downsample.0")] == [6, 10, 14]
    assert [row.depth for row in found.rows if row.name in ("conv1", "avgpool", "fc")] == [1, 17, 18]


def test_parameters_lie_in_the_head_and_activations_at_the_start() -> None:
    """Of VGG-16, 89 % of the parameters, and 92 % of the activations."""
    found = of("vgg16")
    assert found.parameters_in == {
        "convolution": 14_714_688,
        "fully connected": 102_764_544 + 16_781_312 + 4_097_000,
        "other": 0,
        "unused": 0,
    }
    early, late = found.activation_halves()
    assert early + late == found.training_bytes - 4 * 3 * 224**2
    assert early / (early + late) > 0.9


class Gated(nn.Module):
    """A convolution, and a factor for its maps that two small layers make."""

    def __init__(self, sigmoid: bool) -> None:
        super().__init__()
        self.conv, self.down, self.up = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)
        self.gate = nn.Sigmoid() if sigmoid else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * self.gate(self.up(self.down(x.mean((2, 3), keepdim=True))))


@pytest.mark.parametrize(("sigmoid", "side"), [(True, 9), (True, 3), (False, 9)])
def test_squeeze_and_excitation_is_no_layer_on_the_way(sigmoid: bool, side: int) -> None:
    found = describe(Gated(sigmoid), 3, (side, side))
    assert (found.depth, found.n_layers) == (1, 3)


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)])
def test_recurrent_layers(kind: type[nn.RNNBase], gates: int, device: str) -> None:
    """Each step multiplies by both matrices; however many steps, two matrices are two layers on a path at most."""

    class Rows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.fc = kind(7, 5, batch_first=True), nn.Linear(5, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.rnn(x[:, 0])[0][:, -1])

    found = describe(Rows().to(device), 1, (6, 7))
    assert found.macs == 6 * gates * 5 * (7 + 5) + 5 * 3
    assert found.parameters_in["fully connected"] == gates * 5 * (7 + 5 + 2) + 18 == found.parameters
    assert found.depth <= 3


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("weights", [True, False])
def test_attention(weights: bool, device: str) -> None:
    """Four projections, scores and means; every token sees the whole picture then."""

    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patch, self.mix = nn.Conv2d(1, 8, 4, stride=4), nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            x = self.patch(x).flatten(2).transpose(1, 2)
            return self.mix(x, x, x, need_weights=weights)[0]

    fast = torch.backends.mha.get_fastpath_enabled()
    found = describe(Tokens().to(device), 1, (16, 24))
    assert torch.backends.mha.get_fastpath_enabled() == fast
    n = 4 * 6
    assert found.macs == n * 16 * 8 + 4 * n * 8 * 8 + 2 * n * n * 8
    assert found.rows[-1].receptive_field == (16, 24)
    assert found.rows[-1].stride == (4, 4)
    assert found.depth == 3  # patches, one of three projections side by side, the last


def test_transformer_layers_are_opened() -> None:
    """torch's fast path would be one operation that hides all products."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    found = describe(nn.Sequential(nn.Flatten(2), Swap(), layer), 8, (3, 4))
    assert found.macs == 4 * 12 * 64 + 2 * 12 * 12 * 8 + 2 * 12 * 8 * 16
    assert found.depth == 4


class Swap(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)
