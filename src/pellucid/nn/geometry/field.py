"""Receptive fields, carried forward through the operations torch runs.

Each rule is arithmetic on three numbers a side: the size of what one unit sees, the stride between
neighbouring units (both in pixels of the picture), and the number of units. A window of k units spans
`size + (k - 1) stride` pixels, and a step of s units makes the stride s times longer. Coming back up by s
is the transpose: the stride gets s times shorter, and a window of k units is counted in the new stride.

For chains this is exact inside the picture. Where branches meet, the largest field counts. After
resampling it is the most that any unit can see: some see up to one coarse cell less. Followed are
convolutions, pools, resizing, pixel shuffling, `mean`, `sum` and `amax`, and fully connected layers on
flattened maps; what else there is keeps the field of its inputs. Attention and recurrent layers see everything, and
so does a product of two tensors that both come from the picture. Not followed are the statistics of norms that look
at the whole picture.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten
Pair = tuple[float, float]


@dataclass(frozen=True)
class Field:
    """What one unit of a feature map sees, as (height, width) pairs.

    Attributes:
        cells: units of the map; kept while the map is flattened.
        size: pixels of the picture that a unit can see, those beyond its border included.
        stride: pixels of the picture from one unit to the next.
        dropped: rows and columns at the far border of the last operation's input that no window reached.
        picture: pixels of the whole picture.
    """

    cells: tuple[int, int]
    size: Pair = (1.0, 1.0)
    stride: Pair = (1.0, 1.0)
    dropped: tuple[int, int] = (0, 0)
    picture: tuple[int, int] = (1, 1)


def step(operation: Any, args: Sequence[Any], inputs: Sequence[Field], out: Tensor) -> Field:
    """The field after one operation.

    Args:
        operation: the aten operation, without its overload.
        args: its positional arguments.
        inputs: fields of those of its tensor arguments that come from the picture, at least one.
        out: its first result.
    """
    field = _meet(inputs, out, reshaped=operation in _VIEWS)
    if operation in _EVERYTHING or (operation in (aten.bmm, aten.baddbmm) and len(inputs) > 1):
        height, width = (max(seen, whole) for seen, whole in zip(field.size, field.picture, strict=True))
        return replace(field, size=(height, width))
    if operation in _CONTRACTIONS:
        rows = args[_CONTRACTIONS[operation]].shape[0]
        # one row: the whole flattened map goes into every unit; many rows: each is a place of its own
        return replace(_window(field, field.cells), cells=(1, 1)) if rows == 1 else field
    rule = _RULES.get(operation)
    return rule(inputs[0], args, out) if rule and args[0].dim() == 4 else field


def _meet(inputs: Sequence[Field], out: Tensor, reshaped: bool) -> Field:
    """Where branches meet: the largest field; the stride is that of the inputs that are as fine as the result.

    What is only reshaped has its places where they were, even if heads of attention make four axes of three.
    """
    cells = (out.shape[-2], out.shape[-1]) if out.dim() == 4 and not reshaped else inputs[0].cells
    alike = [field for field in inputs if field.cells == cells] or inputs
    return Field(
        cells,
        (max(field.size[0] for field in inputs), max(field.size[1] for field in inputs)),
        (max(field.stride[0] for field in alike), max(field.stride[1] for field in alike)),
        picture=inputs[0].picture,
    )


def _window(field: Field, kernel: Pair, stride: Pair = (1.0, 1.0)) -> Field:
    """After windows of `kernel` units, `stride` units apart."""
    size = [s + (k - 1) * d for s, k, d in zip(field.size, kernel, field.stride, strict=True)]
    wider = [d * s for d, s in zip(field.stride, stride, strict=True)]
    return replace(field, size=(size[0], size[1]), stride=(wider[0], wider[1]))


def _transposed(field: Field, kernel: Pair, factor: Pair) -> Field:
    """After coming back up by `factor`, each new unit gathering from a window of `kernel` new units."""
    finer = (field.stride[0] / factor[0], field.stride[1] / factor[1])
    return _window(replace(field, stride=finer), kernel)


def _sized(field: Field, out: Tensor, dropped: tuple[int, int] = (0, 0)) -> Field:
    return replace(field, cells=(out.shape[-2], out.shape[-1]), dropped=dropped)


def _pair(value: Sequence[int] | int) -> tuple[int, int]:
    numbers = [value] if isinstance(value, int) else list(value)
    return numbers[0], numbers[-1]


def _left_over(
    field: Field, extent: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> tuple[int, int]:
    """Rows and columns that do not fit: beyond the last window, and not padding.

    Windows narrower than their step leave out units everywhere, on purpose; that is not counted.
    """
    sides = zip(field.cells, padding, extent, stride, strict=True)
    rest = [(n + 2 * p - e) % s - p if e >= s else 0 for n, p, e, s in sides]
    return max(0, rest[0]), max(0, rest[1])


def _convolution(field: Field, args: Sequence[Any], out: Tensor) -> Field:
    kernel, stride, padding, dilation = args[1].shape[-2:], _pair(args[3]), _pair(args[4]), _pair(args[5])
    extent = (dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1)
    if args[6]:
        return _sized(_transposed(field, extent, stride), out)
    return _sized(_window(field, extent, stride), out, _left_over(field, extent, stride, padding))


def _max_pool(field: Field, args: Sequence[Any], out: Tensor) -> Field:
    dilation = _pair(args[4]) if len(args) > 4 else (1, 1)
    return _pool(field, args, out, dilation, ceil_mode=len(args) > 5 and args[5])


def _average_pool(field: Field, args: Sequence[Any], out: Tensor) -> Field:
    return _pool(field, args, out, (1, 1), ceil_mode=len(args) > 4 and args[4])


def _pool(field: Field, args: Sequence[Any], out: Tensor, dilation: tuple[int, int], ceil_mode: bool) -> Field:
    kernel = _pair(args[1])
    stride = _pair(args[2]) if len(args) > 2 and args[2] else kernel
    padding = _pair(args[3]) if len(args) > 3 else (0, 0)
    extent = (dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1)
    dropped = (0, 0) if ceil_mode else _left_over(field, extent, stride, padding)
    return _sized(_window(field, extent, stride), out, dropped)


def _adaptive_pool(field: Field, args: Sequence[Any], out: Tensor) -> Field:
    """Window i of o reaches from floor(i n / o) to ceil((i + 1) n / o)."""
    sides = list(zip(field.cells, out.shape[-2:], strict=True))
    kernel = [max(ceil((i + 1) * n / o) - i * n // o for i in range(o)) for n, o in sides]
    stride = [n / o for n, o in sides]
    return _sized(_window(field, (kernel[0], kernel[1]), (stride[0], stride[1])), out)


def _reduce(field: Field, args: Sequence[Any], out: Tensor) -> Field:
    """A mean, sum or maximum over whole sides of the map."""
    listed = args[1] if len(args) > 1 and args[1] not in (None, []) else range(4)
    dims = {dim % 4 for dim in ([listed] if isinstance(listed, int) else listed)}
    kernel = (field.cells[0] if 2 in dims else 1, field.cells[1] if 3 in dims else 1)
    cells = (1 if 2 in dims else field.cells[0], 1 if 3 in dims else field.cells[1])
    return replace(_window(field, kernel, kernel), cells=cells)


def _resize(taps: int) -> Callable[[Field, Sequence[Any], Tensor], Field]:
    """Interpolation between `taps` neighbours a side."""

    def rule(field: Field, args: Sequence[Any], out: Tensor) -> Field:
        factor = (out.shape[-2] / field.cells[0], out.shape[-1] / field.cells[1])
        # upwards, the transposed convolution of taps x factor; downwards, `taps` units are read at each place
        kernel = [1.0 if f == 1 else max(taps * f, (taps - 1) * f + 1) for f in factor]
        return _sized(_transposed(field, (kernel[0], kernel[1]), factor), out)

    return rule


_RULES: dict[Any, Callable[[Field, Sequence[Any], Tensor], Field]] = {
    aten.convolution: _convolution,
    aten.max_pool2d_with_indices: _max_pool,
    aten.avg_pool2d: _average_pool,
    aten._adaptive_avg_pool2d: _adaptive_pool,
    aten.adaptive_max_pool2d: _adaptive_pool,
    aten.mean: _reduce,
    aten.sum: _reduce,
    aten.amax: _reduce,
    aten.upsample_nearest2d: _resize(1),
    aten.upsample_bilinear2d: _resize(2),
    aten.upsample_bicubic2d: _resize(4),
    aten.pixel_shuffle: _resize(1),
}

# as which attention runs, depending on the machine; torch's own composition of products needs no entry
ATTENTION = (
    aten._scaled_dot_product_flash_attention_for_cpu,
    aten._scaled_dot_product_flash_attention,
    aten._scaled_dot_product_efficient_attention,
    aten._scaled_dot_product_cudnn_attention,
)
_EVERYTHING = (*ATTENTION, aten.mkldnn_rnn_layer, aten.grid_sampler_2d)
_VIEWS = (aten.view, aten._unsafe_view, aten.permute, aten.transpose, aten.expand, aten.select, aten.unsqueeze)

# matrix products of a fully connected layer -> position of its input
_CONTRACTIONS = {aten.linear: 0, aten.mm: 0, aten.addmm: 1}
