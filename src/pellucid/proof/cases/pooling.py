"""Proofs of pooling: of the maximum, of the mean, of everything, by a fraction."""

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.case import Case, Check, Inputs, Layer, Subject
from pellucid.scratch.pooling import average, fractional, global_average, window
from pellucid.scratch.pooling import max as max_pool


def _param(height: int, width: int, stride: int | tuple[int, int], **more: Any) -> dict[str, Any]:
    return {"pool_height": height, "pool_width": width, "stride": stride, **more}


def _draw(shape: tuple[int, ...], **param: Any) -> Inputs:
    return lambda rng: (rng.standard_normal(shape), param)


SETTINGS: dict[str, Inputs] = {
    "2x2, stride 2, a row left over": _draw((2, 3, 5, 4), **_param(2, 2, 2)),
    "3x2, stride 1, overlapping": _draw((1, 2, 4, 5), **_param(3, 2, 1)),
    "2x3, stride 3": _draw((2, 1, 5, 7), **_param(2, 3, 3)),
    "3x3, stride 2, padded": _draw((2, 2, 5, 7), **_param(3, 3, 2, pad=1)),
    "same-padded": _draw((1, 2, 5, 6), **_param(3, 2, 2, pad="same")),
    "3x2, dilated": _draw((1, 2, 6, 7), **_param(3, 2, (1, 2), pad=(1, 1), dilation=(2, 3))),
    "3x2, the rest looked at": _draw((2, 2, 6, 7), **_param(3, 2, (2, 3), pad=(1, 0), ceil=True)),
    "3x3, no window for a rest of padding": _draw((1, 2, 2, 5), **_param(3, 3, 3, pad=1, ceil=True)),
}


def _torch_param(param: dict[str, Any]) -> tuple[tuple[int, int], Any]:
    return (param["pool_height"], param["pool_width"]), param["stride"]


def _torch_same(x: Any, param: dict[str, Any], value: float) -> Any:
    """What PyTorch has no argument for is padded beforehand: above and left, below and right."""
    sides = []
    for n, k in ((x.shape[3], param["pool_width"]), (x.shape[2], param["pool_height"])):
        total = max((-(-n // param["stride"]) - 1) * param["stride"] + k - n, 0)
        sides += [total // 2, total - total // 2]
    return F.pad(x, sides, value=value)


def _torch_max(x: Any, param: dict[str, Any]) -> Any:
    kernel, stride = _torch_param(param)
    if param.get("pad") == "same":
        return F.max_pool2d(_torch_same(x, param, -np.inf), kernel, stride)
    return F.max_pool2d(x, kernel, stride, param.get("pad", 0), param.get("dilation", 1), param.get("ceil", False))


def _torch_average(x: Any, param: dict[str, Any]) -> Any:
    """A sum by convolution where PyTorch's own layer has no argument: for same padding and dilation."""
    kernel, stride = _torch_param(param)
    pad, whole = param.get("pad", 0), param.get("count_include_pad", True)
    if pad != "same" and "dilation" not in param:
        return F.avg_pool2d(x, kernel, stride, pad, param.get("ceil", False), whole)

    def total(x: Any) -> Any:
        x, border = (_torch_same(x, param, 0.0), 0) if pad == "same" else (x, pad)
        ones = x.new_ones(x.shape[1], 1, *kernel)
        return F.conv2d(x, ones, None, stride, border, param.get("dilation", 1), x.shape[1])

    return total(x) / (kernel[0] * kernel[1] if whole else total(torch.ones_like(x)))


def window_cases(layer: Any) -> Sequence[Case]:
    """The slices hold each pair of an input and an output that sees it, and nothing else."""
    return [
        Check("places of windows", lambda: _usual_windows(layer)),
        Check("rows and columns apart", lambda: _two_axes(layer)),
        Check("places of dilated windows", lambda: _dilated_windows(layer)),
        Check("windows over a rest", lambda: _windows_over_rests(layer)),
        Check("same padding", lambda: _same_padded(layer)),
    ]


def _differences(axis: Any, size: int, k: int, stride: int, pad: tuple[int, int], out: int, dilation: int = 1) -> float:
    """Number of differences between an axis and what its numbers say."""
    before, after = pad
    places = [[stride * a - before + dilation * i for a in range(out)] for i in range(k)]
    wanted = [{(r, a) for a, r in enumerate(row) if 0 <= r < size} for row in places]
    inputs, outputs = list(range(size)), list(range(out))
    found = [set(zip(inputs[r], outputs[a], strict=True)) for r, a in axis.places()]
    wrong = sum(len(a ^ b) for a, b in zip(wanted, found, strict=True))
    wrong += int(axis.starts().tolist() != [stride * a - before for a in range(out)])
    for padded, limits in ((False, (0, size)), (True, (-before, size + after))):
        counts = [sum(limits[0] <= row[a] < limits[1] for row in places) for a in range(out)]
        wrong += int(axis.counts(padded).tolist() != counts)
    wrong += int(axis.counts().tolist() != axis.counts(False).tolist())
    return wrong + int((axis.size, axis.out) != (size, out))


def _usual_windows(layer: Any) -> float:
    error = 0.0
    for k, stride, before in product((1, 2, 3), (1, 2, 3, 5), (0, 1, 2)):
        if before >= k:
            continue
        rows, columns = layer.pool_axes((2, 3, 5, 8), _param(k, k, stride, pad=before))
        for axis, n in ((rows, 5), (columns, 8)):
            out = sum(1 for a in range(n + 2 * before) if stride * a + k <= n + 2 * before)
            error += _differences(axis, n, k, stride, (before, before), out)
    return error


def _two_axes(layer: Any) -> float:
    rows, columns = layer.pool_axes((2, 3, 9, 4), _param(3, 2, 2))
    return _differences(rows, 9, 3, 2, (0, 0), 4) + _differences(columns, 4, 2, 2, (0, 0), 2)


def _same_padded(layer: Any) -> float:
    # inputs, window, stride -> padding before and after, outputs
    table = {
        (5, 3, 2): (1, 1, 3),
        (6, 3, 2): (0, 1, 3),
        (4, 4, 1): (1, 2, 4),
        (4, 2, 4): (0, 0, 1),
        (7, 2, 3): (0, 1, 3),
    }
    error = 0.0
    for (n, k, stride), (before, after, out) in table.items():
        error += int(layer.same_padding(n, k, stride) != (before, after))
        rows, _ = layer.pool_axes((1, 1, n, n), _param(k, k, stride, pad="same"))
        error += _differences(rows, n, k, stride, (before, after), out)
    rows, columns = layer.pool_axes((1, 1, 5, 7), _param(3, 2, 2, pad="valid"))
    return error + _differences(rows, 5, 3, 2, (0, 0), 2) + _differences(columns, 7, 2, 2, (0, 0), 3)


def _dilated_windows(layer: Any) -> float:
    error = 0.0
    for k, dilation, before in ((1, 3, 0), (2, 3, 1), (3, 2, 4), (2, 2, 0)):
        param = _param(k, 1, (2, 1), pad=(before, 0), dilation=(dilation, 1))
        rows, columns = layer.pool_axes((1, 1, 7, 3), param)
        out = sum(1 for a in range(7 + 2 * before) if 2 * a + dilation * (k - 1) < 7 + 2 * before)
        error += _differences(rows, 7, k, 2, (before, before), out, dilation) + _differences(
            columns, 3, 1, 1, (0, 0), 3
        )
    return error


def _windows_over_rests(layer: Any) -> float:
    """A window is added for a rest of inputs, and for padding only if it begins at an input."""
    # inputs, window, stride, pad -> outputs
    table = {
        (6, 3, 2, 0): 3,
        (5, 3, 2, 0): 2,
        (2, 1, 2, 0): 1,
        (2, 3, 3, 1): 1,
        (5, 3, 3, 1): 2,
        (3, 3, 3, 1): 2,
        (4, 3, 2, 1): 3,
    }
    error = 0.0
    for (n, k, stride, pad), out in table.items():
        rows, columns = layer.pool_axes((1, 1, n, n), _param(k, k, stride, pad=pad, ceil=True))
        for axis in (rows, columns):
            error += _differences(axis, n, k, stride, (pad, pad), out)
    return error


def max_cases(layer: Any) -> Sequence[Case]:
    """Also at ties, where the first of equals gets the gradient, as in PyTorch."""

    def ties(rng: np.random.Generator) -> tuple[Any, ...]:
        return rng.integers(0, 2, (2, 2, 5, 7)).astype(np.float64), _param(2, 3, 3, pad=1)

    def overlapping_ties() -> float:
        # No gradient check: an input that several windows tie in has a left and a right slope that sum all of them,
        # the gradient by hand only those windows that chose it.
        rng = np.random.default_rng(0)
        x = rng.integers(0, 2, (2, 2, 5, 6)).astype(np.float64)
        out, cache = layer.max_pool_forward_fast(x, _param(3, 3, 2, pad=1))
        dout = rng.standard_normal(out.shape)
        tensor = torch.from_numpy(x).requires_grad_()
        (wanted,) = torch.autograd.grad(F.max_pool2d(tensor, 3, 2, 1), tensor, torch.from_numpy(dout))
        return float(np.max(np.abs(layer.max_pool_backward_fast(dout, cache) - wanted.numpy())))

    def positions() -> float:
        x = np.random.default_rng(0).standard_normal((2, 3, 5, 6))
        found = layer.max_pool_positions(x, _param(3, 3, 2, pad=1))
        _, wanted = F.max_pool2d(torch.from_numpy(x), 3, 2, 1, return_indices=True)
        return float(np.max(np.abs(found - wanted.numpy())))

    def large_window() -> float:  # whose places are more than a byte can count
        x = np.random.default_rng(0).standard_normal((2, 1, 21, 17))
        found = layer.max_pool_positions(x, _param(19, 15, 2))
        _, wanted = F.max_pool2d(torch.from_numpy(x), (19, 15), 2, return_indices=True)
        return float(np.max(np.abs(found - wanted.numpy())))

    def not_a_number() -> float:
        x = np.ones((1, 1, 4, 4))
        x[0, 0, 1, 0] = np.nan
        out, cache = layer.max_pool_forward_fast(x, _param(2, 2, 2))
        dx = layer.max_pool_backward_fast(np.ones_like(out), cache)
        inside = dx[:, :, :2, :2].sum() == 1 and dx.sum() == 4  # of a window with a NaN too
        return 0.0 if np.isnan(out).tolist() == [[[[True, False], [False, False]]]] and inside else 1.0

    return [
        Layer(
            "max_pool",
            layer.max_pool_forward_fast,
            layer.max_pool_backward_fast,
            inputs={**SETTINGS, "ties": ties},
            gradients=("x",),
            twin=_torch_max,
            loops=(layer.max_pool_forward_naive, layer.max_pool_backward_naive),
        ),
        Check("ties in overlapping windows", overlapping_ties),
        Check("positions of the maxima", positions),
        Check("positions in a large window", large_window),
        Check("NaN in a window", not_a_number),
    ]


def average_cases(layer: Any) -> Sequence[Case]:
    """Linear in x; with the padding counted and not."""
    padding_left_out = {
        "padding left out": _draw((2, 2, 5, 6), **_param(3, 2, 2, pad=1, count_include_pad=False)),
        "same-padded, padding left out": _draw((1, 2, 5, 6), **_param(3, 3, 2, pad="same", count_include_pad=False)),
        "the rest looked at, padding left out": _draw(
            (1, 2, 6, 7), **_param(3, 2, (2, 3), pad=1, ceil=True, count_include_pad=False)
        ),
        "dilated, padding left out": _draw((1, 2, 6, 5), **_param(2, 3, 1, pad=1, dilation=2, count_include_pad=False)),
    }
    return [
        Layer(
            "average_pool",
            layer.average_pool_forward,
            layer.average_pool_backward,
            inputs={**SETTINGS, **padding_left_out},
            gradients=("x",),
            linear=("x",),
            twin=_torch_average,
            loops=(layer.average_pool_forward_naive, layer.average_pool_backward_naive),
        )
    ]


def global_average_cases(layer: Any) -> Sequence[Case]:
    """For any number of positions along any number of axes."""
    return [
        Layer(
            "global_average_pool",
            layer.global_average_pool_forward,
            layer.global_average_pool_backward,
            inputs={
                "pictures": lambda rng: (rng.standard_normal((2, 3, 4, 5)),),
                "signals": lambda rng: (rng.standard_normal((1, 2, 7)),),
                "volumes": lambda rng: (rng.standard_normal((2, 1, 2, 3, 2)),),
            },
            gradients=("x",),
            linear=("x",),
            twin=lambda x: F.adaptive_avg_pool1d(x.flatten(2), 1).flatten(1),
        )
    ]


def fractional_cases(layer: Any) -> Sequence[Case]:
    """The overlapping mode beside PyTorch with the same draws; the disjoint one by its regions, written out."""

    def against_torch(x: np.ndarray, ratio: float) -> float:  # alone, for the reason given with max pooling
        rng = np.random.default_rng(0)
        u, tensor = rng.random((*x.shape[:2], 2)), torch.from_numpy(x).requires_grad_()
        out, cache = layer.fractional_max_pool_forward(x, u, ratio)
        dout = rng.standard_normal(out.shape)
        theirs = _fractional_twin(tensor, torch.from_numpy(u), ratio)
        (wanted,) = torch.autograd.grad(theirs, tensor, torch.from_numpy(dout))
        return float(np.max(np.abs(layer.fractional_max_pool_backward(dout, cache) - wanted.numpy())))

    def partition() -> float:
        u, error = np.random.default_rng(0).random((200, 1)), 0.0
        for n, out in ((25, 17), (10, 7), (9, 5), (8, 8), (7, 1)):
            starts, sizes = layer.disjoint_regions(u, n, out, 2)
            touch = (starts[..., 1:] == (starts + sizes)[..., :-1]).all()
            whole = touch and (starts[..., 0] == 0).all() and (sizes.sum(axis=-1) == n).all()
            mixed = set(np.unique(sizes)) <= {n // out, -(-n // out)}
            error += 0.0 if whole and mixed else 1.0
        return error

    ties = np.random.default_rng(1).integers(0, 2, (2, 3, 7, 9)).astype(np.float64)
    pair = {"forward": layer.fractional_max_pool_forward, "backward": layer.fractional_max_pool_backward}
    return [
        Layer(
            "fractional_max_pool",
            **pair,
            inputs={
                "ratio √2": _draw_regions((2, 3, 7, 10)),
                "kernel 3": _draw_regions((1, 2, 9, 6), 1.6, "overlapping", 3),
                "one output": _draw_regions((2, 1, 3, 5), 2.9),
            },
            gradients=("x",),
            twin=_fractional_twin,
        ),
        Layer(
            "fractional_max_pool, disjoint",
            **pair,
            inputs={
                "disjoint": _draw_regions((2, 2, 7, 10), 2**0.5, "disjoint"),
                "disjoint, ratio 2.6": _draw_regions((1, 2, 8, 6), 2.6, "disjoint"),
                "disjoint, ties": lambda rng: (ties, rng.random((2, 3, 2)), 1.5, "disjoint"),
                "disjoint, nothing to do": _draw_regions((1, 1, 3, 4), 1.0, "disjoint"),
            },
            gradients=("x",),
            twin=_disjoint_twin,
        ),
        Check("ties in overlapping regions", lambda: against_torch(ties, 1.5)),
        Check("minus infinity everywhere", lambda: against_torch(np.full((1, 2, 6, 8), -np.inf), 1.6)),
        Check("disjoint regions are a partition", partition),
    ]


def _draw_regions(shape: tuple[int, ...], *more: Any) -> Inputs:
    return lambda rng: (rng.standard_normal(shape), rng.random((*shape[:2], 2)), *more)


def _fractional_twin(x: Any, u: Any, ratio: float = 2**0.5, mode: str = "overlapping", kernel: int = 2) -> Any:
    size = (int(x.shape[2] / ratio), int(x.shape[3] / ratio))
    return F.fractional_max_pool2d(x, kernel, output_size=size, _random_samples=u.detach())


def _disjoint_twin(x: Any, u: Any, ratio: float, mode: str) -> Any:
    """One map and one region after the other."""

    def edges(u: Any, n: int) -> list[int]:
        out = int(n / ratio)
        return [int((i + float(u)) * n / out) - int(float(u) * n / out) for i in range(out)] + [n]

    def pooled(x: Any, u: Any) -> Any:
        rows, columns = edges(u[1], x.shape[0]), edges(u[0], x.shape[1])
        regions = [x[top:bottom, left:right] for top, bottom in pairwise(rows) for left, right in pairwise(columns)]
        largest = [region.flatten()[region.argmax()] for region in regions]
        return torch.stack(largest).reshape(len(rows) - 1, len(columns) - 1)

    maps = [pooled(*both) for both in zip(x.flatten(0, 1), u.detach().flatten(0, 1), strict=True)]
    return torch.stack(maps).unflatten(0, x.shape[:2])


SUBJECTS: dict[str, Subject] = {
    "pooling-window": Subject(window, window_cases),
    "max-pooling": Subject(
        max_pool,
        max_cases,
        harmless={
            "_positions: np.zeros(out.shape, np.min_scalar_type(n_places)) -> "
            "np.ones(out.shape, np.min_scalar_type(n_places))": "1 is the lowest rank, and every window gets one"
        },
    ),
    "average-pooling": Subject(average, average_cases),
    "global-average-pooling": Subject(global_average, global_average_cases),
    "fractional-max-pooling": Subject(
        fractional,
        fractional_cases,
        harmless={
            "fractional_max_pool_forward: initial=0 -> initial=1": "no region is smaller than 1",
            "fractional_max_pool_forward: initial=0 -> initial=1 (2)": "no region is smaller than 1",
            "overlapping_regions: max(out - 1, 1) -> max(out - 1, 2)": "two windows stand at both ends, whatever α",
            "overlapping_regions: np.full_like(starts, kernel) -> np.full_like(kernel, kernel)": "one size for all",
        },
    ),
}
