"""Proofs of convolution in all its forms: every way must be the loops, and PyTorch's layer."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.proof.case import Case, Check, Layer, Subject
from pellucid.scratch.convolution import (
    dilated,
    fft,
    grouped,
    im2col,
    loops,
    matrix,
    separable,
    size,
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


def depthwise_inputs(x: tuple[int, ...], kernel: tuple[int, int], settings: Settings) -> Draw:
    """Arguments (x, w, b, conv_param) with a kernel for each channel."""
    return lambda rng: (
        rng.standard_normal(x),
        rng.standard_normal((x[1], *kernel)),
        rng.standard_normal(x[1]),
        settings,
    )


def pointwise_inputs(x: tuple[int, ...], filters: int) -> Draw:
    """Arguments (x, w, b)."""
    return lambda rng: (rng.standard_normal(x), rng.standard_normal((filters, x[1])), rng.standard_normal(filters))


def separable_inputs(x: tuple[int, ...], kernel: tuple[int, int], filters: int, settings: Settings) -> Draw:
    """Arguments (x, w_depth, b_depth, w_point, b_point, conv_param)."""

    def arguments(rng: np.random.Generator) -> tuple[Any, ...]:
        inputs, w_depth, b_depth, _ = depthwise_inputs(x, kernel, settings)(rng)
        _, w_point, b_point = pointwise_inputs(x, filters)(rng)
        return inputs, w_depth, b_depth, w_point, b_point, settings

    return arguments


def depthwise_twin(x: Tensor, w: Tensor, b: Tensor, settings: Settings) -> Tensor:
    """PyTorch has it as a convolution in as many groups as channels."""
    return twin(x, w[:, None], b, {**settings, "groups": len(w)})


def separable_cases(layer: Any) -> Sequence[Case]:
    """Each half alone, both together, and what they cost."""

    def costs() -> float:
        """Against the sizes of PyTorch's own layers, and a use of each weight for each pixel."""
        found = layer.separable_costs(6, 10, (3, 5), (7, 4))
        weights = {
            "standard": torch.nn.Conv2d(6, 10, (3, 5)).weight.numel(),
            "depthwise": torch.nn.Conv2d(6, 6, (3, 5), groups=6).weight.numel(),
            "pointwise": torch.nn.Conv2d(6, 10, 1).weight.numel(),
        }
        weights["separable"] = weights["depthwise"] + weights["pointwise"]
        pairs = [(found[way], number) for way, number in weights.items()]
        wrong = sum(abs(cost.parameters - number) + abs(cost.macs - number * 7 * 4) for cost, number in pairs)
        return float(wrong) + (found.keys() != weights.keys())

    five = ("x", "w_depth", "b_depth", "w_point", "b_point")
    return [
        Layer(
            "depthwise",
            layer.depthwise_forward,
            layer.depthwise_backward,
            inputs={
                "3 x 2 kernel": depthwise_inputs((2, 3, 3, 4), (3, 2), {"stride": 1, "pad": 1}),
                "stride and dilation": depthwise_inputs((1, 2, 5, 4), (2, 3), {"stride": 2, "pad": 2, "dilation": 2}),
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
                "3 to 4 channels": pointwise_inputs((2, 3, 2, 3), 4),
                "3 to 2 channels, one picture": pointwise_inputs((1, 3, 3, 1), 2),
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
                "stride 1": separable_inputs((2, 2, 3, 4), (2, 3), 3, {"stride": 1, "pad": 1}),
                "stride 2": separable_inputs((1, 3, 4, 3), (3, 3), 2, {"stride": 2, "pad": 1}),
            },
            gradients=five,
            linear=five,
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


SUBJECTS: dict[str, Subject] = {
    "conv-size": Subject(size, size_cases),
    "conv-loops": Subject(loops, loops_cases),
    "im2col": Subject(im2col, im2col_cases),
    "conv-fft": Subject(fft, fft_cases),
    "grouped": Subject(grouped, grouped_cases),
    "separable": Subject(separable, separable_cases),
    "dilated": Subject(dilated, dilated_cases),
    "conv-matrix": Subject(matrix, matrix_cases),
}
