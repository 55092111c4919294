"""Proofs of the fast convolutions, which cut their work into pieces: small layers beside the loops, larger ones too."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from pellucid.proof.case import Case, Check, Subject
from pellucid.proof.cases.convolution import LAYERS, Settings, Shapes, conv, twin
from pellucid.scratch.convolution import blocked, fast, winograd
from pellucid.scratch.convolution.size import Window


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
    (Window(kernel, stride, pad, dilation, (9, 9), (9, 9)), right)
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
    "conv-blocked": Subject(blocked, blocked_cases, harmless=BLOCKED_HARMLESS),
    "winograd": Subject(winograd, winograd_cases, harmless=WINOGRAD_HARMLESS),
    "conv-fast": Subject(fast, fast_cases, harmless=FAST_HARMLESS),
}
