"""Residual networks against their formulas, the published counts, and torchvision's conventions."""

from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.seed import seed_everything
from pellucid.models import create
from pellucid.models.classify.preact_resnet import PreActBlock, PreActResNet
from pellucid.models.classify.resnet import BasicBlock, Bottleneck, ResNet
from pellucid.models.classify.se_resnet import weigh


@cache
def on_meta(name: str, size: tuple[int, int] = (224, 224)) -> nn.Module:
    with torch.device("meta"):
        return create(name, image_size=size)


def n_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def norm(x: Tensor, eps: float = 1e-5) -> Tensor:
    """A fresh batch norm in evaluation."""
    return x / (1 + eps) ** 0.5


def off_zero(module: nn.Module) -> nn.Module:
    """With biases and running statistics of norms that are not those of a fresh module."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias)
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 1.5)
    return module


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
        ("resnet101", 44_549_160),
        ("resnet152", 60_192_808),
        ("wide_resnet50_2", 68_883_240),
        ("wide_resnet101_2", 126_886_696),
        ("resnext50_32x4d", 25_028_904),
        ("resnext101_32x8d", 88_791_336),
        ("stochastic_depth_resnet18", 11_689_512),
    ],
)
def test_published_counts(name: str, expected: int) -> None:
    assert n_parameters(on_meta(name)) == expected


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("se_resnet18", 11.78),
        ("se_resnet34", 21.96),
        ("se_resnet50", 28.09),
        pytest.param("se_resnet101", 49.33, marks=pytest.mark.slow),
        pytest.param("se_resnet152", 66.82, marks=pytest.mark.slow),
    ],
)
def test_counts_with_squeeze_and_excitation(name: str, millions: float) -> None:
    """timm's, rounded as timm rounds; and exactly: each block adds two dense layers with biases."""
    model, base = on_meta(name), on_meta(name.removeprefix("se_"))
    assert round(n_parameters(model) / 1e6, 2) == millions
    expansion = 1 if name in ("se_resnet18", "se_resnet34") else 4
    added = 0
    for stage, width in zip((model.layer1, model.layer2, model.layer3, model.layer4), (64, 128, 256, 512), strict=True):
        channels = width * expansion
        squeezed = max(8, channels // 16)
        added += len(stage) * (2 * channels * squeezed + squeezed + channels)
    assert n_parameters(model) - n_parameters(base) == added


@pytest.mark.parametrize("depth", [18, 34, 50, *(pytest.param(depth, marks=pytest.mark.slow) for depth in (101, 152))])
def test_counts_with_pre_activation(depth: int) -> None:
    """The same convolutions and last layer. Norms lie before a block's first convolution instead of after its last,
    the stem's own is the first block's, and one more ends the network: the sums telescope, and only the norms on the
    ways round are gone.
    """
    model, base = on_meta(f"preact_resnet{depth}"), on_meta(f"resnet{depth}")

    def weights(net: nn.Module) -> list[tuple[int, ...]]:
        return sorted(tuple(m.weight.shape) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear)))

    assert weights(model) == weights(base)
    on_the_way_round = (128, 256, 512) if depth < 50 else (256, 512, 1024, 2048)
    assert n_parameters(base) - n_parameters(model) == 2 * sum(on_the_way_round)


@pytest.mark.parametrize(("name", "convolutions"), [("plain18", 173_824), ("plain34", 173_824)])
def test_plain_networks_lack_the_ways_round_and_nothing_else(name: str, convolutions: int) -> None:
    """1x1 convolutions 64 -> 128 -> 256 -> 512 with their norms: 128 (64 + 2) + 256 (128 + 2) + 512 (256 + 2)."""
    assert convolutions == 128 * 66 + 256 * 130 + 512 * 258
    model, base = on_meta(name), on_meta(name.replace("plain", "resnet"))
    assert n_parameters(base) - n_parameters(model) == convolutions
    assert list(model.state_dict()) == [key for key in base.state_dict() if "downsample" not in key]


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("resnet18", 18),
        ("resnet34", 34),
        ("resnet50", 50),
        ("resnet101", 101),
        ("resnet152", 152),
        ("preact_resnet18", 18),
        ("preact_resnet50", 50),
        ("plain34", 34),
        ("wide_resnet50_2", 50),
        ("resnext101_32x8d", 101),
        ("stochastic_depth_resnet18", 18),
        ("se_resnet50", 50),
    ],
)
def test_the_number_in_the_name_counts_convolutions_and_dense_layers(name: str, layers: int) -> None:
    """On the way through; what stands on the way round, and the weighing of channels, does not count."""
    found = [
        key
        for key, module in on_meta(name).named_modules()
        if isinstance(module, (nn.Conv2d, nn.Linear)) and "downsample" not in key and ".se." not in key
    ]
    assert len(found) == layers


@pytest.mark.parametrize("small", ["resnet50", "wide_resnet50_2", "resnext50_32x4d", "se_resnet34"])
def test_small_pictures_change_the_stem_alone(small: str) -> None:
    large, small_one = on_meta(small).state_dict(), on_meta(small, (64, 64)).state_dict()
    assert large["conv1.weight"].shape == (64, 3, 7, 7) and small_one["conv1.weight"].shape == (64, 3, 3, 3)
    changed = [key for key in large if large[key].shape != small_one[key].shape]
    assert list(large) == list(small_one) and changed == ["conv1.weight"]


def test_stochastic_depth_and_weights_of_a_resnet_fit_each_other() -> None:
    """In evaluation they are one network."""
    seed_everything(0)
    base, dropping = create("resnet18", 4, 1, (32, 32)).eval(), create("stochastic_depth_resnet18", 4, 1, (32, 32))
    dropping.load_state_dict(base.state_dict(), strict=True)
    x = torch.randn(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(base(x), dropping.eval()(x))


def test_a_bottleneck_is_its_formula() -> None:
    """With the stride on the 3x3 convolution."""
    torch.manual_seed(0)
    block = Bottleneck(6, 4, stride=2, groups=2, width_per_group=64).eval()
    x = torch.randn(2, 6, 7, 6)
    y = norm(F.conv2d(x, block.conv1.weight)).relu()
    assert y.shape == (2, 8, 7, 6)
    y = norm(F.conv2d(y, block.conv2.weight, stride=2, padding=1, groups=2)).relu()
    y = norm(F.conv2d(y, block.conv3.weight))
    shortcut = norm(F.conv2d(x[:, :, ::2, ::2], block.downsample[0].weight))
    torch.testing.assert_close(block(x), (y + shortcut).relu())
    assert y.shape == (2, 16, 4, 3)


@pytest.mark.parametrize(
    "block",
    [
        Bottleneck(32, 8),
        Bottleneck(32, 8, groups=4, width_per_group=16),
        BasicBlock(8, 8, dilation=2),
        BasicBlock(8, 8, weigh=weigh),
        Bottleneck(32, 8, weigh=weigh),
    ],
)
def test_a_block_whose_residual_is_zero_is_the_identity(block: nn.Module) -> None:
    """For x >= 0, in training and in evaluation."""
    last = block.bn3 if isinstance(block, Bottleneck) else block.bn2
    nn.init.zeros_(last.weight)
    x = torch.rand(2, block.conv1.in_channels, 5, 7)
    assert torch.equal(block(x), x) and torch.equal(block.eval()(x), x)


@pytest.mark.parametrize("bottleneck", [False, True])
def test_a_pre_activation_block_whose_residual_is_zero_is_the_identity(bottleneck: bool) -> None:
    """For any x: nothing stands on the way round."""
    block = PreActBlock(16, 4 if bottleneck else 16, bottleneck=bottleneck)
    nn.init.zeros_(block.branch[-1].weight)
    x = torch.randn(2, 16, 5, 7)
    assert torch.equal(block(x), x) and torch.equal(block.eval()(x), x)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_zero_init_is_for_every_kind_of_block(name: str) -> None:
    basic = name == "resnet18"
    model = ResNet(3, 1, (2, 1, 1, 1), True, True, BasicBlock if basic else Bottleneck, 1 if basic else 4).eval()
    x = torch.rand(1, 64 if basic else 256, 8, 8)
    assert torch.equal(model.layer1[1 if not basic else 0](x), x)


def test_a_pre_activation_block_is_its_formula() -> None:
    """Norm, ReLU, convolution, twice; the way round starts after the first pair, and without a norm."""
    torch.manual_seed(0)
    block = off_zero(PreActBlock(4, 6, stride=2)).eval()
    x = torch.randn(2, 4, 7, 6)
    active = F.relu(block.bn1(x))
    middle = F.relu(block.branch[1](F.conv2d(active, block.branch[0].weight, stride=2, padding=1)))
    residual = F.conv2d(middle, block.branch[3].weight, padding=1)
    shortcut = F.conv2d(active[:, :, ::2, ::2], block.downsample.weight)
    torch.testing.assert_close(block(x), residual + shortcut)


def test_a_pre_activation_network_carries_its_input_to_the_end_unchanged() -> None:
    """With every last convolution at zero, stage 1 adds nothing to what the stem gave, and nothing is clipped."""
    torch.manual_seed(0)
    model = off_zero(PreActResNet(3, 1, (2, 1, 1, 1), small_stem=True)).eval()
    for block in model.layer1:
        nn.init.zeros_(block.branch[-1].weight)
    x = torch.randn(1, 64, 8, 8)
    assert bool((x < 0).any()) and torch.equal(model.layer1(x), x)
    first, second = model.layer1
    assert isinstance(first.bn1, nn.Identity) and isinstance(second.bn1, nn.BatchNorm2d)


def test_squeeze_and_excitation_with_factors_of_one_is_the_base() -> None:
    seed_everything(0)
    base = create("resnet18", 4, 1, (32, 32))
    model = create("se_resnet18", 4, 1, (32, 32))
    missing = model.load_state_dict(off_zero(base).state_dict(), strict=False)
    assert all(".se.fc" in key for key in missing.missing_keys) and missing.unexpected_keys == []
    x, models = torch.randn(2, 1, 32, 32), (base.eval(), model.eval())
    with torch.no_grad():
        assert not torch.allclose(*(net(x) for net in models))
        for key, module in model.named_modules():
            if key.endswith("se.fc2"):
                nn.init.zeros_(module.weight)
                nn.init.constant_(module.bias, 100.0)  # sigmoid(100) is 1 in float32
        assert torch.equal(*(net(x) for net in models))


def test_factors_of_squeeze_and_excitation_lie_between_zero_and_one() -> None:
    seed_everything(0)
    model, found = create("se_resnet18", 4, 3, (40, 33)), []
    for block in (*model.layer1, *model.layer4):
        block.se.gate.register_forward_hook(lambda _, __, out: found.append(out.detach()))
    model(torch.randn(3, 3, 40, 33))
    assert [tuple(f.shape) for f in found] == [(3, 64, 1, 1)] * 2 + [(3, 512, 1, 1)] * 2
    assert all(bool(((f > 0) & (f < 1)).all()) for f in found)
    assert all(float(f.std(1).min()) > 0 for f in found), "the same factor for every channel"


def test_names_of_squeeze_and_excitation_are_timms() -> None:
    keys = list(on_meta("se_resnet50").state_dict())
    of_block = [key.removeprefix("layer1.0.") for key in keys if key.startswith("layer1.0.")]
    weights = [key for key in of_block if "bn" not in key and "downsample.1" not in key]
    assert weights == [
        "conv1.weight",
        "conv2.weight",
        "conv3.weight",
        "se.fc1.weight",
        "se.fc1.bias",
        "se.fc2.weight",
        "se.fc2.bias",
        "downsample.0.weight",
    ]


@pytest.mark.parametrize("name", ["resnet18", "resnext50_32x4d"])
@pytest.mark.parametrize(("size", "strides"), [((64, 47), (1, 2, 4, 8)), ((70, 97), (4, 8, 16, 32))])
def test_stages_are_reachable_by_name(name: str, size: tuple[int, int], strides: tuple[int, ...]) -> None:
    """Their sizes are rounded up; the last one is what the logits are made of."""
    seed_everything(0)
    model, expansion = create(name, 3, 1, size).eval(), 1 if name == "resnet18" else 4
    x = torch.randn(1, 1, *size)
    with torch.no_grad():
        found = model.stages(x)
        torch.testing.assert_close(model(x), model.fc(found["layer4"].mean((2, 3))))
    expected = {
        f"layer{i + 1}": (1, 64 * 2**i * expansion, -(-size[0] // stride), -(-size[1] // stride))
        for i, stride in enumerate(strides)
    }
    assert {key: tuple(value.shape) for key, value in found.items()} == expected


def test_dilation_instead_of_stride_gives_finer_maps_of_the_same_numbers() -> None:
    """Every other cell of the dilated map is the map of the strided network: the same taps on the same pixels."""
    seed_everything(0)
    strided = off_zero(ResNet(3, 3, (1, 2, 2, 1), block=Bottleneck, expansion=4)).eval()
    dilated = ResNet(
        3, 3, (1, 2, 2, 1), block=Bottleneck, expansion=4, replace_stride_with_dilation=(False, True, True)
    ).eval()
    dilated.load_state_dict(strided.state_dict(), strict=True)
    assert dilated.layer3[0].conv2.dilation == (1, 1) and dilated.layer3[1].conv2.dilation == (2, 2)
    assert dilated.layer4[0].conv2.dilation == (2, 2) and dilated.layer4[0].conv2.stride == (1, 1)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        coarse, fine = strided.stages(x), dilated.stages(x)
    for key, step in (("layer2", 1), ("layer3", 2), ("layer4", 4)):
        torch.testing.assert_close(fine[key][:, :, ::step, ::step], coarse[key], rtol=1e-3, atol=1e-3)
    assert fine["layer4"].shape == (1, 2048, 8, 8)


@pytest.mark.parametrize("name", ["resnet34", "resnet50", "wide_resnet50_2", "preact_resnet50", "se_resnet50"])
@pytest.mark.slow
def test_larger_ones_answer_in_any_shape(name: str) -> None:
    for channels, size in ((1, (29, 35)), (3, (65, 90))):
        seed_everything(0)
        model = create(name, 3, channels, size)
        out = model(torch.randn(2, channels, *size))
        assert out.shape == (2, 3)
        out.sum().backward()
        assert all(p.grad is not None and bool(p.grad.any()) for p in model.parameters())
