"""Proofs of unpooling, the way back from pooling."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.case import Case, Inputs, Layer, Subject
from pellucid.scratch.pooling import average_unpool, max_unpool


def _param(height: int, width: int, stride: int | tuple[int, int], **more: Any) -> dict[str, Any]:
    return {"pool_height": height, "pool_width": width, "stride": stride, **more}


def max_unpool_cases(layer: Any) -> Sequence[Case]:
    """With positions found by PyTorch's pooling, all apart; and with some shared, where values add up."""

    def found(rng: np.random.Generator) -> tuple[Any, ...]:
        before = torch.from_numpy(rng.standard_normal((2, 3, 6, 4)))
        _, positions = F.max_pool2d(before, 2, 2, return_indices=True)
        return rng.standard_normal((2, 3, 3, 2)), positions.numpy(), (6, 4)

    def shared(rng: np.random.Generator) -> tuple[Any, ...]:
        return rng.standard_normal((1, 2, 3, 4)), rng.integers(0, 15, (1, 2, 3, 4)), (3, 5)

    def twin(x: Any, positions: Any, size: tuple[int, int]) -> Any:
        flat = x.new_zeros(*x.shape[:2], size[0] * size[1])
        return flat.scatter_add(2, positions.flatten(2), x.flatten(2)).unflatten(2, size)

    def torch_unpool(x: Any, positions: Any, size: tuple[int, int]) -> Any:
        return F.max_unpool2d(x, positions, (2, 2), output_size=size)

    def nails_twin(x: Any, scale: int) -> Any:
        nail = x.new_zeros(1, 1, scale, scale)
        nail[..., 0, 0] = 1
        return torch.kron(x, nail)

    unpool = {"forward": layer.max_unpool_forward, "backward": layer.max_unpool_backward}
    return [
        Layer("max_unpool", **unpool, inputs={"found": found}, gradients=("x",), linear=("x",), twin=torch_unpool),
        Layer(
            "max_unpool, shared positions",
            **unpool,
            inputs={"shared": shared},
            gradients=("x",),
            linear=("x",),
            twin=twin,
        ),
        Layer(
            "bed_of_nails",
            layer.bed_of_nails_forward,
            layer.bed_of_nails_backward,
            inputs={
                "cells of 2": lambda rng: (rng.standard_normal((2, 3, 2, 4)), 2),
                "cells of 3": lambda rng: (rng.standard_normal((1, 2, 3, 1)), 3),
            },
            gradients=("x",),
            linear=("x",),
            twin=nails_twin,
        ),
    ]


def average_unpool_cases(layer: Any) -> Sequence[Case]:
    """The adjoint of PyTorch's average pooling, or that times the area of the window."""

    def draw(shape: tuple[int, ...], param: dict[str, Any], *more: Any) -> Inputs:
        return lambda rng: (rng.standard_normal(shape), param, *more)

    def twin(x: Any, param: dict[str, Any], size: tuple[int, int] | None = None, keep: str = "sum") -> Any:
        kernel, stride = (param["pool_height"], param["pool_width"]), param["stride"]
        area, pad = kernel[0] * kernel[1], param.get("pad", 0)
        stamp = torch.full((x.shape[1], 1, *kernel), 1.0 if keep == "mean" else 1.0 / area, dtype=x.dtype)
        pad = 0 if pad == "valid" else pad
        out = F.conv_transpose2d(x, stamp, None, stride, pad, 0, x.shape[1], param.get("dilation", 1))
        if size:
            out = F.pad(out, (0, size[1] - out.shape[3], 0, size[0] - out.shape[2]))
        return out

    return [
        Layer(
            "average_unpool",
            layer.average_unpool_forward,
            layer.average_unpool_backward,
            inputs={
                "2x2, stride 2": draw((2, 3, 2, 3), _param(2, 2, 2)),
                "2x2, a row left over": draw((1, 2, 2, 3), _param(2, 2, 2), (5, 6)),
                "3x2, overlapping": draw((2, 1, 3, 2), _param(3, 2, 1, count_include_pad=False)),
                "means kept": draw((2, 2, 2, 1), _param(2, 3, 2), None, "mean"),
                "padded, means kept": draw((1, 2, 3, 4), _param(3, 2, 2, pad=1), None, "mean"),
                "padded, sums kept": draw((1, 2, 3, 4), _param(3, 2, 1, pad=1, count_include_pad=False)),
                "dilated, means kept": draw((1, 2, 3, 2), _param(2, 3, (2, 1), pad=(0, 1), dilation=2), None, "mean"),
                "no padding, in words": draw((1, 1, 2, 3), _param(3, 2, 2, pad="valid")),
            },
            gradients=("x",),
            linear=("x",),
            twin=twin,
        )
    ]


SUBJECTS: dict[str, Subject] = {
    "max-unpooling": Subject(max_unpool, max_unpool_cases),
    "average-unpooling": Subject(average_unpool, average_unpool_cases),
}
