"""Pooling window: which inputs each output of a pooling layer sees, one axis at a time.

Formula:
    out = ⌊(n + before + after - F) / S⌋ + 1,  n inputs, window F, stride S
    output a sees the inputs S·a - before + i, i = 0 ... F - 1, as far as they exist
    "same":  out = ⌈n / S⌉,  before + after = max((out - 1) S + F - n, 0), the odd one after

Derivation:
    The last window starts at S (out - 1) - before and has to end within n + after: (out - 1) S + F ≤ n + before +
    after, whose largest solution is the first line. "Same" asks for one output a stride, ⌈n / S⌉ of them, and pads
    what the last window lacks. Input S·a - before + i exists for 0 ≤ S·a - before + i ≤ n - 1, that is for a from
    ⌈(before - i) / S⌉ to ⌊(n - 1 + before - i) / S⌋. So place i of all windows at once is a strided slice of
    the inputs beside a slice of the outputs, and nothing needs to be padded or copied.

Source: CS231n notes, "Convolutional Networks"; TensorFlow's guide to "SAME" padding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import DataError

PoolParam = Mapping[str, Any]


@dataclass(frozen=True)
class Axis:
    """The windows along one axis.

    Attributes:
        size: number of inputs.
        window, stride: F and S, in inputs.
        before: padding in front of the first input.
        out: number of outputs.
    """

    size: int
    window: int
    stride: int
    before: int
    out: int

    def places(self) -> list[tuple[slice, slice]]:
        """For each place in the window, in order: the inputs that stand there, and the outputs that see them."""
        found = []
        for place in range(self.window):
            first = max(0, _ceil_divide(self.before - place, self.stride))
            last = min(self.out - 1, (self.size - 1 + self.before - place) // self.stride)
            number = max(0, last - first + 1)
            start = self.stride * first - self.before + place
            found.append((slice(start, start + self.stride * number, self.stride), slice(first, first + number)))
        return found

    def starts(self) -> np.ndarray:
        """Where each window begins, (out,) integers; below 0 in the padding."""
        return self.stride * np.arange(self.out) - self.before

    def counts(self) -> np.ndarray:
        """How many inputs each window holds, padding left out; (out,) integers."""
        starts = self.starts()
        return np.minimum(starts + self.window, self.size) - np.maximum(starts, 0)


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
        pool_param: "pool_height", "pool_width" and "stride", in pixels; optional "pad": so many on each side, less
            than the window, or "same" or "valid" (default 0); optional "strict": refuse windows that leave a rest
            at the end, which else is not looked at (default False).

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
        if pool_param[key] < 1:
            raise DataError(f'pooling: "{key}" must be 1 or more, got {pool_param[key]}.')
    rows = _axis(shape[2], pool_param["pool_height"], "height", pool_param)
    columns = _axis(shape[3], pool_param["pool_width"], "width", pool_param)
    return rows, columns


def _axis(size: int, window: int, name: str, pool_param: PoolParam) -> Axis:
    stride, pad = pool_param["stride"], pool_param.get("pad", 0)
    before, after = choose(pad, PADDINGS, "padding")(size, window, stride) if isinstance(pad, str) else (pad, pad)
    if not 0 <= before < window:
        raise DataError(f'pooling: "pad" must be 0 to {window - 1}, less than the pool {name} {window}, got {before}.')
    room = size + before + after - window
    if room < 0:
        raise DataError(
            f"pooling: the pool {name} {window} is larger than x with its padding, {name} {size + before + after}."
        )
    if pool_param.get("strict", False) and room % stride:
        raise DataError(
            f"pooling: {name} {size + before + after} less the window {window} is {room}, no multiple of the stride"
            f' {stride}. Change the window, "stride" or "pad", or leave out "strict" to drop the last {room % stride}.'
        )
    return Axis(size, window, stride, before, room // stride + 1)


def _ceil_divide(a: int, b: int) -> int:
    return -(-a // b)
