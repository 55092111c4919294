"""Sizes of a convolution: how many outputs, how many parameters.

Formula:
    out = (N - K + 2 P) / S + 1,  with K = D (F - 1) + 1
    transposed: out = (I - 1) S + K - 2 P + output_padding
    parameters = k (a · b · c / groups + 1),  k kernels of a x b over c channels

Derivation:
    With padding there are N + 2 P pixels. A kernel of F taps, D apart, reaches over K = D (F - 1) + 1 of them. Its
    first window begins at 0, the last one may begin at N + 2 P - K, and every S-th place is taken, which makes
    (N + 2 P - K) / S + 1 of them. If S does not divide, the rest at the far border is seen by no window: PyTorch drops
    it (⌊ ⌋), strict mode refuses. The transposed convolution goes from out back to N, so the first line is solved for
    N; up to S - 1 pixels more give the same `out`, and output_padding says how many. Each kernel has a weight for
    each tap and channel, and one bias.

Source: CS231n notes, "Convolutional Networks"; Dumoulin, Visin, "A guide to convolution arithmetic", 2016.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.errors import DataError

Pair = tuple[int, int]
ConvParam = Mapping[str, Any]


@dataclass(frozen=True)
class Window:
    """The windows of a convolution over a picture; everything (height, width).

    Attributes:
        kernel: F, taps.
        stride: S, pixels between neighbouring windows.
        pad: P, zeros on each side.
        dilation: D, pixels between neighbouring taps.
        size: N, of the input.
        out: of the output.
    """

    kernel: Pair
    stride: Pair
    pad: Pair
    dilation: Pair
    size: Pair
    out: Pair

    @property
    def padded(self) -> Pair:
        """N + 2 P, of the input with its padding."""
        return self.size[0] + 2 * self.pad[0], self.size[1] + 2 * self.pad[1]


def effective_size(kernel: int, dilation: int) -> int:
    """K: how many pixels a kernel of so many taps reaches over, from its first to its last."""
    return dilation * (kernel - 1) + 1


def output_size(
    size: int, kernel: int, stride: int = 1, pad: int = 0, dilation: int = 1, strict: bool = False, axis: str = "size"
) -> int:
    """Outputs along one axis.

    Args:
        size, kernel, stride, pad, dilation: N, F, S, P and D.
        strict: refuse windows that leave a rest at the far border, instead of dropping it.
        axis: what the axis is called in messages.

    Raises:
        DataError: the kernel is larger than the padded input, the windows do not fit (strict), or a setting is
            out of range.
    """
    if kernel < 1 or stride < 1 or dilation < 1 or pad < 0:
        raise DataError(
            f"convolution: kernel, stride and dilation must be 1 or more and pad 0 or more,"
            f" got {kernel}, {stride}, {dilation} and {pad}."
        )
    reach = effective_size(kernel, dilation)
    room = size + 2 * pad - reach
    if room < 0:
        raise DataError(
            f"convolution: the kernel reaches over {reach} pixels, more than the {axis} {size} with padding {pad}"
            f" has ({size + 2 * pad}). Take a smaller kernel or more padding."
        )
    if strict and room % stride:
        raise DataError(
            f"convolution: ({size} - {reach} + 2·{pad}) / {stride} + 1 = {room / stride + 1:.2f} outputs along the"
            f" {axis}, no whole number. Change stride or padding, or leave out strict to drop the last {room % stride}."
        )
    return room // stride + 1


def transposed_size(
    size: int, kernel: int, stride: int = 1, pad: int = 0, dilation: int = 1, output_padding: int = 0
) -> int:
    """Outputs along one axis of a transposed convolution: what a convolution with these settings turns into `size`."""
    return (size - 1) * stride + effective_size(kernel, dilation) - 2 * pad + output_padding


def conv_parameters(filters: int, channels: int, kernel: Pair, groups: int = 1) -> int:
    """Weights and biases of a layer: `filters` kernels of `kernel` (height, width) over `channels` / `groups`."""
    return filters * (kernel[0] * kernel[1] * (channels // groups) + 1)


def conv_window(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam, groups: int = 1) -> Window:
    """The windows of a layer, its arguments checked.

    Args:
        x: (N, C, H, W) inputs.
        w: (F, C / groups, HH, WW) kernels.
        b: (F,) biases.
        conv_param: "stride" and "pad", each a number or (height, width); optional "dilation" in the same form
            (default 1) and "strict" (default False), see `output_size`.
        groups: into how many groups the channels are cut.

    Raises:
        DataError: the shapes do not fit each other, or a setting is missing or does not fit.
    """
    _check_arguments(x, w, b, conv_param, groups)
    kernel, size = _pair(w.shape[2:]), _pair(x.shape[2:])
    stride, pad = _pair(conv_param["stride"]), _pair(conv_param["pad"])
    dilation, strict = _pair(conv_param.get("dilation", 1)), bool(conv_param.get("strict", False))
    height = output_size(size[0], kernel[0], stride[0], pad[0], dilation[0], strict, "height")
    width = output_size(size[1], kernel[1], stride[1], pad[1], dilation[1], strict, "width")
    return Window(kernel, stride, pad, dilation, size, (height, width))


def _pair(setting: int | tuple[int, ...]) -> Pair:
    """The same for height and width, if only one number is given."""
    if isinstance(setting, int | np.integer):
        return int(setting), int(setting)
    if len(setting) != 2:
        raise DataError(f"convolution: a setting must be one number or (height, width), got {setting}.")
    return setting[0], setting[1]


def _check_arguments(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam, groups: int) -> None:
    if x.ndim != 4 or w.ndim != 4 or x.shape[1] != w.shape[1] * groups:
        channels = "C" if groups == 1 else f"C / {groups}"
        raise DataError(
            f"convolution: x must be (N, C, H, W) and w (F, {channels}, HH, WW), got x {x.shape} and w {w.shape}."
        )
    if b.shape != (len(w),):
        raise DataError(f"convolution: w {w.shape} has {len(w)} kernels, so b must be ({len(w)},), got {b.shape}.")
    for key in ("stride", "pad"):
        if key not in conv_param:
            raise DataError(f'convolution: conv_param must have "stride" and "pad", "{key}" is missing.')
