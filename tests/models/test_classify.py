"""Each classifier against what it is said to be."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pellucid.core.errors import ConfigError, DataError
from pellucid.models import create
from pellucid.models.classify.convnet import ConvNet
from pellucid.models.classify.resnet import BasicBlock, ResNet

TORCHVISION = json.loads((Path(__file__).parent / "torchvision_resnet18.json").read_text(encoding="utf-8"))


def n_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_resnet18_has_torchvisions_names_and_shapes() -> None:
    """In the same order, so that files of weights load with strict=True."""
    ours = [[key, list(value.shape)] for key, value in create("resnet18").state_dict().items()]
    assert ours == TORCHVISION["state_dict"]
    assert n_parameters(create("resnet18")) == TORCHVISION["parameters"] == 11_689_512


def test_resnet18_for_small_pictures_differs_in_the_stem_alone() -> None:
    ours = {key: list(value.shape) for key, value in create("resnet18", 1000, 3, (32, 32)).state_dict().items()}
    theirs = dict(TORCHVISION["state_dict"])
    assert ours.pop("conv1.weight") == [64, 3, 3, 3] and theirs.pop("conv1.weight") == [64, 3, 7, 7]
    assert ours == theirs
    assert n_parameters(create("resnet18", 10, 3, (32, 32))) == 11_173_962


def test_a_block_whose_residual_is_zero_is_the_identity() -> None:
    """H(x) = relu(F(x) + x): for x >= 0 and F = 0 nothing happens, in training and in evaluation."""
    block = BasicBlock(8, 8)
    nn.init.zeros_(block.bn2.weight)
    x = torch.rand(2, 8, 5, 7)
    assert torch.equal(block(x), x)
    assert torch.equal(block.eval()(x), x)


def test_a_block_is_its_formula() -> None:
    torch.manual_seed(0)
    block = BasicBlock(4, 6, stride=2).eval()
    x = torch.randn(1, 4, 7, 6)
    residual = F.conv2d(x, block.conv1.weight, stride=2, padding=1) / (1 + 1e-5) ** 0.5
    residual = F.conv2d(residual.relu(), block.conv2.weight, padding=1) / (1 + 1e-5) ** 0.5
    shortcut = F.conv2d(x[:, :, ::2, ::2], block.downsample[0].weight) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(block(x), (residual + shortcut).relu())


def test_zero_init_makes_every_block_start_as_its_shortcut() -> None:
    model = ResNet(3, 1, depths=(2, 1, 1, 1), small_stem=True, zero_init_residual=True).eval()
    x = torch.rand(1, 64, 8, 8)
    assert torch.equal(model.layer1(x), x)
    plain = ResNet(3, 1, depths=(2, 1, 1, 1), small_stem=True).eval()
    assert not torch.allclose(plain.layer1(x), x)


def test_convnet_is_its_description() -> None:
    """Written once more with functions: stem, three blocks, global maximum, linear map divided by 9."""
    torch.manual_seed(0)
    model = ConvNet(5, 2).eval()
    weights = list(model.state_dict().values())

    def norm(x: torch.Tensor) -> torch.Tensor:
        scale, shift, mean, variance, _ = (weights.pop(0) for _ in range(5))
        return F.relu(F.batch_norm(x, mean, variance, scale, shift))

    picture = torch.randn(2, 2, 21, 17)
    x = norm(F.conv2d(picture, weights.pop(0), padding=1))
    for _ in range(3):
        x = norm(F.max_pool2d(F.conv2d(x, weights.pop(0), padding=1), 2))
        x = norm(F.conv2d(x, weights.pop(0), padding=1))
    expected = x.flatten(2).max(2).values @ weights.pop(0).T / 9
    assert not weights and x.shape == (2, 128, 2, 2)
    torch.testing.assert_close(model(picture), expected)


@pytest.mark.parametrize(
    "size, cells", [((64, 64), (8, 8)), ((65, 80), (4, 5)), ((128, 128), (8, 8)), ((224, 224), (7, 7))]
)
def test_convnet_meets_large_pictures_with_a_coarser_stem(size: tuple[int, int], cells: tuple[int, int]) -> None:
    model = create("convnet", 2, 1, size).eval()
    features = model.blocks(model.stem(torch.zeros(1, 1, *size)))
    assert features.shape[-2:] == cells


def test_every_pixel_reaches_a_strided_stem() -> None:
    """Windows of the stem overlap: none of them leaves a gap."""
    for size in (100, 200):
        model = create("convnet", 2, 1, (size, size)).eval()
        picture = torch.zeros(1, 1, size, size, requires_grad=True)
        model.stem[0](picture).abs().sum().backward()
        with torch.no_grad():
            ones = nn.init.ones_(model.stem[0].weight)
        picture.grad = None
        F.conv2d(picture, ones, stride=model.stem[0].stride, padding=model.stem[0].padding).sum().backward()
        assert bool((picture.grad > 0).all())


@pytest.mark.parametrize("size", [(7, 32), (32, 7), (1, 1)])
def test_convnet_refuses_pictures_that_vanish(size: tuple[int, int]) -> None:
    with pytest.raises(ConfigError) as caught:
        create("convnet", 10, 3, size)
    assert str(caught.value) == (
        f"convnet halves the picture three times and needs at least 8x8 px, got {size[0]}x{size[1]}. "
        "Choose a larger --image-size, or --model mlp."
    )


def test_convnet_takes_the_smallest_picture() -> None:
    assert create("convnet", 10, 3, (8, 8)).eval()(torch.zeros(1, 3, 8, 8)).shape == (1, 10)


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_networks_on_pixels_refuse_other_sizes(name: str) -> None:
    with pytest.raises(DataError) as caught:
        create(name, 10, 1, (8, 9))(torch.zeros(2, 1, 9, 8))
    assert str(caught.value) == "image must have shape (N, C, H, W) = (N, 1, 8, 9), got (2, 1, 9, 8)."


@pytest.mark.parametrize("size, deviation", [((10, 10), 0.01), ((100, 100), 0.001)])
def test_linear_starts_small_whatever_the_size(size: tuple[int, int], deviation: float) -> None:
    """0.1 divided by the root of the number of pixels, so that logits have deviation 0.1."""
    torch.manual_seed(0)
    model = create("linear", 100, 1, size)
    assert float(model.fc.weight.detach().std()) == pytest.approx(deviation, rel=0.03)
    assert not model.fc.bias.any()
    with torch.no_grad():
        assert float(model(torch.randn(100, 1, *size)).std()) == pytest.approx(0.1, rel=0.1)


def test_linear_is_a_template_for_each_class() -> None:
    model = create("linear", 3, 2, (4, 5))
    x = torch.randn(6, 2, 4, 5)
    templates = model.fc.weight.view(3, 2, 4, 5)
    torch.testing.assert_close(model(x), torch.einsum("nchw,kchw->nk", x, templates))


def test_mlp_keeps_the_signal() -> None:
    """He: the mean square before each ReLU stays near 2, that after it near 1, for standardised input."""
    torch.manual_seed(0)
    model = create("mlp", 10, 3, (32, 32))
    x = torch.randn(256, 3 * 32 * 32)
    for layer in model.hidden:
        x = layer(x).detach()
        expected = 1.0 if isinstance(layer, nn.ReLU) else 2.0
        assert float(x.square().mean()) == pytest.approx(expected, rel=0.15)
