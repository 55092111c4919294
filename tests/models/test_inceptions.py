"""GoogLeNet and the later Inceptions against their papers and published forms."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.errors import ConfigError
from pellucid.core.seed import seed_everything
from pellucid.models import create
from pellucid.models.classify import AUXILIARY_HEADS
from pellucid.models.classify.googlenet import VARIANTS, WIDTHS, AuxiliaryHead, GoogLeNet, inception
from pellucid.models.classify.inception_resnet_v2 import block_8, block_17, block_35
from pellucid.models.classify.inception_unit import EPSILON, Branches, ConvUnit, chain, pooled
from pellucid.models.classify.inception_v3 import InceptionC, InceptionE, InceptionV3
from pellucid.models.classify.inception_v4 import InceptionC as InceptionC4
from pellucid.models.classify.inception_v4 import inception_a, inception_b, reduction_a, reduction_b

LARGE = ("inception_v3", "inception_v4", "inception_resnet_v2")  # for 299 px


def count(*parts: nn.Module) -> int:
    return sum(parameter.numel() for part in parts for parameter in part.parameters())


def on_meta(name: str, size: int = 299) -> nn.Module:
    """The network without memory or arithmetic: for shapes."""
    with torch.device("meta"):
        return create(name, image_size=(size, size))


def shapes(model: nn.Module, size: int) -> dict[str, tuple[int, ...]]:
    """What every part gives for one picture: (feature maps, height, width)."""
    found: dict[str, tuple[int, ...]] = {}

    def keep(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        return lambda module, inputs, out: found.update({name: tuple(out.shape[1:])})

    for name, module in model.named_modules():
        module.register_forward_hook(keep(name))
    model.eval()(torch.empty(1, 3, size, size, device="meta"))
    return found


# ----------------------------------------------------------------------------------------------------------- GoogLeNet


def test_googlenet_has_the_published_number_of_parameters() -> None:
    model = on_meta("googlenet", 224)
    assert count(model) == 13_004_888
    assert count(model) - count(model.aux1, model.aux2) == 6_624_904 == 6_610_344 + 14_560
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    assert count(*norms) - count(model.aux1.conv.bn, model.aux2.conv.bn) == 14_560


def test_the_paper_has_its_own_number_of_parameters() -> None:
    model = on_meta("googlenet_paper", 224)
    convolutions = [part for part in model.modules() if isinstance(part, nn.Conv2d)]
    assert count(*convolutions) - count(model.aux1.conv, model.aux2.conv) == 5_973_552
    assert count(model.fc) == 1_025_000
    assert count(model) - count(model.aux1, model.aux2) == 6_998_552
    assert not [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    assert [model.lrn1.size, model.lrn2.size, model.dropout.p] == [5, 5, 0.4]


@pytest.mark.parametrize("name", VARIANTS)
def test_sizes_are_those_of_table_1(name: str) -> None:
    """Of "Going Deeper with Convolutions", for 224 px."""
    found = shapes(on_meta(name, 224), 224)
    table = {
        "conv1": (64, 112, 112),
        "maxpool1": (64, 56, 56),
        "conv3": (192, 56, 56),
        "maxpool2": (192, 28, 28),
        "inception3a": (256, 28, 28),
        "inception3b": (480, 28, 28),
        "maxpool3": (480, 14, 14),
        "inception4a": (512, 14, 14),
        "inception4b": (512, 14, 14),
        "inception4c": (512, 14, 14),
        "inception4d": (528, 14, 14),
        "inception4e": (832, 14, 14),
        "maxpool4": (832, 7, 7),
        "inception5a": (832, 7, 7),
        "inception5b": (1024, 7, 7),
        "avgpool": (1024, 1, 1),
        "fc": (1000,),
    }
    assert {key: found[key] for key in table} == table


def test_a_module_is_its_four_branches_one_after_the_other() -> None:
    torch.manual_seed(0)
    module = inception(6, (2, 3, 4, 2, 5, 1), wide=5, norm=False)
    weights = list(module.state_dict().values())

    def conv(x: Tensor) -> Tensor:
        weight, bias = weights.pop(0), weights.pop(0)
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2).relu()

    x = torch.randn(2, 6, 7, 5)
    parts = [conv(x), conv(conv(x)), conv(conv(x)), conv(F.max_pool2d(x, 3, 1, 1))]
    assert not weights and [part.shape[1] for part in parts] == [2, 4, 5, 1]
    torch.testing.assert_close(module(x), torch.cat(parts, 1))


def test_wide_branches_are_wide_in_the_paper_alone() -> None:
    kernels = {name: on_meta(name, 224).inception3a["branch3"][1].conv.kernel_size for name in VARIANTS}
    assert kernels == {"googlenet": (3, 3), "googlenet_paper": (5, 5)}


def test_every_module_takes_what_the_one_before_gives() -> None:
    outputs = [widths[0] + widths[2] + widths[4] + widths[5] for widths in WIDTHS.values()]
    assert outputs == [256, 480, 512, 512, 512, 528, 832, 832, 1024]


def test_branches_of_unequal_size_are_not_joined() -> None:
    parts = Branches({"a": ConvUnit(1, 1, 3), "b": ConvUnit(1, 1, 3, same=False)})
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):
        parts(torch.zeros(1, 1, 5, 5))


def test_the_head_of_the_paper_averages_as_printed() -> None:
    """14 x 14 cells in windows of 5 at stride 3; other maps by shares of their size, to 4 x 4 too."""
    torch.manual_seed(0)
    head = AuxiliaryHead(3, 2, norm=False).eval()
    x = torch.randn(1, 3, 14, 14)
    averaged = torch.stack(
        [x[0, :, i : i + 5, j : j + 5].mean((1, 2)) for i in range(0, 10, 3) for j in range(0, 10, 3)], 1
    ).view(1, 3, 4, 4)
    torch.testing.assert_close(head(x), head(averaged))
    for size in ((1, 1), (2, 7), (14, 17)):
        assert head(torch.randn(1, 3, *size)).shape == (1, 2)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize(
    ("size", "cells"), [((8, 8), (1, 1)), ((32, 33), (4, 4)), ((64, 65), (8, 8)), ((65, 65), (2, 2))]
)
def test_small_pictures_keep_their_cells(name: str, size: tuple[int, int], cells: tuple[int, int]) -> None:
    model = create(name, 4, 1, size).eval()
    seen = []
    model.inception5b.register_forward_hook(lambda module, inputs, out: seen.append(out.shape[2:]))
    with torch.no_grad():
        assert model(torch.zeros(2, 1, *size)).shape == (2, 4)
    assert tuple(seen[0]) == cells
    assert ("small-image stem" in model.notes[0]) == (min(size) <= 64)


# ------------------------------------------------------------------------------------------------------ auxiliary heads


@pytest.mark.parametrize("name", AUXILIARY_HEADS)
def test_the_table_of_heads_is_true(name: str) -> None:
    out = on_meta(name, 96).outputs(torch.empty(2, 3, 96, 96, device="meta"))
    assert list(out) == ["logits", *(f"auxiliary{k + 1}" for k in range(AUXILIARY_HEADS[name]))]
    assert {tuple(value.shape) for value in out.values()} == {(2, 1000)}


@pytest.mark.parametrize(("name", "side"), [("googlenet", 16), ("googlenet_paper", 16), ("inception_v3", 75)])
def test_heads_answer_in_training_alone(name: str, side: int) -> None:
    model = create(name, 3, 1, (side, side))
    x = torch.randn(2, 1, side, side)
    with torch.no_grad():
        seed_everything(0)
        logits = model.outputs(x)["logits"]
        seed_everything(0)
        assert torch.equal(model(x), logits)
        assert list(model.eval().outputs(x)) == ["logits"]


@pytest.mark.parametrize(("name", "side"), [("googlenet", 16), ("googlenet_paper", 16), ("inception_v3", 150)])
def test_a_single_picture_trains_every_parameter(name: str, side: int) -> None:
    """At twice the smallest size. No head reaches the parameters above it."""
    seed_everything(0)
    model = create(name, 3, 1, (side, side))
    out = model.outputs(torch.randn(1, 1, side, side))
    sum(F.cross_entropy(logits, torch.tensor([1])) for logits in out.values()).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None and bool(parameter.grad.isfinite().all()), key


def test_heads_reach_the_layers_below_them_and_no_others() -> None:
    """Behind 4a and 4d, as printed."""
    model = create("googlenet", 3, 1, (16, 16))
    out = model.outputs(torch.randn(2, 1, 16, 16))
    for name, last, next_ in (
        ("auxiliary1", "inception4a", "inception4b"),
        ("auxiliary2", "inception4d", "inception4e"),
    ):
        model.zero_grad()
        out[name].square().sum().backward(retain_graph=True)
        reached = {key.split(".")[0] for key, parameter in model.named_parameters() if parameter.grad is not None}
        assert {"conv1", last} <= reached and next_ not in reached and "fc" not in reached


@pytest.mark.parametrize("name", ["googlenet", *LARGE])
def test_norms_are_those_of_published_weights(name: str) -> None:
    norms = [part for part in on_meta(name).modules() if isinstance(part, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(0.001, 0.1)}


def test_a_single_picture_of_299_px_does_not_stop_the_head_of_v3() -> None:
    """Its last norm sees one cell there: more are made for one picture, and only then."""
    head = InceptionV3(3, 1).AuxLogits
    seen = []
    head.conv1.register_forward_hook(lambda module, inputs, out: seen.append(tuple(out.shape)))
    for n in (1, 2):
        head(torch.randn(n, 768, 17, 17))
    assert seen == [(1, 768, 2, 2), (2, 768, 1, 1)]


# -------------------------------------------------------------------------------------------- Inception v3, v4, ResNet


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("inception_v3", 27_161_264), ("inception_v4", 42_679_816), ("inception_resnet_v2", 55_843_464)],
)
def test_parameters_of_the_large_ones(name: str, parameters: int) -> None:
    """timm rounds the last two to 42.68 and 55.84 million, and v3 without its head to 23.83."""
    model = on_meta(name)
    assert count(model) == parameters
    if name == "inception_v3":
        assert round((count(model) - count(model.AuxLogits)) / 1e6, 2) == 23.83


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        (
            "inception_v3",
            {
                "Conv2d_2b_3x3": (64, 147, 147),
                "Conv2d_4a_3x3": (192, 71, 71),
                "Mixed_5b": (256, 35, 35),
                "Mixed_5d": (288, 35, 35),
                "Mixed_6a": (768, 17, 17),
                "Mixed_6e": (768, 17, 17),
                "Mixed_7a": (1280, 8, 8),
                "Mixed_7c": (2048, 8, 8),
            },
        ),
        (
            "inception_v4",
            {
                "features.2": (64, 147, 147),
                "features.3": (160, 73, 73),
                "features.4": (192, 71, 71),
                "features.5": (384, 35, 35),
                "features.9": (384, 35, 35),
                "features.10": (1024, 17, 17),
                "features.18": (1536, 8, 8),
                "features.21": (1536, 8, 8),
            },
        ),
        (
            "inception_resnet_v2",
            {
                "mixed_5b": (320, 35, 35),
                "repeat": (320, 35, 35),
                "mixed_6a": (1088, 17, 17),
                "mixed_7a": (2080, 8, 8),
                "block8": (2080, 8, 8),
                "conv2d_7b": (1536, 8, 8),
            },
        ),
    ],
)
def test_sizes_for_299_px_are_those_of_the_papers(name: str, sizes: dict[str, tuple[int, int, int]]) -> None:
    found = shapes(on_meta(name), 299)
    assert {key: found[key] for key in sizes} == sizes


def test_a_factorised_kernel_is_the_product_of_its_parts() -> None:
    """For what the ReLU lets through: 1x7, then 7x1, is the 7x7 kernel column times row, divided by the norms."""
    torch.manual_seed(0)
    pair = chain(1, (1, (1, 7)), (1, (7, 1))).eval()
    row, column = (nn.init.uniform_(unit.conv.weight, 0.1, 1.0) for unit in pair)
    x = torch.rand(1, 1, 11, 9)
    whole = F.conv2d(x, (column @ row).detach(), padding=3) / (1 + EPSILON)
    torch.testing.assert_close(pair(x), whole)
    assert row.numel() + column.numel() == 14  # in place of 49


def test_factorised_branches_cost_what_the_paper_says() -> None:
    """A 7x7 in two parts has 2/7 of the weights; 3x3 in two parts side by side 2/3 of what they replace."""
    module = InceptionC(768, c_7x7=192)
    pair = count(module.branch7x7_2.conv, module.branch7x7_3.conv)
    assert pair * 49 == 2 * 7 * nn.Conv2d(192, 192, 7, bias=False).weight.numel()
    last = InceptionE(1280)
    assert count(last.branch3x3_2a.conv, last.branch3x3_2b.conv) * 9 == 6 * 384 * 384 * 9


@pytest.mark.parametrize(
    ("build", "c_in", "c_out", "halved"),
    [
        (lambda: InceptionC(768, 128), 768, 768, False),
        (lambda: InceptionE(1280), 1280, 2048, False),
        (inception_a, 384, 384, False),
        (inception_b, 1024, 1024, False),
        (InceptionC4, 1536, 1536, False),
        (reduction_a, 384, 1024, True),
        (reduction_b, 1024, 1536, True),
        (block_35, 320, 320, False),
        (block_17, 1088, 1088, False),
        (block_8, 2080, 2080, False),
    ],
)
def test_shapes_of_every_module(build: Callable[[], nn.Module], c_in: int, c_out: int, halved: bool) -> None:
    """Also of maps that are odd or not square; branches agree, or they could not be joined."""
    with torch.device("meta"):
        module = build()
        for h, w in ((17, 17), (8, 8), (7, 4)):
            expected = ((h - 1) // 2, (w - 1) // 2) if halved else (h, w)
            assert module(torch.empty(2, c_in, h, w)).shape == (2, c_out, *expected)


def test_the_border_counts_in_v3_alone() -> None:
    """The mean of ones: 4/9 in a corner where zeros around the map count, 1 where they do not."""
    ones = torch.ones(1, 8, 5, 5)
    module = InceptionC(8, 4)
    seen = []
    module.branch_pool.register_forward_pre_hook(lambda part, inputs: seen.append(inputs[0]))
    module(ones)
    assert float(seen[0][0, 0, 0, 0]) == pytest.approx(4 / 9)
    assert torch.equal(pooled(8, 4)[0](ones), ones)


def test_a_residual_is_scaled_and_added() -> None:
    block = block_35().eval()
    nn.init.zeros_(block.conv2d.weight)
    nn.init.constant_(block.conv2d.bias, 2.0)
    x = torch.randn(1, 320, 3, 3)
    torch.testing.assert_close(block(x), (x + 0.17 * 2).relu())
    last = block_8(scale=1.0, last_relu=False).eval()
    nn.init.zeros_(last.conv2d.weight), nn.init.zeros_(last.conv2d.bias)
    x = torch.randn(1, 2080, 1, 1)
    assert torch.equal(last(x), x)


@pytest.mark.parametrize("name", LARGE)
def test_75_px_are_the_least(name: str) -> None:
    with torch.device("meta"):
        model = create(name, 5, 3, (75, 90)).eval()
        assert model(torch.empty(2, 3, 75, 90)).shape == (2, 5)
        with pytest.raises(RuntimeError, match="greater than actual input size"):
            model(torch.empty(2, 3, 74, 90))
    with pytest.raises(ConfigError) as caught:
        create(name, 5, 3, (90, 74))
    assert str(caught.value) == (
        f"{name} needs pictures of at least 75x75 px, got 90x74. Choose a larger --image-size, or --model resnet18."
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_8_px_are_the_least_of_googlenet(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        create(name, 5, 3, (7, 9))
    assert str(caught.value) == (
        f"{name} needs pictures of at least 8x8 px, got 7x9. Choose a larger --image-size, or --model mlp."
    )


def test_arguments_say_what_is_built() -> None:
    model = GoogLeNet(2, 1, VARIANTS["googlenet"], small_stem=True)
    assert model.notes == () and model.conv1.conv.kernel_size == (3, 3)
