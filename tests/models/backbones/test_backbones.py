"""Networks of the zoo as feature extractors."""

import copy

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.core.seed import seed_everything
from pellucid.models import create
from pellucid.models.backbones import DILATING, LAYOUTS, Backbone, backbone
from pellucid.models.classify.resnet import Bottleneck, ResNet

FAMILIES = ("resnet18", "preact_resnet18", "vgg11_bn", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_lite0")
SMALL = (*FAMILIES, "convnet", "densenet121")
ALL = [pytest.param(name, marks=[] if name in FAMILIES else [pytest.mark.slow]) for name in LAYOUTS]


def drawn(name: str, size: tuple[int, int] = (96, 96), channels: int = 3, output_stride: int = 32) -> Backbone:
    seed_everything(0)
    return backbone(name, channels, size, output_stride)


def pictures(n: int, height: int, width: int, channels: int = 3) -> Tensor:
    return torch.randn(n, channels, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", ALL)
def test_tensors_have_the_names_and_the_order_that_the_classifier_has(name: str) -> None:
    for size in ((128, 128), (48, 48)):
        with torch.device("meta"):
            wanted = {key: value.shape for key, value in create(name, 5, 3, size).state_dict().items()}
            got = {key: value.shape for key, value in backbone(name, 3, size).state_dict().items()}
        assert list(got) == [key for key in wanted if key in got]
        assert all(wanted[key] == shape for key, shape in got.items())
        left_out = {key.split(".")[0] for key in wanted if key not in got}
        assert left_out <= {"fc", "classifier", "head", "_fc", "_conv_head", "_bn1", "features"}


@pytest.mark.parametrize("name", ALL)
def test_strides_are_what_the_maps_are_called_by(name: str) -> None:
    with torch.device("meta"):
        net = backbone(name, 3, (224, 224))
    strides = (4, 8, 16, 32) if name == "convnet" else (2, 4, 8, 16, 32)
    assert net.strides == {stride: stride for stride in strides}
    assert tuple(net.widths) == strides


@pytest.mark.parametrize("name", SMALL)
def test_the_last_map_is_what_the_classifier_reads(name: str) -> None:
    """The head of the classifier, run on the last map of a backbone with the same weights, gives the same logits."""
    seed_everything(0)
    whole = create(name, 5, 3, (96, 96)).eval()
    net = drawn(name).eval()
    net.load_state_dict({key: tensor for key, tensor in whole.state_dict().items() if key in net.state_dict()})
    x = pictures(2, 96, 96)
    with torch.no_grad():
        last = net(x)[32]
        assert torch.equal(_head(whole, last), whole(x))


def _head(whole: nn.Module, last: Tensor) -> Tensor:
    """What is left of a classifier after its last map, said again here."""
    if hasattr(whole, "fc"):  # ResNets
        return whole.fc(last.mean((2, 3)))
    if hasattr(whole, "_fc"):  # EfficientNet-Lite
        return whole._fc(whole._relu1(whole._bn1(whole._conv_head(last))).mean((2, 3)))
    if hasattr(whole, "head"):  # convnet
        return whole.head(last.amax((2, 3))) / 9
    if isinstance(whole.classifier, nn.Linear):  # DenseNet
        return whole.classifier(last.mean((2, 3)))
    if type(whole).__name__ == "Vgg":
        return whole.classifier(whole.avgpool(last).flatten(1))
    return whole.classifier(whole.features[-1](last).mean((2, 3)))  # MobileNets


@pytest.mark.parametrize("name", SMALL)
def test_sides_are_rounded_up_whatever_the_size(name: str) -> None:
    net = drawn(name, (48, 48), channels=1).eval()
    for height, width in ((48, 48), (33, 47), (7, 50), (1, 1)):
        with torch.no_grad():
            maps = net(pictures(2, height, width, channels=1))
        assert list(maps) == list(net.widths) == list(net.strides)
        for called, each in maps.items():
            true = net.strides[called]
            assert each.shape == (2, net.widths[called], -(-height // true), -(-width // true)), (called, height, width)


@pytest.mark.parametrize("output_stride", [8, 16])
@pytest.mark.parametrize("name", ["resnet18", "preact_resnet18", "mobilenet_v2", "mobilenet_v3_small"])
def test_dilated_stages_see_at_the_old_cells_what_they_saw(name: str, output_stride: int) -> None:
    """The "à trous" algorithm skips no work, it adds cells between: every second, or fourth, is as before."""
    plain, dilated = drawn(name).eval(), drawn(name, output_stride=output_stride).eval()
    assert dilated.strides == {stride: min(stride, output_stride) for stride in plain.strides}
    assert list(dilated.state_dict()) == list(plain.state_dict())
    x = pictures(1, 75, 66)
    with torch.no_grad():
        before, after = plain(x), dilated(x)
    for stride, each in before.items():
        step = stride // dilated.strides[stride]
        again = after[stride][..., ::step, ::step]
        if name == "mobilenet_v3_small" and step > 1:  # squeeze and excitation take a mean, over more cells now
            assert again.shape == each.shape
        else:
            torch.testing.assert_close(again, each, rtol=1e-4, atol=1e-5 * float(each.abs().max()))


def test_bottlenecks_dilate_as_in_torchvision() -> None:
    """Convolution by convolution: stride, padding and dilation of `replace_stride_with_dilation`."""
    with torch.device("meta"):
        theirs = ResNet(
            1, 3, (3, 4, 6, 3), block=Bottleneck, expansion=4, replace_stride_with_dilation=(False, True, True)
        )
        ours = backbone("resnet50", 3, (224, 224), 8)
    wanted = {key: module for key, module in theirs.named_modules() if isinstance(module, nn.Conv2d)}
    for key, conv in wanted.items():
        got = ours.get_submodule(key)
        assert (got.stride, got.padding, got.dilation) == (conv.stride, conv.padding, conv.dilation), key


def test_small_pictures_keep_their_resolution() -> None:
    with torch.device("meta"):
        assert backbone("resnet18", 3, (32, 32)).strides == {2: 1, 4: 1, 8: 2, 16: 4, 32: 8}
        assert backbone("resnet18", 3, (32, 32), 8).strides == {2: 1, 4: 1, 8: 2, 16: 2, 32: 2}
        assert "small-image stem" in backbone("resnet18", 3, (32, 32)).notes[0]
        assert backbone("vgg16", 3, (32, 32)).strides[32] == 32


def test_a_copy_is_a_network_of_its_own() -> None:
    net = drawn("efficientnet_lite0").eval()
    other = copy.deepcopy(net)
    with torch.no_grad():
        x = pictures(1, 64, 64)
        before = net(x)[32].clone()
        for parameter in other.parameters():
            parameter.zero_()
        assert torch.equal(net(x)[32], before) and not other(x)[32].any()


def test_looking_at_the_shapes_leaves_the_statistics_and_the_mode_alone() -> None:
    net = drawn("resnet18")
    assert net.training and all(module.training for module in net.modules())
    assert int(net.state_dict()["bn1.num_batches_tracked"]) == 0


def test_gradients_reach_every_parameter() -> None:
    for name in ("resnet18", "densenet121"):
        net = drawn(name, (32, 32))
        sum(each.square().mean() for each in net(pictures(2, 32, 32)).values()).backward()
        assert [key for key, p in net.named_parameters() if p.grad is None or not bool(p.grad.any())] == []


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"backbone.*resnet81.*resnet18"):
        backbone("resnet81", 3, (64, 64))
    with pytest.raises(ConfigError, match=r"backbone.*mlp"):
        backbone("mlp", 3, (64, 64))
    with pytest.raises(ConfigError, match="output_stride must be 8, 16 or 32, got 4"):
        backbone("resnet18", 3, (64, 64), 4)
    message = "vgg16 cannot dilate, so its output stride is 32, got 8. Networks that can: resnet18, "
    with pytest.raises(ConfigError, match=message):
        backbone("vgg16", 3, (64, 64), 8)
    assert set(DILATING) < set(LAYOUTS)
