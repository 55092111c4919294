"""The arithmetic of sizes, fields and costs: worked numbers, and real layers as the independent answer."""

import pytest
import torch
from torch import nn

from pellucid.core.errors import ConfigError, DataError
from pellucid.nn.geometry import (
    Tap,
    asymmetric_parameters,
    bottleneck_parameters,
    conv_macs,
    conv_output_size,
    conv_parameters,
    describe,
    effective_size,
    linear_parameters,
    receptive_field,
    separable_macs,
    separable_parameters,
    separable_share,
    stacked_parameters,
    transposed_output_size,
)


def count(*layers: nn.Module) -> int:
    return sum(parameter.numel() for layer in layers for parameter in layer.parameters())


def test_ten_filters_of_5x5x3() -> None:
    assert conv_parameters(1, 3, 5) == 76
    assert conv_parameters(10, 3, 5) == 760 == count(nn.Conv2d(3, 10, 5))


def test_parameter_ratios() -> None:
    """Two 3x3 against 5x5, three against 7x7, a bottleneck against one 3x3: 18/25, 27/49, 3.25/9."""
    assert stacked_parameters(64, 3, 2) / stacked_parameters(64, 5, 1) == 0.72
    assert stacked_parameters(64, 3, 3) / stacked_parameters(64, 7, 1) == 27 / 49
    assert bottleneck_parameters(64, 32) / conv_parameters(64, 64, 3, bias=False) == 3.25 / 9
    assert asymmetric_parameters(64, 64, 7) / conv_parameters(64, 64, 7, bias=False) == 2 / 7


def test_separable_convolutions() -> None:
    assert separable_share(512, 3) == pytest.approx(0.11306424, abs=5e-9)
    assert separable_share(64, 3) == pytest.approx(0.12673611, abs=5e-9)
    separable, standard = separable_macs(64, 32, 3, 112), conv_macs(64, 32, 3, 112)
    assert (separable, standard) == (29_302_784, 231_211_008)
    assert separable / standard == separable_share(64, 3)
    depthwise, pointwise = nn.Conv2d(32, 32, 3, padding=1, groups=32), nn.Conv2d(32, 64, 1)
    assert separable_parameters(64, 32, 3) == count(depthwise, pointwise)
    assert separable_macs(64, 32, 3, (5, 7)) == describe(nn.Sequential(depthwise, pointwise), 32, (5, 7)).macs


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("bias", [True, False])
def test_counts_equal_those_of_a_layer(groups: int, bias: bool) -> None:
    layer = nn.Conv2d(8, 12, (3, 5), stride=2, padding=1, groups=groups, bias=bias)
    found = describe(layer, 8, (21, 18))
    height, width = conv_output_size(21, 3, 2, 1), conv_output_size(18, 5, 2, 1)
    assert found.rows[0].output_shape == (12, height, width)
    assert found.parameters == conv_parameters(12, 8, (3, 5), groups, bias)
    assert found.macs == conv_macs(12, 8, (3, 5), (height, width), groups)


def test_kernels_of_three_axes() -> None:
    assert conv_parameters(4, 3, (2, 3), depth=5) == count(nn.Conv3d(3, 4, (5, 2, 3)))


@pytest.mark.parametrize(("image", "maps", "kernel"), [(32, 6, 5), (224, 64, 3)])
def test_local_shared_weights_against_fully_connected(image: int, maps: int, kernel: int) -> None:
    """One layer from a picture to `maps` maps of its size: a few hundred numbers, or thousands of millions."""
    shared = conv_parameters(maps, 3, kernel)
    pixels = image * image
    local = maps * pixels * (3 * kernel**2 + 1)  # a kernel of its own at each place
    full = linear_parameters(3 * pixels, maps * pixels)
    assert shared < local < full
    assert local == pixels * shared
    assert full / local == pytest.approx((3 * pixels + 1) / (3 * kernel**2 + 1))
    with torch.device("meta"):
        assert full == count(nn.Linear(3 * pixels, maps * pixels))


def test_the_first_layer_of_a_small_network() -> None:
    """3x32x32 to 10 maps of 28x28: 760 numbers with convolutions, 24 million fully connected."""
    assert conv_parameters(10, 3, 5) == 760
    assert linear_parameters(3 * 32 * 32, 10 * 28 * 28) == 24_092_320


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pad", "out"),
    [(32, 5, 1, 2, 32), (32, 5, 1, 0, 28), (227, 11, 4, 0, 55), (7, 3, 2, 0, 3), (224, 7, 2, 3, 112)],
)
def test_output_sizes(size: int, kernel: int, stride: int, pad: int, out: int) -> None:
    assert conv_output_size(size, kernel, stride, pad) == out


def test_strided_convolution_samples_down_like_pooling() -> None:
    """3x3 of stride 2 with padding 1 halves an even side as 2x2 pooling does, and rounds an odd one up."""
    assert [conv_output_size(n, 3, 2, 1) for n in (32, 33)] == [16, 17]
    assert [conv_output_size(n, 2, 2) for n in (32, 33)] == [16, 16]
    strided, pooled = nn.Conv2d(4, 4, 3, 2, 1), nn.Sequential(nn.Conv2d(4, 4, 3, 1, 1), nn.MaxPool2d(2))
    shapes = [describe(net, 4, (32, 32)).rows[-1].output_shape for net in (strided, pooled)]
    assert shapes[0] == shapes[1] == (4, 16, 16)
    assert describe(pooled, 4, (32, 32)).macs == 4 * describe(strided, 4, (32, 32)).macs


def test_a_size_that_does_not_fit() -> None:
    assert conv_output_size(7, 3, 3) == 2
    with pytest.raises(DataError, match=r"= 2.33 outputs along the size, no whole number"):
        conv_output_size(7, 3, 3, strict=True)


@pytest.mark.parametrize(
    ("kernel", "stride", "pad", "dilation"), [(4, 2, 1, 1), (3, 2, 1, 1), (2, 3, 0, 2), (5, 1, 2, 1)]
)
def test_a_transposed_convolution_goes_back(kernel: int, stride: int, pad: int, dilation: int) -> None:
    size = transposed_output_size(7, kernel, stride, pad, dilation)
    assert conv_output_size(size, kernel, stride, pad, dilation) == 7
    layer = nn.ConvTranspose2d(1, 1, kernel, stride, pad, dilation=dilation)
    assert layer(torch.zeros(1, 1, 7, 7)).shape[-1] == size


def test_receptive_fields() -> None:
    assert receptive_field([(3, 1), (2, 2), (3, 3), (3, 2)]) == [3, 4, 8, 20]
    assert receptive_field([Tap(3, dilation=rate) for rate in (1, 2, 4, 8)]) == [3, 7, 15, 31]
    assert receptive_field([(3, 1)] * 3) == [3, 5, 7]
    assert receptive_field([]) == []
    assert effective_size(3, 4) == 9


@pytest.mark.parametrize(
    "layers", [[Tap(3, 2), Tap(5), Tap(3, dilation=3)], [Tap(4, 3), Tap(2), Tap(2, 2)], [Tap(1), Tap(7, 2, 2), Tap(2)]]
)
def test_fields_equal_those_of_a_network(layers: list[Tap]) -> None:
    net = nn.Sequential(*(nn.Conv2d(1, 1, tap.kernel, tap.stride, dilation=tap.dilation) for tap in layers))
    rows = describe(net, 1, (64, 64)).rows
    assert [row.receptive_field[0] for row in rows] == receptive_field(layers)


def test_what_is_refused() -> None:
    with pytest.raises(ConfigError, match="groups must be a divisor of 6 filters and 4 channels, got 3"):
        conv_parameters(6, 4, 3, groups=3)
    with pytest.raises(ConfigError, match="stride must be 1 or more, got 0"):
        Tap(3, 0)
