"""Proofs of transposed convolution."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.case import Case, Check, Inputs, Layer, Subject
from pellucid.scratch.convolution import transposed


def _draw(x: tuple[int, ...], w: tuple[int, ...], **param: Any) -> Inputs:
    return lambda rng: (rng.standard_normal(x), rng.standard_normal(w), rng.standard_normal(w[1]), param)


def _twin(x: Any, w: Any, b: Any, conv_param: dict[str, Any]) -> Any:
    more = conv_param.get("output_padding", 0)
    return F.conv_transpose2d(x, w, b, conv_param["stride"], conv_param["pad"], more)


def transposed_cases(layer: Any) -> Sequence[Case]:
    """Linear in x and in w; beside PyTorch for kernels larger, equal and smaller than the stride."""

    def adjoint() -> float:
        """<conv(y), z> = <y, transposed(z)>, with PyTorch's convolution."""
        rng = np.random.default_rng(0)
        y, w, z = (
            rng.standard_normal((2, 3, 7, 9)),
            rng.standard_normal((2, 3, 3, 5)),
            rng.standard_normal((2, 2, 4, 4)),
        )
        there = F.conv2d(torch.from_numpy(y), torch.from_numpy(w), stride=2, padding=1).numpy()
        back, _ = layer.conv_transpose_forward(z, w, np.zeros(3), {"stride": 2, "pad": 1})
        return float(abs(np.sum(there * z) - np.sum(y * back)))

    def overlap() -> float:
        table = [
            ((3, 2), (2, 3), 2, 0, [1, 1, 1, 1, 1, 1], [1, 1, 2, 1, 1]),
            ((3, 4), (4, 3), 2, 1, [1, 2, 2, 2, 2, 1], [1, 2, 1, 2, 1, 2, 1]),
        ]
        return sum(
            float(not np.array_equal(layer.overlap_count(*arguments), np.multiply.outer(rows, columns)))
            for *arguments, rows, columns in table
        )

    def overlap_without_pad() -> float:
        return float(np.max(np.abs(layer.overlap_count((2, 1), (3, 1), 1) - np.array([[1], [2], [2], [1]]))))

    return [
        Layer(
            "conv_transpose",
            layer.conv_transpose_forward,
            layer.conv_transpose_backward,
            inputs={
                "stride 1": _draw((2, 2, 3, 4), (2, 3, 3, 2), stride=1, pad=1),
                "stride 2, output padding": _draw((1, 3, 3, 2), (3, 2, 3, 3), stride=2, pad=1, output_padding=1),
                "stride divides the kernel": _draw((2, 1, 2, 3), (1, 2, 4, 2), stride=2, pad=0),
                "kernel up to the stride": _draw((1, 2, 3, 2), (2, 1, 2, 3), stride=3, pad=0, output_padding=2),
                "another stride down than across": _draw(
                    (1, 2, 2, 3), (2, 1, 3, 4), stride=(3, 2), pad=(0, 2), output_padding=(1, 0)
                ),
                "output padding across alone": _draw(
                    (1, 1, 2, 2), (1, 2, 2, 3), stride=(2, 3), pad=0, output_padding=(0, 1)
                ),
                "kernel just above the stride": _draw((2, 2, 2, 1), (2, 2, 4, 5), stride=3, pad=2),
            },
            gradients=("x", "w", "b"),
            linear=("x", "w", "b"),
            twin=_twin,
            loops=(layer.conv_transpose_forward_naive, layer.conv_transpose_backward_naive),
        ),
        Check("adjoint of convolution", adjoint),
        Check("overlap", overlap),
        Check("overlap without padding", overlap_without_pad),
        Check("bilinear kernel", lambda: _tent(layer)),
    ]


def _tent(layer: Any) -> float:
    error = 0.0
    for k, wanted in ((4, [0.25, 0.75, 0.75, 0.25]), (3, [0.5, 1, 0.5]), (1, [1])):
        error += float(np.max(np.abs(layer.bilinear_kernel(k) - np.multiply.outer(wanted, wanted))))
    weights = layer.bilinear_weights(2, 4)
    wanted_weights = np.multiply.outer(np.eye(2), layer.bilinear_kernel(4))
    return error + float(np.max(np.abs(weights - wanted_weights)))


SUBJECTS: dict[str, Subject] = {
    "transposed-convolution": Subject(
        transposed,
        transposed_cases,
        harmless={
            **dict.fromkeys(
                [
                    "conv_transpose_forward: h + rows - 1 -> 1 - (h + rows) (2)",
                    "conv_transpose_forward: wide + columns - 1 -> 1 - (wide + columns) (2)",
                    "conv_transpose_backward: h + rows - 1 -> 1 - (h + rows) (2)",
                    "conv_transpose_backward: wide + columns - 1 -> 1 - (wide + columns) (2)",
                ],
                "any negative length in a reshape means: work it out",
            ),
            **dict.fromkeys(
                [
                    "_in_cells: -(w.shape[2] + more[0]) // down -> -(w.shape[2] + more[0]) * down",
                    "_in_cells: -(w.shape[3] + more[1]) // right -> -(w.shape[3] + more[1]) * right",
                ],
                "more zeros around the kernel: stamped onto a larger canvas, whose margin is cut off",
            ),
            "_in_cells: padded.reshape(c, f, rows, down, columns, right) -> "
            "padded.reshape(f, c, rows, down, columns, right)": "both stay side by side, and are cut anew at the end",
            **dict.fromkeys(
                [
                    "bilinear_kernel: 1 - np.abs(np.arange(k) - centre) / half -> "
                    "np.abs(np.arange(k) - centre) / half - 1",
                    "bilinear_kernel: np.arange(k) - centre -> centre - np.arange(k)",
                ],
                "a sign that is lost in the product of the tent with itself, or in the absolute value",
            ),
        },
    ),
}
