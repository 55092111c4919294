"""Proofs of convolution in all its forms: every way must be the loops, and PyTorch's layer."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.proof.case import Case, Check, Layer, Subject
from pellucid.scratch.convolution import (
    blocked,
    dilated,
    fast,
    fft,
    grouped,
    im2col,
    loops,
    matrix,
    separable,
    size,
    winograd,
)

Settings = dict[str, Any]
Draw = Callable[[np.random.Generator], tuple[Any, ...]]

Shapes = tuple[tuple[int, ...], tuple[int, ...], Settings]  # of x and w, and the settings

# what an input is like -> what it is drawn from
LAYERS: dict[str, Shapes] = {
    "3 x 2 kernel": ((2, 2, 4, 5), (3, 2, 3, 2), {"stride": 1, "pad": 1}),
    "strides and pads of their own": ((1, 2, 6, 5), (2, 2, 3, 3), {"stride": (2, 1), "pad": (0, 2)}),
    "stride 3 leaves a rest": ((2, 1, 5, 9), (2, 1, 2, 3), {"stride": (2, 3), "pad": (2, 1)}),
    "dilation": ((1, 2, 5, 7), (2, 2, 2, 3), {"stride": (1, 2), "pad": 1, "dilation": (2, 3)}),
    "stride beyond the kernel": ((1, 1, 4, 6), (1, 1, 1, 2), {"stride": (2, 4), "pad": 0}),
}


def twin(x: Tensor, w: Tensor, b: Tensor, settings: Settings) -> Tensor:
    """PyTorch's layer, with the same settings."""
    return F.conv2d(
        x, w, b, settings["stride"], settings["pad"], settings.get("dilation", 1), settings.get("groups", 1)
    )


def draw(x: tuple[int, ...], w: tuple[int, ...], settings: Settings) -> Draw:
    """Arguments (x, w, b, conv_param) of these shapes."""
    return lambda rng: (rng.standard_normal(x), rng.standard_normal(w), rng.standard_normal(w[0]), settings)


def conv(
    name: str,
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    layers: dict[str, Shapes],
    with_loops: bool = True,
) -> Layer:
    """A convolution (x, w, b, conv_param), linear in each of the first three."""
    return Layer(
        name,
        forward,
        backward,
        inputs={label: draw(*layer) for label, layer in layers.items()},
        gradients=("x", "w", "b"),
        linear=("x", "w", "b"),
        twin=twin,
        loops=(loops.conv_forward_naive, loops.conv_backward_naive) if with_loops else None,
    )


def like_torch(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    x: tuple[int, ...],
    w: tuple[int, ...],
    settings: Settings,
) -> Callable[[], float]:
    """The largest difference from PyTorch, output and gradients, on a layer too large for loops."""

    def error() -> float:
        rng = np.random.default_rng(0)
        arrays = [rng.standard_normal(x), rng.standard_normal(w) / np.sqrt(np.prod(w[1:])), rng.standard_normal(w[0])]
        tensors = [torch.from_numpy(array).requires_grad_() for array in arrays]
        theirs = twin(tensors[0], tensors[1], tensors[2], settings)
        dout = rng.standard_normal(tuple(theirs.shape))
        wanted = [theirs, *torch.autograd.grad(theirs, tensors, torch.from_numpy(dout))]
        out, cache = forward(*arrays, settings)
        ours = [out, *backward(dout, cache)]
        pairs = zip(ours, wanted, strict=True)
        return max(float(np.abs(a - b.detach().numpy()).max() / b.detach().abs().max().clamp(min=1)) for a, b in pairs)

    return error


def empty(forward: Callable[..., Any], backward: Callable[..., Any], kernel: tuple[int, int]) -> Callable[[], float]:
    """No pictures: empty outputs of the right shape, and gradients of zero."""

    def error() -> float:
        w = np.ones((2, 16, *kernel))
        out, cache = forward(np.ones((0, 16, 6, 5)), w, np.ones(2), {"stride": 1, "pad": 0})
        dx, dw, db = backward(out, cache)
        shapes = (out.shape != (0, 2, 7 - kernel[0], 6 - kernel[1])) + (dx.shape != (0, 16, 6, 5))
        return float(shapes) + float(np.abs(dw).sum()) + float(np.abs(db).sum()) + (dw.shape != w.shape)

    return error


def loops_cases(layer: Any) -> Sequence[Case]:
    """Beside PyTorch's layer; all others are compared with these loops too."""
    return [conv("conv naive", layer.conv_forward_naive, layer.conv_backward_naive, LAYERS, with_loops=False)]


def im2col_cases(layer: Any) -> Sequence[Case]:
    """Settings of every kind reach both ends of the copies."""
    return [conv("conv im2col", layer.conv_forward_im2col, layer.conv_backward_im2col, LAYERS)]


def fft_cases(layer: Any) -> Sequence[Case]:
    """No dilated, strided or padded place may be mistaken for another."""
    return [conv("conv fft", layer.conv_forward_fft, layer.conv_backward_fft, LAYERS)]


def matrix_cases(layer: Any) -> Sequence[Case]:
    """In one dimension the matrix is compared with NumPy's sliding product."""

    def one_dimension() -> float:
        w, a = np.array([1.0, 2.0, 3.0]), np.random.default_rng(0).standard_normal(8)
        plain = layer.conv_matrix_1d(w, 8) @ a - np.correlate(a, w)
        padded = layer.conv_matrix_1d(w, 8, pad=1) @ a - np.correlate(np.pad(a, 1), w)
        strided = layer.conv_matrix_1d(w, 8, 2) @ a - np.correlate(a, w)[::2]
        holes = layer.conv_matrix_1d(w, 8, 1, 0, 3) @ a - np.correlate(a, [1, 0, 0, 2, 0, 0, 3])
        return max(float(np.abs(difference).max()) for difference in (plain, padded, strided, holes))

    return [
        conv("conv matrix", layer.conv_forward_matrix, layer.conv_backward_matrix, LAYERS),
        Check("matrix of one dimension", one_dimension),
    ]


def blocked_cases(layer: Any) -> Sequence[Case]:
    """Groups of eight pictures, and rows in blocks of some thousand places, show on larger layers only."""
    forward, backward = layer.conv_forward_blocked, layer.conv_backward_blocked
    larger: dict[str, Shapes] = {
        "two groups of pictures": ((11, 2, 5, 6), (3, 2, 2, 3), {"stride": 1, "pad": (1, 0)}),
        "long rows, one picture at a time": ((2, 1, 5, 33), (2, 1, 3, 2), {"stride": 1, "pad": 0}),
        "blocks of rows": ((9, 1, 29, 13), (2, 1, 3, 3), {"stride": 1, "pad": 1}),
        "rows longer than a block": ((1, 1, 3, 1030), (1, 1, 2, 2), {"stride": 1, "pad": 0}),
        "blocks of rows, one picture": ((1, 1, 70, 37), (2, 1, 3, 3), {"stride": (2, 1), "pad": 1, "dilation": 2}),
    }

    def cuts() -> float:
        """Which pictures are laid out together and which rows make a block, the constants of the file included."""
        return float(
            (layer.groups_of(20, 31) != [slice(0, 8), slice(8, 16), slice(16, 20)])
            + (layer.groups_of(2, 32) != [slice(0, 1), slice(1, 2)])
            + (layer.blocks(9, 205) != [slice(0, 4), slice(4, 8), slice(8, 9)])
            + (layer.blocks(2, 2000) != [slice(0, 1), slice(1, 2)])
        )

    return [
        Check("groups and blocks", cuts),
        conv("conv blocked", forward, backward, LAYERS),
        Check("no pictures", empty(forward, backward, (2, 3))),
        *(Check(label, like_torch(forward, backward, *settings)) for label, settings in larger.items()),
    ]


def winograd_cases(layer: Any) -> Sequence[Case]:
    """Heights that fill their tiles of four rows and heights that do not; one strip of tiles and several."""
    forward, backward = layer.conv_forward_winograd, layer.conv_backward_winograd
    small: dict[str, Shapes] = {
        "3 x 2 kernel": ((2, 2, 4, 3), (3, 2, 3, 2), {"stride": 1, "pad": 1}),
        "one row of outputs": ((1, 2, 3, 4), (2, 2, 3, 3), {"stride": 1, "pad": (0, 2)}),
        "3 x 1, two tiles": ((1, 1, 5, 2), (2, 1, 3, 1), {"stride": 1, "pad": (2, 0)}),
    }
    larger: dict[str, Shapes] = {
        "two groups of pictures": ((11, 2, 9, 6), (3, 2, 3, 3), {"stride": 1, "pad": 1}),
        "more pictures than a row is long": ((35, 1, 3, 3), (1, 1, 3, 3), {"stride": 1, "pad": 1}),
        "strips of tiles": ((8, 1, 38, 30), (2, 1, 3, 3), {"stride": 1, "pad": 1}),
        "long rows, one picture at a time": ((2, 2, 6, 33), (2, 2, 3, 3), {"stride": 1, "pad": (1, 0)}),
    }
    return [
        conv("conv winograd", forward, backward, small),
        Check("no pictures", empty(forward, backward, (3, 2))),
        *(Check(label, like_torch(forward, backward, *settings)) for label, settings in larger.items()),
        Check("takes only what it can", lambda: sum(layer.fits(w) != right for w, right in WINDOWS)),
    ]


# windows, and whether Winograd's way takes them
WINDOWS = [
    (size.Window(kernel, stride, pad, dilation, (9, 9), (9, 9)), right)
    for kernel, stride, pad, dilation, right in [
        ((3, 3), (1, 1), (1, 2), (1, 1), True),
        ((3, 1), (1, 1), (5, 0), (1, 1), True),
        ((3, 5), (1, 1), (0, 4), (1, 1), True),
        ((3, 1), (1, 1), (0, 1), (1, 1), False),
        ((2, 3), (1, 1), (1, 1), (1, 1), False),
        ((4, 3), (1, 1), (1, 1), (1, 1), False),
        ((3, 3), (1, 1), (1, 3), (1, 1), False),
        ((3, 3), (2, 1), (1, 1), (1, 1), False),
        ((3, 3), (1, 2), (1, 1), (1, 1), False),
        ((3, 3), (1, 1), (1, 1), (1, 2), False),
        ((3, 3), (1, 1), (1, 1), (2, 1), False),
    ]
]


def fast_cases(layer: Any) -> Sequence[Case]:
    """Each of its three ways, and which one is taken."""

    def taken() -> float:
        wrong = 0
        for x, w, pad, stride, way in WAYS:
            settings = {"stride": stride, "pad": pad}
            _, (backward, _) = layer.conv_forward_fast(np.ones(x), np.ones(w), np.ones(w[0]), settings)
            wrong += backward.__name__ != way
        return float(wrong)

    ways: dict[str, Shapes] = {
        "1 x 1": ((2, 3, 2, 4), (2, 3, 1, 1), {"stride": 1, "pad": 0}),
        "1 x 1 with a stride": ((2, 2, 3, 5), (3, 2, 1, 1), {"stride": (2, 3), "pad": 0}),
        "1 x 1 with padding": ((1, 2, 2, 3), (2, 2, 1, 1), {"stride": 1, "pad": (0, 1)}),
        "many channels": ((1, 16, 2, 3), (2, 16, 3, 2), {"stride": 1, "pad": 1}),
        "few channels": ((2, 3, 3, 4), (2, 3, 3, 3), {"stride": 1, "pad": 1}),
        "many channels with a stride": ((1, 16, 3, 3), (1, 16, 3, 3), {"stride": 2, "pad": 1}),
    }
    return [
        conv("conv fast", layer.conv_forward_fast, layer.conv_backward_fast, LAYERS | ways),
        Check("the way taken", taken),
    ]


# shapes of x and w, padding and stride, and whose backward is taken
WAYS: list[tuple[tuple[int, ...], tuple[int, ...], int | tuple[int, int], int, str]] = [
    ((1, 2, 3, 3), (1, 2, 1, 1), 0, 1, "_backward_1x1"),
    ((1, 2, 3, 3), (1, 2, 1, 1), 0, 2, "_backward_1x1"),
    ((1, 2, 3, 3), (1, 2, 1, 1), (1, 0), 1, "conv_backward_blocked"),
    ((1, 2, 3, 3), (1, 2, 2, 1), 0, 1, "conv_backward_blocked"),
    ((1, 2, 3, 3), (1, 2, 1, 2), 0, 1, "conv_backward_blocked"),
    ((1, 16, 3, 3), (1, 16, 3, 3), 0, 1, "conv_backward_winograd"),
    ((1, 17, 3, 3), (1, 17, 3, 1), 0, 1, "conv_backward_winograd"),
    ((16, 15, 17, 18), (1, 15, 3, 3), 1, 1, "conv_backward_blocked"),
    ((1, 16, 3, 3), (1, 16, 3, 3), 1, 2, "conv_backward_blocked"),
]


def grouped_cases(layer: Any) -> Sequence[Case]:
    """As many groups as channels, one, and some between."""

    def groups(number: int, x: tuple[int, ...], w: tuple[int, ...], more: Settings) -> Draw:
        return draw(x, w, {"stride": 1, "pad": 0, "groups": number, **more})

    return [
        Layer(
            "conv grouped",
            layer.conv_forward_grouped,
            layer.conv_backward_grouped,
            inputs={
                "2 groups": groups(2, (2, 4, 3, 4), (6, 2, 2, 3), {"pad": 1}),
                "3 groups of one channel": groups(3, (1, 3, 4, 3), (3, 1, 3, 2), {"stride": (2, 1)}),
                "1 group": groups(1, (2, 3, 3, 3), (2, 3, 2, 2), {"dilation": 2}),
            },
            gradients=("x", "w", "b"),
            linear=("x", "w", "b"),
            twin=twin,
        )
    ]


def dilated_cases(layer: Any) -> Sequence[Case]:
    """The two ways differ in what they compute with, not in what comes out."""
    return [
        conv("conv dilated", layer.conv_forward_dilated, layer.conv_backward_dilated, LAYERS),
        conv("conv with holes", layer.conv_forward_holes, layer.conv_backward_holes, LAYERS),
    ]


def separable_cases(layer: Any) -> Sequence[Case]:
    """Each half alone, both together, and what they cost."""

    def depthwise(x: tuple[int, ...], kernel: tuple[int, int], settings: Settings) -> Draw:
        c = x[1]
        return lambda rng: (
            rng.standard_normal(x),
            rng.standard_normal((c, *kernel)),
            rng.standard_normal(c),
            settings,
        )

    def separable(x: tuple[int, ...], kernel: tuple[int, int], filters: int, settings: Settings) -> Draw:
        def arguments(rng: np.random.Generator) -> tuple[Any, ...]:
            inputs, w_depth, b_depth, _ = depthwise(x, kernel, settings)(rng)
            return (
                inputs,
                w_depth,
                b_depth,
                rng.standard_normal((filters, x[1])),
                rng.standard_normal(filters),
                settings,
            )

        return arguments

    def depthwise_twin(x: Tensor, w: Tensor, b: Tensor, settings: Settings) -> Tensor:
        return twin(x, w[:, None], b, {**settings, "groups": len(w)})

    def costs() -> float:
        """Against the sizes of PyTorch's own layers, and a use of each weight for each pixel."""
        found = layer.separable_costs(6, 10, (3, 5), (7, 4))
        weights = {
            "standard": torch.nn.Conv2d(6, 10, (3, 5)).weight.numel(),
            "depthwise": torch.nn.Conv2d(6, 6, (3, 5), groups=6).weight.numel(),
            "pointwise": torch.nn.Conv2d(6, 10, 1).weight.numel(),
        }
        weights["separable"] = weights["depthwise"] + weights["pointwise"]
        return float(
            (found.keys() != weights.keys())
            + sum(abs(found[way].parameters - number) for way, number in weights.items())
            + sum(abs(found[way].macs - number * 7 * 4) for way, number in weights.items())
        )

    return [
        Layer(
            "depthwise",
            layer.depthwise_forward,
            layer.depthwise_backward,
            inputs={
                "3 x 2 kernel": depthwise((2, 3, 3, 4), (3, 2), {"stride": 1, "pad": 1}),
                "stride and dilation": depthwise((1, 2, 5, 4), (2, 3), {"stride": 2, "pad": 2, "dilation": 2}),
            },
            gradients=("x", "w", "b"),
            linear=("x", "w", "b"),
            twin=depthwise_twin,
        ),
        Layer(
            "pointwise",
            layer.pointwise_forward,
            layer.pointwise_backward,
            inputs={
                "3 to 4 channels": lambda rng: (
                    rng.standard_normal((2, 3, 2, 3)),
                    rng.standard_normal((4, 3)),
                    rng.standard_normal(4),
                ),
                "3 to 2 channels, one picture": lambda rng: (
                    rng.standard_normal((1, 3, 3, 1)),
                    rng.standard_normal((2, 3)),
                    rng.standard_normal(2),
                ),
            },
            gradients=("x", "w", "b"),
            linear=("x", "w", "b"),
            twin=lambda x, w, b: F.conv2d(x, w[:, :, None, None], b),
        ),
        Layer(
            "separable",
            layer.separable_forward,
            layer.separable_backward,
            inputs={
                "stride 1": separable((2, 2, 3, 4), (2, 3), 3, {"stride": 1, "pad": 1}),
                "stride 2": separable((1, 3, 4, 3), (3, 3), 2, {"stride": 2, "pad": 1}),
            },
            gradients=("x", "w_depth", "b_depth", "w_point", "b_point"),
            linear=("x", "w_depth", "b_depth", "w_point", "b_point"),
            twin=lambda x, w, b, v, c, settings: F.conv2d(depthwise_twin(x, w, b, settings), v[:, :, None, None], c),
        ),
        Check("parameters and multiply-adds", costs),
    ]


def size_cases(layer: Any) -> Sequence[Case]:
    """Sizes and counts against PyTorch's layers, over a grid of settings."""

    def sizes() -> float:
        wrong = 0
        for stride, pad, dilation, kernel in np.ndindex(3, 3, 3, 3):
            theirs = F.conv1d(torch.zeros(1, 1, 11), torch.zeros(1, 1, kernel + 1), None, stride + 1, pad, dilation + 1)
            wrong += layer.output_size(11, kernel + 1, stride + 1, pad, dilation + 1) != theirs.shape[2]
        return wrong + (layer.output_size(7, 3) != 5)

    def transposed() -> float:
        wrong = 0
        for stride, pad, dilation, more in np.ndindex(3, 3, 2, 3):
            if more <= stride:
                settings = (stride + 1, pad, more, 1, dilation + 1)
                theirs = F.conv_transpose1d(torch.zeros(1, 1, 6), torch.zeros(1, 1, 3), None, *settings)
                wrong += layer.transposed_size(6, 3, stride + 1, pad, dilation + 1, more) != theirs.shape[2]
        return wrong + (layer.transposed_size(6, 3) != 8)

    def parameters() -> float:
        pairs = [(6, 4, (5, 3), 1), (6, 4, (2, 3), 2)]
        theirs = [
            sum(p.numel() for p in torch.nn.Conv2d(c, f, kernel, groups=g).parameters()) for f, c, kernel, g in pairs
        ]
        return sum(layer.conv_parameters(*pair) != number for pair, number in zip(pairs, theirs, strict=True)) + (
            layer.conv_parameters(10, 3, (5, 5)) != 760
        )

    def windows() -> float:
        """Settings of one number and of two, over the sides they belong to."""
        x, w, b = np.zeros((2, 4, 9, 14)), np.zeros((5, 2, 3, 2)), np.zeros(5)
        found = layer.conv_window(x, w, b, {"stride": (2, 1), "pad": (2, 0), "dilation": (3, 4)}, 2)
        right = size.Window((3, 2), (2, 1), (2, 0), (3, 4), (9, 14), (4, 10))
        same = layer.conv_window(x, w[:, :1], b, {"stride": np.int64(2), "pad": 1}, 4)
        both = size.Window((3, 2), (2, 2), (1, 1), (1, 1), (9, 14), (5, 8))
        wrong = (vars(found) != vars(right)) + (vars(same) != vars(both))
        return float(wrong) + (found.padded != (13, 14)) + (same.padded != (11, 16))

    def strict() -> float:
        """Strict mode takes what fits, refuses what does not, and is off unless asked for."""
        wrong = 0
        for number, fits in ((7, True), (8, False), (9, True)):
            try:
                wrong += (layer.output_size(number, 3, 2, 0, 1, True) != (number - 3) // 2 + 1) or not fits
            except layer.DataError:
                wrong += fits
            wrong += layer.output_size(number, 3, 2) != (number - 3) // 2 + 1
        x, w, b = np.zeros((1, 1, 8, 8)), np.zeros((1, 1, 3, 3)), np.zeros(1)
        return float(wrong) + (layer.conv_window(x, w, b, {"stride": 2, "pad": 0}).out != (3, 3))

    return [
        Check("sizes as PyTorch's", sizes),
        Check("transposed sizes as PyTorch's", transposed),
        Check("parameters as PyTorch's", parameters),
        Check("windows", windows),
        Check("strict mode", strict),
    ]


# Planted changes that alter no number: they work on other pieces at a time, or on more zeros than are needed.
BLOCKED_HARMLESS = {
    "conv_backward_blocked: np.empty((1, *grid.shape[1:]), grid.dtype)"
    " -> np.empty((2, *grid.shape[1:]), grid.dtype)": "the second group is never used",
    "conv_backward_blocked: np.empty((1, *under_rows.shape[1:]), grid.dtype)"
    " -> np.empty((2, *under_rows.shape[1:]), grid.dtype)": "the second group is never used",
    "conv_backward_blocked: dtaps[0] -> dtaps[1]": "all taps have the same shape",
    "_columns: taps[0] -> taps[1]": "all taps have the same shape",
    "together: groups[0].stop if groups else 1 -> groups[0].stop if groups else 2": "there are no pictures",
    "_grid: return np.zeros((groups, stride, x.shape[1], height, -(-width // stride), pictures), x.dtype) -> return "
    "-np.zeros((groups, stride, x.shape[1], height, -(-width // stride), pictures), x.dtype)": "zeros",
    "_grid: return np.zeros((groups, stride, x.shape[1], height, -(-width // stride), pictures), x.dtype) -> return "
    "2.0 * np.zeros((groups, stride, x.shape[1], height, -(-width // stride), pictures), x.dtype)": "zeros",
    "_grid: -width // stride -> -width * stride": "more zeros at the end of each row, which no window reaches",
    "_memory: most + 16 -> most": "room that is not used; it keeps rows apart in the cache",
    "_memory: most + 16 -> most + 17": "room that is not used; it keeps rows apart in the cache",
    "_multiply: n == 1 -> n == 0": "the way of many pictures serves for one, with a copy more",
}
WINOGRAD_HARMLESS = {
    "conv_forward_winograd: groups_of(n, width) -> groups_of(n, n)": "other groups of pictures",
    "conv_forward_winograd: width * together -> width": "other strips of tiles",
    "conv_forward_winograd: width * together -> together": "other strips of tiles",
    "conv_backward_winograd: width * together -> width (2)": "other strips of tiles",
    "conv_backward_winograd: width * together -> together (2)": "other strips of tiles",
    "_lay_out: 4 * tiles + 2 -> 4 * tiles + 3": "a row of zeros that no tile reaches",
}
FAST_HARMLESS = {
    f"_backward_1x1: stride == (1, 1) -> stride == {other}": "the way of other strides serves for 1, with a copy more"
    for other in ("(2, 1)", "(0, 1)", "(1, 2)", "(1, 0)")
}

SUBJECTS: dict[str, Subject] = {
    "conv-size": Subject(size, size_cases),
    "conv-loops": Subject(loops, loops_cases),
    "im2col": Subject(im2col, im2col_cases),
    "conv-blocked": Subject(blocked, blocked_cases, harmless=BLOCKED_HARMLESS),
    "winograd": Subject(winograd, winograd_cases, harmless=WINOGRAD_HARMLESS),
    "conv-fast": Subject(fast, fast_cases, harmless=FAST_HARMLESS),
    "conv-fft": Subject(fft, fft_cases),
    "grouped": Subject(grouped, grouped_cases),
    "separable": Subject(separable, separable_cases),
    "dilated": Subject(dilated, dilated_cases),
    "conv-matrix": Subject(matrix, matrix_cases),
}
