"""The model summary against counts made by hand."""

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.nn.geometry import Geometry, describe


def alexnet() -> nn.Sequential:
    """The one-tower form for 227 px: no grouped convolutions."""
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(96, 256, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Flatten(), nn.Linear(9216, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000),
    )  # fmt: skip


def vgg16() -> nn.Sequential:
    layers: list[nn.Module] = []
    c_in = 3
    for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(depth):
            layers += [nn.Conv2d(c_in, width, 3, padding=1), nn.ReLU()]
            c_in = width
        layers.append(nn.MaxPool2d(2))
    head = [nn.Flatten(), nn.Linear(25088, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)]
    return nn.Sequential(*layers, *head)


def by_kind(found: Geometry, kind: str) -> int:
    return sum(row.parameters for row in found.rows if row.kind == kind)


def test_linear() -> None:
    """Weights 784 x 10 and 10 biases; the picture and ten logits in memory; flattening is a view."""
    found = describe(create("linear", 10, 1, (28, 28)), 1, (28, 28))
    assert (found.parameters, found.trainable, found.macs) == (7850, 7850, 7840)
    assert found.training_bytes == found.inference_bytes == 4 * (784 + 10)
    assert [(row.name, row.kind, row.output_shape) for row in found.rows] == [("fc", "Linear", (10,))]


def test_mlp() -> None:
    found = describe(create("mlp", 10, 1, (28, 28)), 1, (28, 28))
    assert [row.parameters for row in found.rows] == [784 * 256 + 256, 0, 256 * 128 + 128, 0, 128 * 10 + 10]
    assert found.macs == 784 * 256 + 256 * 128 + 128 * 10
    assert found.training_bytes == 4 * (784 + 2 * 256 + 2 * 128 + 10)
    assert found.inference_bytes == 4 * (784 + 2 * 256)  # picture, and a layer beside its activation


def test_convnet() -> None:
    """Each 3x3 convolution counted at the size of its output: 28, 14, 7 and 3 px."""
    found = describe(create("convnet", 10, 1, (28, 28)), 1, (28, 28))
    convs = [9 * 1 * 16, 9 * 16 * 32, 9 * 32 * 32, 9 * 32 * 64, 9 * 64 * 64, 9 * 64 * 128, 9 * 128 * 128]
    norms = 2 * (16 + 2 * (32 + 64 + 128))
    assert found.parameters == sum(convs) + norms + 128 * 10 == 292_656
    cells = [28**2, 28**2, 14**2, 14**2, 7**2, 7**2, 3**2]
    assert found.macs == sum(w * n for w, n in zip(convs, cells, strict=True)) + 1280
    assert by_kind(found, "BatchNorm2d") == norms
    pool = next(row for row in found.rows if row.name == "blocks.2.1")
    assert pool.output_shape == (128, 3, 3) and pool.dropped == (1, 1)  # 7 cells make three pairs and one over
    kept = [28**2 * 1, 3 * 28**2 * 16]  # the picture; the stem's convolution, norm and ReLU
    for width, before, after in ((32, 28, 14), (64, 14, 7), (128, 7, 3)):
        kept += [width * before**2, 6 * width * after**2]
    assert found.training_bytes == 4 * (sum(kept) + 128 + 10 + 10)
    # in the first block's pooling: the picture, the stem's result, the convolution's, and the new one
    assert found.inference_bytes == 4 * (28**2 + 16 * 28**2 + 32 * 28**2 + 32 * 14**2)


def resnet_macs(stem: int, sides: tuple[int, int, int, int], n_classes: int) -> int:
    """The stem's, then each stage: one convolution from the width before, three of its own, a 1x1 shortcut."""
    macs = stem + 4 * 9 * 64 * 64 * sides[0] ** 2 + 512 * n_classes
    for width, side in zip((128, 256, 512), sides[1:], strict=True):
        weights = 9 * width // 2 * width + 3 * 9 * width * width + width // 2 * width
        macs += weights * side**2
    return macs


def test_resnet18_for_small_pictures() -> None:
    found = describe(create("resnet18", 10, 3, (32, 32)), 3, (32, 32))
    assert found.parameters == 11_173_962
    assert found.macs == resnet_macs(3 * 9 * 64 * 32**2, (32, 16, 8, 4), 10) == 555_422_720
    adds = [row.name for row in found.rows if row.kind == "add"]
    assert adds == [f"layer{stage}.{block}" for stage in (1, 2, 3, 4) for block in (0, 1)]
    assert all(row.activation_bytes == 0 for row in found.rows if row.kind == "ReLU")  # they work in place


def test_resnet18_for_large_pictures() -> None:
    found = describe(create("resnet18"), 3, (224, 224))
    assert found.parameters == 11_689_512
    assert found.macs == resnet_macs(3 * 49 * 64 * 112**2, (56, 28, 14, 7), 1000) == 1_814_073_344
    assert [row.receptive_field[0] for row in found.rows if row.name == "layer4.1"] == [435]  # as published


def test_fcn_small() -> None:
    found = describe(create("fcn_small", 11, 3, (64, 64)), 3, (64, 64))
    layers = [  # weights, biases and norms, side of the output
        (27 * 32, 64, 32),
        (9 * 32 * 64, 128, 16), (9 * 64 * 64, 128, 16),
        (9 * 64 * 96, 192, 8), (9 * 96 * 96, 192, 8), (9 * 96 * 96, 192, 8),
        (96 * 64, 64, 8), (9 * 64 * 64, 128, 16), (64 * 32, 32, 16), (9 * 32 * 32, 64, 32), (32 * 11, 11, 32),
    ]  # fmt: skip
    assert found.parameters == sum(weights + rest for weights, rest, _ in layers) == 333_163
    assert found.macs == sum(weights * side**2 for weights, _, side in layers)
    assert found.rows[-1].output_shape == (11, 64, 64)


def test_alexnet() -> None:
    """Shapes without numbers in them: the meta device needs no memory for 62 million weights."""
    with torch.device("meta"):
        found = describe(alexnet(), 3, (227, 227))
    assert found.parameters == 62_378_344
    assert (by_kind(found, "Conv2d"), by_kind(found, "Linear")) == (3_747_200, 58_631_144)
    assert found.rows[0].output_shape == (96, 55, 55)
    assert next(row.output_shape for row in found.rows if row.kind == "Flatten") == (9216,)
    pool5 = [row for row in found.rows if row.kind == "MaxPool2d"][-1]
    assert (pool5.receptive_field, pool5.stride) == ((195, 195), (32, 32))  # as published


def test_vgg16() -> None:
    """Most parameters lie in the first fully connected layer, most activations in the first convolutions."""
    with torch.device("meta"):
        found = describe(vgg16(), 3, (224, 224))
    assert found.parameters == 138_357_544
    assert found.macs / 1e9 == pytest.approx(15.470, abs=5e-4)
    largest = max(found.rows, key=lambda row: row.parameters)
    assert (largest.kind, largest.parameters) == ("Linear", 102_764_544)
    assert largest.parameters / found.parameters == pytest.approx(0.742746, abs=5e-7)
    assert max(found.rows, key=lambda row: row.activation_bytes).output_shape == (64, 224, 224)
    pool5 = [row for row in found.rows if row.kind == "MaxPool2d"][-1]
    assert (pool5.receptive_field, pool5.stride) == ((212, 212), (32, 32))  # as published


@pytest.mark.parametrize(
    "size, kernel, stride, padding, out, dropped",
    [
        (7, 3, 1, 0, 5, 0),
        (7, 3, 2, 0, 3, 0),
        (7, 3, 3, 0, 2, 1),  # (7 - 3) / 3 + 1 = 2.33 does not fit: one column is never seen
        (32, 5, 1, 2, 32, 0),
        (32, 5, 1, 0, 28, 0),
        (227, 11, 4, 0, 55, 0),
        (224, 7, 2, 3, 112, 0),  # what does not fit is padding
        (56, 1, 2, 0, 28, 0),  # narrower than its step: leaves out units everywhere, not only at the border
    ],
)
@pytest.mark.parametrize("pool", [False, True])
def test_sizes(size: int, kernel: int, stride: int, padding: int, out: int, dropped: int, pool: bool) -> None:
    if pool and padding > kernel // 2:
        pytest.skip("pools pad by half a window at most")
    layer = nn.MaxPool2d(kernel, stride, padding) if pool else nn.Conv2d(1, 1, kernel, stride, padding)
    row = describe(nn.Sequential(layer), 1, (size, size)).rows[0]
    assert row.output_shape == (1, out, out)
    assert row.dropped == (dropped, dropped)


def test_a_pool_that_rounds_up_drops_nothing() -> None:
    row = describe(nn.Sequential(nn.AvgPool2d(2, ceil_mode=True)), 1, (7, 6)).rows[0]
    assert row.output_shape == (1, 4, 3) and row.dropped == (0, 0)


def test_parameter_ratios() -> None:
    """Ten 5x5x3 filters have 76 numbers each; stacked 3x3 need 18/25 and 27/49; a bottleneck 3.25/9."""

    def weights(*layers: nn.Module) -> int:
        return describe(nn.Sequential(*layers), 8, (8, 8)).parameters

    def conv(kernel: int, c_in: int = 8, c_out: int = 8) -> nn.Conv2d:
        return nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False)

    assert describe(nn.Sequential(nn.Conv2d(3, 10, 5)), 3, (8, 8)).parameters == 10 * 76
    assert weights(conv(3), conv(3)) / weights(conv(5)) == 0.72
    assert weights(conv(3), conv(3), conv(3)) / weights(conv(7)) == 27 / 49
    bottleneck = weights(conv(1, 8, 4), conv(3, 4, 4), conv(1, 4, 8))
    assert bottleneck / weights(conv(3), conv(3)) == 3.25 / 18


@pytest.mark.parametrize("groups", [1, 2])
def test_transposed_convolution_costs_what_its_adjoint_costs(groups: int) -> None:
    """Where nothing is cut off, the convolution from 9 px back to 4 px uses each weight equally often."""
    up = nn.ConvTranspose2d(4, 6, 3, stride=2, groups=groups, bias=False)
    down = nn.Conv2d(6, 4, 3, stride=2, groups=groups, bias=False)
    assert up(torch.zeros(1, 4, 4, 4)).shape[-2:] == (9, 9)
    assert describe(up, 4, (4, 4)).macs == describe(down, 6, (9, 9)).macs == 16 * 9 * 4 * 6 // groups


def test_depthwise_separable_ratio() -> None:
    """1/512 + 1/9 of the standard convolution's multiply-adds."""
    standard = nn.Conv2d(512, 512, 3, padding=1, bias=False)
    separable = nn.Sequential(nn.Conv2d(512, 512, 3, padding=1, groups=512, bias=False), nn.Conv2d(512, 512, 1))
    with torch.device("meta"):
        ratio = describe(separable.to("meta"), 512, (7, 7)).macs / describe(standard.to("meta"), 512, (7, 7)).macs
    assert ratio == pytest.approx(0.11306424, abs=5e-9)


class Shared(nn.Module):
    """One layer used twice, one never, a parameter of its own, and products that are no modules."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = nn.Linear(4, 4)
        self.never = nn.Linear(4, 9)
        self.gain = nn.Parameter(torch.ones(4))
        self.fixed = nn.Linear(4, 4).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.twice(self.twice(x.flatten(1))) * self.gain
        return self.fixed(x) @ x.T


def test_what_is_shared_unused_frozen_or_functional() -> None:
    found = describe(Shared(), 1, (2, 2))
    assert found.parameters == 20 + 45 + 4 + 20
    assert found.trainable == 20 + 45 + 4
    assert found.unused == ("never",)
    assert sum(row.parameters for row in found.rows) == found.parameters - 45
    assert [row.parameters for row in found.rows if row.name == "twice"] == [20, 0]
    assert found.macs == 16 + 16 + 16 + 4
    assert [row.macs for row in found.rows if row.kind == "mm"] == [4]


@pytest.mark.parametrize("name", ["convnet", "resnet18", "fcn_small"])
def test_the_model_stays_as_it_was(name: str) -> None:
    model = create(name, 3, 1, (16, 16))
    model.train()
    frozen = next(module for module in model.modules() if isinstance(module, nn.BatchNorm2d))
    frozen.eval()  # a flag that differs from the model's own
    before = {key: value.clone() for key, value in model.state_dict().items()}
    generator = torch.get_rng_state()
    describe(model, 1, (16, 16))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert not frozen.training and all(module.training for module in model.modules() if module is not frozen)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert torch.equal(torch.get_rng_state(), generator)


def test_a_picture_that_does_not_fit_names_the_layer() -> None:
    model = create("convnet", 10, 3, (32, 32))
    with pytest.raises(ConfigError) as caught:
        describe(model, 3, (4, 4))
    assert str(caught.value) == (
        "The picture does not fit through layer blocks.2.1 (MaxPool2d), which got 128x1x1: "
        "Given input size: (128x1x1). Calculated output size: (128x0x0). Output size is too small. "
        "Choose another image size or number of channels."
    )
    assert model.training and not any(module._forward_hooks for module in model.modules())


def test_wrong_channels_name_the_layer() -> None:
    with pytest.raises(
        ConfigError, match=r"layer stem\.0 \(Conv2d\), which got 1x32x32: .*channels.*number of channels"
    ):
        describe(create("convnet", 10, 3, (32, 32)), 1, (32, 32))


def test_a_lone_layer_is_a_network() -> None:
    row = describe(nn.Conv2d(1, 2, 3), 1, (5, 5)).rows[0]
    assert (row.name, row.kind, row.output_shape) == ("Conv2d", "Conv2d", (2, 3, 3))


def test_half_precision_counts_as_float32() -> None:
    """So that numbers of different networks can be compared."""
    full, half = (
        describe(create("linear", 10, 1, (8, 8)).to(kind), 1, (8, 8)) for kind in (torch.float32, torch.bfloat16)
    )
    assert full == half
