"""Pooling window: which inputs each output of a pooling layer sees, one axis at a time.

Formula:
    out = ⌊(n + before + after - K) / S⌋ + 1,  n inputs, window F, stride S, dilation D, reach K = D (F - 1) + 1
    output a sees the inputs S·a - before + D·i, i = 0 ... F - 1, as far as they exist
    "same":  out = ⌈n / S⌉,  before + after = max((out - 1) S + K - n, 0), the odd one after
    "ceil":  one output more for a rest, if its window begins at an input: S·out - before < n

Derivation:
    The last window starts at S (out - 1) - before and has to end within n + after: (out - 1) S + K ≤ n + before +
    after, whose largest solution is the first line. "Same" asks for one output a stride, ⌈n / S⌉ of them, and pads
    what the last window lacks. Input S·a + c, c = D·i - before, exists for 0 ≤ S·a + c ≤ n - 1, that is for a from
    ⌈-c / S⌉ to ⌊(n - 1 - c) / S⌋. So place i of all windows at once is a strided slice of the inputs beside a slice
    of the outputs, and nothing needs to be padded or copied. Below a limit l stand ⌈(l - S·a + before) / D⌉ places of
    window a, between 0 and F of them; the difference for two limits counts those between.

Source: CS231n notes, "Convolutional Networks"; TensorFlow's guide to "SAME" padding; `torch.nn.MaxPool2d`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import DataError
from pellucid.scratch.convolution.size import effective_size

PoolParam = Mapping[str, Any]


@dataclass(frozen=True)
class Axis:
    """The windows along one axis.

    Attributes:
        size: number of inputs.
        window, stride, dilation: F, S and D, in inputs.
        before, after: padding in front of the first input and behind the last.
        out: number of outputs.
    """

    size: int
    window: int
    stride: int
    dilation: int
    before: int
    after: int
    out: int

    def places(self) -> list[tuple[slice, slice]]:
        """For each place in the window, in order: the inputs that stand there, and the outputs that see them."""
        found = []
        for place in range(self.window):
            shift = self.dilation * place - self.before
            first = max(0, _ceil_divide(-shift, self.stride))
            last = min(self.out - 1, (self.size - 1 - shift) // self.stride)
            number = max(0, last - first + 1)
            start = self.stride * first + shift
            found.append((slice(start, start + self.stride * number, self.stride), slice(first, first + number)))
        return found

    def starts(self) -> np.ndarray:
        """Where each window begins, (out,) integers; below 0 in the padding."""
        return self.stride * np.arange(self.out) - self.before

    def counts(self, padded: bool = False) -> np.ndarray:
        """How many inputs each window holds, and if `padded` of the padding too; (out,) integers."""
        if padded:
            return self._below(self.size + self.after)
        return self._below(self.size) - self._below(0)

    def _below(self, limit: int) -> np.ndarray:
        """How many places of each window stand before `limit`."""
        return np.clip(-((self.starts() - limit) // self.dilation), 0, self.window)


def same_padding(size: int, window: int, stride: int) -> tuple[int, int]:
    """Padding before and after an axis with which it gives ⌈size / stride⌉ outputs."""
    out = _ceil_divide(size, stride)
    total = max((out - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def no_padding(size: int, window: int, stride: int) -> tuple[int, int]:
    """Padding before and after of a window that stays inside: none."""
    return 0, 0


PADDINGS = {"same": same_padding, "valid": no_padding}


def pool_axes(shape: tuple[int, ...], pool_param: PoolParam) -> tuple[Axis, Axis]:
    """The rows and the columns of a pooling layer.

    Args:
        shape: (N, C, H, W) of the input.
        pool_param: "pool_height" and "pool_width", in pixels; "stride"; optional "pad": so many on each side, less
            than the window reaches over, or "same" or "valid" (default 0); optional "dilation": pixels between
            neighbouring places of the window (default 1). These three are a number or (height, width). Optional
            "strict": refuse windows that leave a rest at the end, which else is not looked at (default False);
            optional "ceil": look at the rest with a window that reaches beyond the padding (default False).

    Raises:
        DataError: a setting is missing or does not fit the input.
        ConfigError: "pad" is an unknown word.
    """
    if len(shape) != 4:
        raise DataError(f"pooling: x must be (N, C, H, W), got {shape}.")
    for key in ("pool_height", "pool_width", "stride"):
        if key not in pool_param:
            raise DataError(
                f'pooling: pool_param must have "pool_height", "pool_width" and "stride", "{key}" is missing.'
            )
    for key in ("pool_height", "pool_width", "stride", "dilation"):
        if min(both_axes(pool_param, key)) < 1:
            raise DataError(f'pooling: "{key}" must be 1 or more, got {pool_param[key]}.')
    rows = _axis(shape[2], pool_param["pool_height"], 0, pool_param)
    columns = _axis(shape[3], pool_param["pool_width"], 1, pool_param)
    return rows, columns


def both_axes(pool_param: PoolParam, key: str, default: int = 1) -> tuple[Any, Any]:
    """A setting for the rows and for the columns.

    Raises:
        DataError: it is neither one for both, nor (height, width).
    """
    setting = pool_param.get(key, default)
    if isinstance(setting, str | int | np.integer):
        return setting, setting
    if not isinstance(setting, tuple | list) or len(setting) != 2:
        raise DataError(f'pooling: "{key}" must be a whole number or (height, width), got {setting}.')
    return setting[0], setting[1]


def _axis(size: int, window: int, axis: int, pool_param: PoolParam) -> Axis:
    name = ("height", "width")[axis]
    stride, pad = both_axes(pool_param, "stride")[axis], both_axes(pool_param, "pad", 0)[axis]
    dilation = both_axes(pool_param, "dilation")[axis]
    reach = effective_size(window, dilation)
    before, after = choose(pad, PADDINGS, "padding")(size, reach, stride) if isinstance(pad, str) else (pad, pad)
    if not 0 <= before < reach:
        raise DataError(f'pooling: "pad" must be 0 to {reach - 1}, less than the pool {name} {reach}, got {before}.')
    room = size + before + after - reach
    if room < 0:
        raise DataError(
            f"pooling: the pool {name} {reach} is larger than x with its padding, {name} {size + before + after}."
        )
    if pool_param.get("strict", False) and room % stride:
        raise DataError(
            f"pooling: {name} {size + before + after} less the window {reach} is {room}, no multiple of the stride"
            f' {stride}. Change the window, "stride" or "pad", or leave out "strict" to drop the last {room % stride}.'
        )
    out = room // stride + 1
    if pool_param.get("ceil", False) and room % stride and stride * out - before < size:
        out += 1
    windows = Axis(size, window, stride, dilation, before, after, out)
    if not windows.counts().all():
        raise DataError(
            f"pooling: along the {name} {size} a window of {window} places, {dilation} apart, holds padding alone."
            ' Make "pad" or "dilation" smaller.'
        )
    return windows


def _ceil_divide(a: int, b: int) -> int:
    return -(-a // b)
