"""Operators on pictures: convolution, pooling, unpooling, resizing, in ONNX's terms."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid.scratch.convolution.dilated import with_holes
from pellucid.scratch.convolution.fast import conv_forward_fast
from pellucid.scratch.convolution.grouped import conv_forward_grouped
from pellucid.scratch.convolution.im2col import col2im
from pellucid.scratch.convolution.size import Window, output_size, transposed_size
from pellucid.scratch.convolution.transposed import conv_transpose_forward
from pellucid.scratch.interpolation.bilinear import interpolate_bilinear_forward
from pellucid.scratch.interpolation.nearest import interpolate_nearest_forward
from pellucid.scratch.pooling.average import average_pool_forward
from pellucid.scratch.pooling.global_average import global_average_pool_forward
from pellucid.scratch.pooling.max import max_pool_forward_fast, max_pool_positions
from pellucid.scratch.pooling.max_unpool import max_unpool_forward
from pellucid.scratch.pooling.window import same_padding

Attributes = dict[str, Any]
Inputs = list[Any]
Outputs = tuple[Any, ...]


def conv(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    x, w, b = (*inputs, None)[:3]
    strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
    pads = attributes.get("pads", [0, 0, 0, 0])
    if attributes.get("auto_pad") in ("SAME_UPPER", "SAME_LOWER"):
        reach = [d * (k - 1) + 1 for k, d in zip(w.shape[2:], dilations, strict=True)]
        sides = [same_padding(*axis) for axis in zip(x.shape[2:], reach, strides, strict=True)]
        first = 0 if attributes["auto_pad"] == "SAME_UPPER" else 1
        pads = [side[first] for side in sides] + [side[1 - first] for side in sides]
    pad = tuple(min(both) for both in zip(pads[:2], pads[2:], strict=True))  # what both sides have is ours to pad
    more = [(pads[axis] - pad[axis], pads[2 + axis] - pad[axis]) for axis in (0, 1)]
    x = np.pad(x, [(0, 0), (0, 0), *more])
    b = np.zeros(len(w), x.dtype) if b is None else b
    param = {"stride": tuple(strides), "pad": pad, "dilation": tuple(dilations)}
    if attributes.get("group", 1) > 1:
        return conv_forward_grouped(x, w, b, {**param, "groups": attributes["group"]})[:1]
    return conv_forward_fast(x, w, b, param)[:1]


def conv_transpose(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """Several groups are so many layers side by side; a signal is a picture of height 1."""
    x, w, b = (*inputs, None)[:3]
    rank, group = x.ndim - 2, attributes.get("group", 1)
    strides, dilations = attributes.get("strides", [1] * rank), attributes.get("dilations", [1] * rank)
    more, pads = attributes.get("output_padding", [0] * rank), attributes.get("pads", [0] * (2 * rank))
    if rank == 1:
        x, w = x[:, :, None], w[:, :, None]
        strides, dilations, more, pads = [1, *strides], [1, *dilations], [0, *more], [0, pads[0], 0, pads[1]]
    wanted = attributes.get("output_shape")
    if attributes.get("auto_pad") in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [size * stride for size, stride in zip(x.shape[2:], strides, strict=True)]
    if wanted:
        settings = zip(x.shape[2:], w.shape[2:], strides, dilations, more, wanted, strict=True)
        left = [transposed_size(n, k, s, 0, d, m) - out for n, k, s, d, m, out in settings]
        more = [m + max(-rest, 0) for m, rest in zip(more, left, strict=True)]
        small, large = [max(rest, 0) // 2 for rest in left], [max(rest, 0) - max(rest, 0) // 2 for rest in left]
        pads = small + large if attributes.get("auto_pad") == "SAME_UPPER" else large + small
    pad = tuple(min(both) for both in zip(pads[:2], pads[2:], strict=True))  # what both sides lack is ours to leave out
    param = {"stride": tuple(strides), "pad": pad, "output_padding": tuple(more)}
    b = np.zeros(group * w.shape[1], x.dtype) if b is None else b
    parts = zip(np.split(x, group, axis=1), np.split(w, group), np.split(b, group), strict=True)
    outs = [conv_transpose_forward(x, with_holes(w, tuple(dilations)), b, param)[0] for x, w, b in parts]
    out = np.concatenate(outs, axis=1)
    rows, columns = (slice(pads[a] - pad[a], out.shape[2 + a] - (pads[2 + a] - pad[a])) for a in (0, 1))
    out = out[:, :, rows, columns]
    return (out[:, :, 0] if rank == 1 else out,)


def pool_param(attributes: Attributes, axes: list[int]) -> dict[str, Any]:
    """Our settings for two of ONNX's axes; -1 is an axis that is not there, of one pixel."""
    rank = len(attributes["kernel_shape"])

    def each(name: str, default: int) -> tuple[int, int]:
        values = attributes.get(name, [default] * rank)
        return tuple(values[axis] if axis >= 0 else default for axis in axes)

    height, width = each("kernel_shape", 1)
    same = attributes.get("auto_pad", "NOTSET").startswith("SAME")
    return {
        "pool_height": height,
        "pool_width": width,
        "stride": each("strides", 1),
        "dilation": each("dilations", 1),
        "pad": "same" if same else each("pads", 0),  # all cases pad both sides alike
        "ceil": bool(attributes.get("ceil_mode", 0)),
        "count_include_pad": bool(attributes.get("count_include_pad", 0)),
    }


def pool(layer: Callable[..., Any], attributes: Attributes, x: np.ndarray) -> np.ndarray:
    """Signals are pictures of height 1. The largest (or mean) of a block of a volume is that along its depth of those
    of its slices: slices first, as so many channels, then columns of depth."""
    lower = attributes.get("auto_pad") == "SAME_LOWER"  # the mirror image of our "same"
    mirror = (slice(None), slice(None), *[slice(None, None, -1 if lower else 1)] * (x.ndim - 2))
    x = x[mirror]
    n, c, *sizes = x.shape
    if len(sizes) == 1:
        out = layer(x[:, :, None], pool_param(attributes, [-1, 0]))[0][:, :, 0]
    elif len(sizes) == 2:
        out = layer(x, pool_param(attributes, [0, 1]))[0]
    else:
        slices = layer(x.reshape(n, c * sizes[0], *sizes[1:]), pool_param(attributes, [1, 2]))[0]
        columns = slices.reshape(n, c, sizes[0], -1)
        out = layer(columns, pool_param(attributes, [0, -1]))[0].reshape(n, c, -1, *slices.shape[2:])
    return out[mirror]


def max_pool(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    x = inputs[0].astype(np.float32)  # bytes too
    out = pool(max_pool_forward_fast, attributes, x).astype(inputs[0].dtype)
    if x.ndim != 4 or "auto_pad" in attributes:
        return (out,)
    positions, (height, width) = max_pool_positions(x, pool_param(attributes, [0, 1])), x.shape[2:]
    if attributes.get("storage_order", 0) == 1:
        positions = positions % width * height + positions // width
    maps = np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], 1, 1)
    return out, maps * height * width + positions


def average_pool(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    return (pool(average_pool_forward, attributes, inputs[0]),)


def global_average_pool(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    out, _ = global_average_pool_forward(inputs[0])
    return (out[:, :, None, None],)


def global_max_pool(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    return (pool(max_pool_forward_fast, {"kernel_shape": inputs[0].shape[2:]}, inputs[0]),)


def max_unpool(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """The result stands in the first corner of a larger one, if one is asked for."""
    x, positions = inputs[:2]
    settings = zip(x.shape[2:], attributes["kernel_shape"], attributes["strides"], strict=True)
    height, width = (transposed_size(size, window, stride) for size, window, stride in settings)
    out, _ = max_unpool_forward(x, positions % (height * width), (height, width))
    wanted = inputs[2] if len(inputs) > 2 else out.shape
    return (np.pad(out, [(0, int(after) - before) for before, after in zip(out.shape, wanted, strict=True)]),)


def columns_to_image(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    columns, size, kernel = inputs[0], tuple(inputs[1].tolist()), tuple(inputs[2].tolist())
    stride, dilation = tuple(attributes.get("strides", (1, 1))), tuple(attributes.get("dilations", (1, 1)))
    pad = tuple(attributes.get("pads", (0, 0)))[:2]  # all cases pad both sides alike
    out = tuple(output_size(*axis) for axis in zip(size, kernel, stride, pad, dilation, strict=True))
    return (col2im(columns, Window(kernel, stride, pad, dilation, size, out)),)


def resize(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    x, _, scales, sizes = (*inputs, None)[:4]
    place = {axis: number for number, axis in enumerate(attributes.get("axes", range(x.ndim)))}
    chosen = [place[2], place[3]]
    if sizes is not None:
        size = _kept_aspect(x, [int(sizes[at]) for at in chosen], attributes.get("keep_aspect_ratio_policy"))
        given: dict[str, Any] = {"size": size}
    else:
        given = {"scale": [float(scales[at]) for at in chosen]}
    if attributes["mode"] == "linear":
        corners = attributes.get("coordinate_transformation_mode") == "align_corners"
        return interpolate_bilinear_forward(x, **given, align_corners=corners)[:1]
    if "scale" in given:
        return interpolate_nearest_forward(x, **given, exact=True)[:1]
    # Where a new centre lies between two old pixels, ONNX takes the first and we the second: mirrored, it is the same.
    out, _ = interpolate_nearest_forward(x[:, :, ::-1, ::-1], **given, exact=True)
    return (out[:, :, ::-1, ::-1],)


def _kept_aspect(x: np.ndarray, size: list[int], policy: str | None) -> list[int]:
    if policy is None:
        return size
    scales = [new / old for new, old in zip(size, x.shape[2:], strict=True)]
    scale = min(scales) if policy == "not_larger" else max(scales)
    return [int(np.floor(scale * old + 0.5)) for old in x.shape[2:]]


def upsample(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    x, scales = inputs
    return interpolate_nearest_forward(x, scale=[float(scale) for scale in scales[2:]])[:1]
