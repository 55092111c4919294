"""Linear layers as convolutions: the same numbers at the native size, and at every place of a larger picture."""

import pytest
import torch
from torch import nn

from pellucid.core.errors import ConfigError, DataError
from pellucid.models import create
from pellucid.nn.convert.fc_as_conv import fc_as_conv, fully_convolutional


@pytest.mark.parametrize(("channels", "size"), [(5, (1, 1)), (3, (4, 2)), (1, (7, 7))])
@pytest.mark.parametrize("bias", [True, False])
def test_the_same_logits_at_the_native_size(channels: int, size: tuple[int, int], bias: bool):
    linear = nn.Linear(channels * size[0] * size[1], 6, bias=bias)
    conv, x = fc_as_conv(linear, channels, size), torch.randn(3, channels, *size)
    assert conv.weight.shape == (6, channels, *size)
    assert sum(p.numel() for p in conv.parameters()) == sum(p.numel() for p in linear.parameters())
    torch.testing.assert_close(conv(x), linear(x.flatten(1))[..., None, None])


def test_over_a_larger_map_it_is_the_layer_at_every_place():
    linear = nn.Linear(2 * 3 * 3, 4)
    x = torch.randn(2, 2, 5, 6)
    scores = fc_as_conv(linear, 2, (3, 3))(x)
    assert scores.shape == (2, 4, 3, 4)
    for i in range(3):
        for j in range(4):
            torch.testing.assert_close(scores[:, :, i, j], linear(x[:, :, i : i + 3, j : j + 3].flatten(1)))


def test_the_numbers_of_the_notes():
    """A 7x7x512 map into 4096 units: kernels of 7x7 over 512 channels."""
    with torch.device("meta"):
        conv = fc_as_conv(nn.Linear(7 * 7 * 512, 4096), 512, (7, 7))
    assert conv.weight.shape == (4096, 512, 7, 7)


class Native(nn.Module):
    """For pictures of 10 px, without padding anywhere: a place is exactly its crop."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2, 2))  # 10 -> 8 -> 4
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(4 * 4 * 4, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x))


def test_a_network_that_slides_equals_the_network_on_every_crop():
    torch.manual_seed(0)
    model, x = Native().eval(), torch.randn(2, 3, 14, 18)
    sliding = fully_convolutional(model, (10, 10))
    torch.testing.assert_close(sliding(x[:, :, :10, :10])[..., 0, 0], model(x[:, :, :10, :10]))
    scores = sliding(x)
    assert scores.shape == (2, 5, 3, 5)  # one place more for each 2 px
    for i in range(3):
        for j in range(5):
            crop = x[:, :, 2 * i : 2 * i + 10, 2 * j : 2 * j + 10]
            torch.testing.assert_close(scores[:, :, i, j], model(crop))


@pytest.mark.parametrize(("name", "size"), [("vgg11_bn", (32, 32)), ("vgg11", (40, 56))])
def test_vgg_slides(name: str, size: tuple[int, int]):
    torch.manual_seed(0)
    model = create(name, 7, 3, size).eval()
    sliding = fully_convolutional(model, size)
    x = torch.randn(2, 3, *size)
    torch.testing.assert_close(sliding(x)[..., 0, 0], model(x), atol=1e-5, rtol=1e-4)
    assert sliding(torch.randn(1, 3, size[0] + 16, size[1] + 32)).shape == (1, 7, 2, 3)


@pytest.mark.slow
def test_alexnet_slides_and_is_left_as_it_was():
    torch.manual_seed(0)
    model = create("alexnet", 5, 1)
    sliding = fully_convolutional(model, (224, 224), channels=1)
    assert model.training and sliding.classifier[1].kernel_size == (6, 6)
    model.eval()
    sliding.eval()
    x = torch.randn(1, 1, 224, 256)
    torch.testing.assert_close(sliding(x[..., :224])[..., 0, 0], model(x[..., :224]), atol=1e-5, rtol=1e-4)
    assert sliding(x).shape == (1, 5, 1, 2)
    assert sliding.features[0].weight is not model.features[0].weight


def test_what_cannot_slide_is_refused():
    with pytest.raises(DataError, match=r"3 channels and 2x2 cells has 12 numbers, the linear layer takes 13"):
        fc_as_conv(nn.Linear(13, 4), 3, (2, 2))
    with pytest.raises(ConfigError, match="must have `features` and a `classifier`.*; ResNet has conv1, bn1"):
        fully_convolutional(create("resnet18", 10), (224, 224))
    with pytest.raises(DataError, match=r"128x128 px become 3x3 cells, which AdaptiveAvgPool2d\(output_size=6\) would"):
        with torch.device("meta"):
            fully_convolutional(create("alexnet", 10), (128, 128))
