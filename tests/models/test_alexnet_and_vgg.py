"""AlexNet, ZFNet, VGG and the all convolutional net against their papers' numbers; large ones without memory."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.models.classify.alexnet_notes import AlexNetNotes, alexnet_notes, cells, response_norm
from pellucid.models.classify.vgg import CHANNELS, DEPTHS, Vgg
from pellucid.nn.geometry import describe
from pellucid.scratch.normalisation.local_response import lrn_forward


def empty(name: str, n_classes: int = 1000, size: tuple[int, int] = (224, 224)) -> nn.Module:
    with torch.device("meta"):
        return create(name, n_classes, 3, size)


def maps(model: nn.Module, size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    """Shape after each part of a model without memory."""
    shapes: dict[str, tuple[int, ...]] = {}

    def remember(name: str) -> None:
        model.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, out: shapes.update({name: tuple(out.shape[1:])})
        )

    for name, _ in model.named_modules():
        remember(name)
    model(torch.zeros(1, 3, *size, device="meta"))
    return shapes


def counts(model: nn.Module) -> tuple[int, int]:
    """Parameters of convolutions and of linear layers."""
    convolutions = sum(p.numel() for m in model.modules() if isinstance(m, nn.Conv2d) for p in m.parameters())
    linear = sum(p.numel() for m in model.modules() if isinstance(m, nn.Linear) for p in m.parameters())
    assert convolutions + linear == sum(p.numel() for p in model.parameters())
    return convolutions, linear


def weighed(model: nn.Module) -> list[nn.Module]:
    return [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


def test_alexnet_of_the_notes_has_its_numbers() -> None:
    """By hand: 11*11*3*96 + 96 and so on; the common form has other filters and no other sum."""
    model = empty("alexnet_notes", size=(227, 227))
    assert counts(model) == (3_747_200, 58_631_144) and sum(counts(model)) == 62_378_344
    assert model.get_submodule("fc6").in_features == 9_216
    assert len(weighed(model)) == 8
    assert sum(counts(empty("alexnet_notes_groups2"))) == 60_965_224
    assert sum(counts(empty("alexnet"))) == 61_100_840


@pytest.mark.parametrize("name", ["alexnet_notes", "alexnet_notes_groups2"])
def test_alexnet_of_the_notes_shrinks_as_described(name: str) -> None:
    model = empty(name, size=(227, 227))
    shapes = maps(model, (227, 227))
    assert shapes["conv1"] == (96, 55, 55) and shapes["conv2"] == (256, 27, 27)
    assert shapes["conv3"] == shapes["conv4"] == (384, 13, 13) and shapes["conv5"] == (256, 13, 13)
    assert shapes["pool3"] == shapes["fit"] == (256, 6, 6)
    assert model.notes == ()


def test_two_towers_meet_in_the_third_convolution_only() -> None:
    """What the first tower's half of the maps carries cannot be seen by the second's before conv3."""
    torch.manual_seed(0)
    model = AlexNetNotes(2, 3, groups=2)
    x = torch.randn(1, 96, 5, 5)
    other = torch.cat([x[:, :48], torch.randn(1, 48, 5, 5)], dim=1)
    one, two = model.conv2(x), model.conv2(other)
    assert torch.equal(one[:, :128], two[:, :128]) and not torch.equal(one[:, 128:], two[:, 128:])
    assert [module.groups for module in weighed(model)[:5]] == [1, 2, 1, 2, 2]


def test_the_paper_normalises_before_pooling_and_the_notes_after() -> None:
    orders = []
    for name in ("alexnet_notes", "alexnet_notes_groups2"):
        seen = list(maps(empty(name), (224, 224)))
        orders.append([part for part in seen if part in ("norm1", "pool1", "norm2", "pool2")])
    assert orders == [["pool1", "norm1", "pool2", "norm2"], ["norm1", "pool1", "norm2", "pool2"]]


def test_response_norm_has_the_papers_constants() -> None:
    """x / (2 + 1e-4 * sum of squares of 5 neighbours)^0.75: alpha is not divided by n in the paper."""
    x = 60 * torch.randn(2, 7, 3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    padded = F.pad(x.square(), (0, 0, 0, 0, 2, 2))
    activity = torch.stack([padded[:, i : i + 5].sum(1) for i in range(7)], dim=1)
    expected = x / (2 + 1e-4 * activity) ** 0.75
    torch.testing.assert_close(response_norm()(x), expected)
    twin, _ = lrn_forward(x.numpy(), {"size": 5, "alpha": 5e-4, "beta": 0.75, "k": 2.0})
    np.testing.assert_allclose(twin, expected.numpy(), rtol=1e-12)


@pytest.mark.parametrize("size", [(67, 67), (224, 227), (300, 131)])
def test_cells_are_those_of_the_last_pooling(size: tuple[int, int]) -> None:
    shapes = maps(empty("alexnet_notes", size=size), size)
    assert shapes["pool3"] == (256, *cells(size)) and shapes["fit"] == (256, 6, 6)


def test_other_sizes_are_said() -> None:
    assert empty("alexnet_notes").notes == (
        "pictures of 224x224 px end in a 5x5 map, which is averaged or repeated to 6x6; 227x227 px need neither",
    )


def test_zfnet_has_the_papers_maps_filters_and_strides() -> None:
    """The second convolution has stride 2 like the first; the third has not. The wide net grows from the third on."""
    model = empty("zfnet")
    shapes = maps(model, (224, 224))
    assert [shapes[name][1] for name in ("conv1", "pool1", "conv2", "pool2", "conv5", "pool3")] == [
        110, 55, 26, 13, 13, 6,
    ]  # fmt: skip
    convolutions = weighed(model)[:5]
    assert [module.stride[0] for module in convolutions] == [2, 2, 1, 1, 1]
    assert [module.kernel_size[0] for module in convolutions] == [7, 5, 3, 3, 3]
    assert [module.out_channels for module in convolutions] == [96, 256, 384, 384, 256]
    assert [module.out_channels for module in weighed(empty("zfnet_wide"))[:5]] == [96, 256, 512, 1024, 512]
    assert sum(counts(model)) == 62_357_608
    assert weighed(empty("zfnet_wide"))[5].in_features == 6 * 6 * 512


def test_three_quarters_of_vgg16_are_its_first_dense_layer() -> None:
    model = empty("vgg16")
    first = sum(p.numel() for p in model.get_submodule("classifier.0").parameters())
    total = sum(counts(model))
    assert (first, total) == (102_764_544, 138_357_544)
    assert first / total == pytest.approx(0.742746, abs=5e-7)


def test_parameters_are_in_the_dense_layers_and_activations_in_the_first_stages() -> None:
    """VGG-16 at 224 px. By hand: the maps after the convolutions of stages 1 and 2 are
    2 * 64 * 224^2 + 2 * 128 * 112^2 numbers, two thirds of all of them, and the dense layers keep 9,192."""
    found = describe(empty("vgg16"), 3, (224, 224))
    dense = [row for row in found.rows if row.kind == "Linear"]
    convolutions = [row for row in found.rows if row.kind == "Conv2d"]
    assert sum(row.parameters for row in dense) / found.parameters == pytest.approx(0.8936, abs=1e-4)
    early = sum(row.activation_bytes for row in convolutions[:4]) / 4
    assert early == 2 * 64 * 224**2 + 2 * 128 * 112**2
    kept = sum(row.activation_bytes for row in [*convolutions, *dense]) / 4
    assert early / kept > 2 / 3
    assert sum(row.activation_bytes for row in dense) / 4 == 4096 + 4096 + 1000


@pytest.mark.parametrize("layers", [11, 13, 16, 19])
def test_vgg_is_counted_by_its_layers_and_doubles_after_three_poolings(layers: int) -> None:
    """Channels double after the first three poolings; not after the fourth, nor the fifth."""
    model = empty(f"vgg{layers}")
    assert len(weighed(model)) == layers == sum(DEPTHS[layers]) + 3
    widths, growth = [3], []
    for module in model.get_submodule("features"):
        if isinstance(module, nn.Conv2d):
            assert module.kernel_size == (3, 3)
            widths.append(module.out_channels)
        elif isinstance(module, nn.MaxPool2d):
            growth.append(widths[-1])
    assert tuple(growth) == CHANNELS == (64, 128, 256, 512, 512)


def test_vgg_for_small_pictures() -> None:
    """28 px are 2x2 cells after four poolings that round up; the head has 512 where the other has 25,088 inputs."""
    model = empty("vgg16_bn", 10, (28, 28))
    assert model.notes == (
        "small-image head (no last pooling, mean over the map, 512 wide) because the short side is 28 px (64 or less)",
    )
    shapes = maps(model, (28, 28))
    assert shapes["features"] == (512, 2, 2) and shapes["avgpool"] == (512, 1, 1)
    assert [m.in_features for m in weighed(model)[13:]] == [512, 512, 512]
    assert maps(empty("vgg16", 10, (64, 64)), (64, 64))["features"] == (512, 4, 4)
    assert maps(empty("vgg16", 10, (65, 65)), (65, 65))["features"] == (512, 2, 2)


def test_vgg_is_a_chain_of_functions() -> None:
    torch.manual_seed(0)
    model = Vgg(3, 1, (1, 1, 2, 2, 2), norm=False, small_head=True).eval()
    weights = list(model.state_dict().values())
    x = picture = torch.randn(2, 1, 33, 20)
    for stage, depth in enumerate((1, 1, 2, 2, 2)):
        x = F.max_pool2d(x, 2, ceil_mode=True) if stage else x
        for _ in range(depth):
            x = F.relu(F.conv2d(x, weights.pop(0), weights.pop(0), padding=1))
    x = x.mean((2, 3))
    for _ in range(2):
        x = F.relu(F.linear(x, weights.pop(0), weights.pop(0)))
    expected = F.linear(x, weights.pop(0), weights.pop(0))
    torch.testing.assert_close(model(picture), expected)


def test_all_conv_has_the_papers_layers_and_a_head_of_any_size() -> None:
    """By hand: 1,369,738 for 10 classes of 32 px. Global averaging: 192 weights and a bias a class, at any size."""
    model = empty("all_conv", 10, (32, 32))
    assert sum(counts(model)) == 1_369_738 and counts(model)[1] == 0
    assert sum(p.numel() for p in model.get_submodule("classifier").parameters()) == 10 * (192 + 1)
    assert not any(isinstance(module, (nn.MaxPool2d, nn.AvgPool2d)) for module in model.modules())
    assert maps(model, (32, 32))["classifier"] == (10, 6, 6)  # the paper averages over 6x6
    assert sum(counts(empty("all_conv", 10, (224, 200)))) == 1_369_738


def test_all_conv_averages_the_maps_of_its_classes() -> None:
    """The mean of the class maps is the linear map of the mean features: averaging and 1x1 convolutions commute."""
    torch.manual_seed(0)
    model = create("all_conv", 4, 1, (21, 30)).eval()
    x = torch.randn(2, 1, 21, 30)
    pooled = model.get_submodule("features")(x).mean((2, 3))
    head = model.get_submodule("classifier")
    torch.testing.assert_close(model(x), F.linear(pooled, head.weight.flatten(1), head.bias))


LEAST = {
    "alexnet": 63,
    "alexnet_notes": 67,
    "alexnet_notes_groups2": 67,
    "zfnet": 47,
    "zfnet_wide": 47,
    "vgg11": 16,
    "vgg19_bn": 16,
    "all_conv": 9,
}


@pytest.mark.parametrize(("name", "least"), LEAST.items())
def test_the_smallest_picture_is_taken_and_a_smaller_one_refused(name: str, least: int) -> None:
    assert empty(name, 5, (least, least + 7))(torch.zeros(2, 3, least, least + 7, device="meta")).shape == (2, 5)
    with pytest.raises(ConfigError) as caught:
        empty(name, 5, (40 + least, least - 1))
    assert str(caught.value) == (
        f"{name} needs pictures of at least {least}x{least} px, got {40 + least}x{least - 1}. "
        "Choose a larger --image-size, or --model resnet18."
    )


def test_the_stated_minimum_is_the_true_one() -> None:
    """One pixel less leaves nothing after the last pooling; a network built for more shows it."""
    for name, least in (("alexnet", 63), ("alexnet_notes", 67), ("zfnet", 47), ("all_conv", 9)):
        model = empty(name, 5, (224, 224))
        with pytest.raises(RuntimeError):
            model(torch.zeros(1, 3, least - 1, 224, device="meta"))


def test_dropout_is_where_the_paper_has_it() -> None:
    """On the outputs of fc6 and fc7, a half of them, in training only."""
    model = alexnet_notes(2, 1, (67, 67))
    assert [module.p for module in model.modules() if isinstance(module, nn.Dropout)] == [0.5, 0.5]
    shapes = list(maps(empty("alexnet_notes"), (224, 224)))
    assert shapes.index("drop6") == shapes.index("relu6") + 1 and shapes.index("drop7") == shapes.index("relu7") + 1
