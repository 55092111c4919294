"""The arithmetic of convolutional networks as plain functions: sizes, receptive fields, parameters, multiply-adds.

Formulas:
    out = (N - K + 2 P) / S + 1,  K = D (F - 1) + 1                  size of a map, one axis
    field = 1 + sum over layers of D (F - 1) times the product of the strides before
    parameters = k (a b c / g + 1)                                   k filters of a x b over c channels in g groups
    MACs = k (a b c / g) times the places of the output

Letters: N pixels along an axis, F taps, S stride, P padding, D dilation, K reach of a kernel; k filters, a x b taps,
c channels, g groups. Biases count as parameters and not as multiply-adds.

Sources: CS231n notes, "Convolutional Networks"; Dumoulin, Visin, "A guide to convolution arithmetic", 2016; Araujo,
Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.core.config import require
from pellucid.scratch.convolution.size import conv_parameters as _parameters
from pellucid.scratch.convolution.size import effective_size
from pellucid.scratch.convolution.size import output_size as conv_output_size
from pellucid.scratch.convolution.size import transposed_size as transposed_output_size

__all__ = [
    "Tap",
    "asymmetric_parameters",
    "bottleneck_parameters",
    "conv_macs",
    "conv_output_size",
    "conv_parameters",
    "effective_size",
    "linear_parameters",
    "receptive_field",
    "separable_macs",
    "separable_parameters",
    "separable_share",
    "stacked_parameters",
    "transposed_output_size",
]

Pair = tuple[int, int]


@dataclass(frozen=True)
class Tap:
    """A convolution or pool along one axis: F, S and D."""

    kernel: int
    stride: int = 1
    dilation: int = 1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            require(value >= 1, name, "1 or more", value)


def receptive_field(layers: Sequence[Tap | Pair]) -> list[int]:
    """Pixels that one unit sees along an axis, after each layer of a chain.

    Args:
        layers: in the order they run; a pair is (kernel, stride).
    """
    field, jump, fields = 1, 1, []
    for layer in layers:
        tap = layer if isinstance(layer, Tap) else Tap(*layer)
        field += (effective_size(tap.kernel, tap.dilation) - 1) * jump
        jump *= tap.stride
        fields.append(field)
    return fields


def conv_parameters(
    filters: int, channels: int, kernel: int | Pair, groups: int = 1, bias: bool = True, depth: int = 1
) -> int:
    """Weights and biases of a layer of convolutions.

    Args:
        filters, channels: k and c.
        kernel: a and b, or one number for both.
        groups: g; g = c = k is a depthwise convolution.
        bias: one a filter.
        depth: kernels along a third axis, as over the frames of a film.

    Raises:
        ConfigError: the groups do not divide filters and channels.
    """
    _check_groups(filters, channels, groups)
    height, width = _pair(kernel)
    biases = 0 if bias else filters
    return _parameters(filters, channels, (depth * height, width), groups) - biases


def conv_macs(filters: int, channels: int, kernel: int | Pair, output: int | Pair, groups: int = 1) -> int:
    """Multiply-adds of a layer of convolutions for one picture.

    Args:
        filters, channels, kernel, groups: as for `conv_parameters`.
        output: height and width of the output, or one number for both.

    Raises:
        ConfigError: the groups do not divide filters and channels.
    """
    height, width = _pair(output)
    return conv_parameters(filters, channels, kernel, groups, bias=False) * height * width


def linear_parameters(n_in: int, n_out: int, bias: bool = True) -> int:
    """Weights and biases of a fully connected layer: the convolution whose kernel is the whole map."""
    return conv_parameters(n_out, n_in, 1, bias=bias)


def separable_parameters(filters: int, channels: int, kernel: int | Pair, bias: bool = True) -> int:
    """Of a depthwise convolution and the 1x1 convolution that mixes its channels."""
    return conv_parameters(channels, channels, kernel, groups=channels, bias=bias) + conv_parameters(
        filters, channels, 1, bias=bias
    )


def separable_macs(filters: int, channels: int, kernel: int | Pair, output: int | Pair) -> int:
    """Of a depthwise convolution and the 1x1 convolution that mixes its channels, at one size of output."""
    depthwise = conv_macs(channels, channels, kernel, output, groups=channels)
    return depthwise + conv_macs(filters, channels, 1, output)


def separable_share(filters: int, kernel: int) -> float:
    """1 / k + 1 / F²: what a separable convolution costs of a standard one, however many channels come in."""
    return 1 / filters + 1 / kernel**2


def bottleneck_parameters(channels: int, narrow: int, kernel: int | Pair = 3, bias: bool = False) -> int:
    """1x1 from `channels` down to `narrow`, a kernel on those, and 1x1 back up."""
    down = conv_parameters(narrow, channels, 1, bias=bias)
    middle = conv_parameters(narrow, narrow, kernel, bias=bias)
    return down + middle + conv_parameters(channels, narrow, 1, bias=bias)


def stacked_parameters(channels: int, kernel: int, depth: int, bias: bool = False) -> int:
    """`depth` convolutions of one size and width on top of each other."""
    return depth * conv_parameters(channels, channels, kernel, bias=bias)


def asymmetric_parameters(filters: int, channels: int, kernel: int, bias: bool = False) -> int:
    """A column of F x 1 and then a row of 1 x F, in place of F x F."""
    column = conv_parameters(filters, channels, (kernel, 1), bias=bias)
    return column + conv_parameters(filters, filters, (1, kernel), bias=bias)


def _pair(value: int | Pair) -> Pair:
    return (value, value) if isinstance(value, int) else value


def _check_groups(filters: int, channels: int, groups: int) -> None:
    require(
        groups >= 1 and filters % groups == 0 and channels % groups == 0,
        "groups",
        f"a divisor of {filters} filters and {channels} channels",
        groups,
    )
