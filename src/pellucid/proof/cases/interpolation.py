"""Proofs of interpolation along one, two and three axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch.nn.functional as F

from pellucid.core.errors import DataError
from pellucid.proof.case import Case, Check, Inputs, Layer, Subject
from pellucid.scratch.interpolation import bilinear, grid, linear, nearest, trilinear


def _draw(shape: tuple[int, ...], *more: Any) -> Inputs:
    return lambda rng: (rng.standard_normal(shape), *more)


def _twin(mode: str) -> Any:
    def twin(x: Any, size: Any = None, scale: Any = None, align_corners: bool = False) -> Any:
        return F.interpolate(x, size, scale, mode, align_corners)

    return twin


def grid_cases(layer: Any) -> Sequence[Case]:
    """Places worked out by hand."""

    def axes() -> float:
        x = np.zeros((2, 3, 4, 6))
        table: list[Any] = [
            ((None, (8, 3), None), [(4, 8, 4, 8), (6, 3, 6, 3)]),
            ((2, 5, None), [(4, 5, 4, 5), (6, 5, 6, 5)]),
            ((None, None, 2), [(4, 8, 1, 2), (6, 12, 1, 2)]),
            ((2, None, [1.5, 0.4]), [(4, 6, 1, 1.5), (6, 2, 1, 0.4)]),  # 6 · 0.4 = 2.4 pixels: 2, in steps of 2.5
            ((None, 1, None), [(4, 1, 4, 1), (6, 1, 6, 1)]),
        ]
        error = 0.0
        for arguments, wanted in table:
            found = layer.resized_axes(x, *arguments)
            error += max(
                abs(np.subtract((a.old, a.new, a.length, a.parts), b)).max() for a, b in zip(found, wanted, strict=True)
            )
        return error

    def places() -> float:
        table = [
            ((4, 8, 4, 8), False, [-0.25, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.25]),
            ((6, 2, 1, 0.4), False, [0.75, 3.25]),
            ((4, 7, 4, 7), True, [0, 0.5, 1, 1.5, 2, 2.5, 3]),
            ((5, 3, 5, 3), True, [0, 2, 4]),
            ((3, 2, 3, 2), True, [0, 2]),
            ((3, 1, 3, 1), True, [0]),
        ]
        return sum(
            float(np.max(np.abs(layer.Resized(*axis).sources(corners) - wanted))) for axis, corners, wanted in table
        )

    def refused() -> float:
        error = 0.0
        for size, scale in ((None, None), (3, 2)):
            try:
                layer.resized_axes(np.zeros((1, 1, 4)), 1, size, scale)
                error += 1
            except DataError:
                pass
        return error

    return [
        Check("old and new axes", axes),
        Check("places of new pixels", places),
        Check("not just one of size and scale", refused),
    ]


def nearest_cases(layer: Any) -> Sequence[Case]:
    """Both of PyTorch's modes."""

    def twin(x: Any, size: Any = None, scale: Any = None, exact: bool = False) -> Any:
        return F.interpolate(x, size, scale, "nearest-exact" if exact else "nearest")

    return [
        Layer(
            "interpolate_nearest",
            layer.interpolate_nearest_forward,
            layer.interpolate_nearest_backward,
            inputs={
                "twice as large": _draw((2, 3, 2, 3), None, 2),
                "larger, uneven": _draw((1, 2, 3, 4), (5, 7)),
                "smaller": _draw((2, 1, 7, 5), (3, 4)),
                "larger, exact": _draw((1, 2, 3, 4), (5, 6), None, True),
                "smaller, exact": _draw((2, 1, 7, 5), None, [0.5, 0.7], True),
                "signal": _draw((2, 2, 5), 8),
                "volume": _draw((1, 2, 2, 3, 2), (3, 2, 4)),
            },
            gradients=("x",),
            linear=("x",),
            twin=twin,
        )
    ]


def _settings(axes: int) -> dict[str, Inputs]:
    """Larger and smaller, by size and by scale, areas and points."""
    shape, new = (2, 3, 4, 3, 2)[: 2 + axes], (7, 2, 3)[:axes]
    scale = [1.7, 2.0, 0.6][:axes]
    return {
        "areas, by size": _draw(shape, new),
        "areas, by scale": _draw((1, 2, 3, 2, 4)[: 2 + axes], None, scale),
        "points, by size": _draw(shape, new, None, True),
        "points, by scale": _draw((1, 2, 3, 2, 4)[: 2 + axes], None, scale, True),
        "one pixel becomes several": _draw((2, 1, *[1] * axes), 3),
        "several become one, points": _draw((2, 1, *[3] * axes), 1, None, True),
        "several become one, areas": _draw((1, 2, *[4] * axes), 1),
    }


def linear_cases(layer: Any) -> Sequence[Case]:
    """One axis, beside PyTorch, and the machinery of several."""
    return [
        Layer(
            "interpolate_linear",
            layer.interpolate_linear_forward,
            layer.interpolate_linear_backward,
            inputs=_settings(1),
            gradients=("x",),
            linear=("x",),
            twin=_twin("linear"),
        ),
        Layer(  # what bilinear and trilinear interpolation are made of
            "weigh",
            lambda x: (layer.weigh(x, _weights(layer)), None),
            lambda dout, cache: layer.weigh_back(dout, _weights(layer)),
            inputs={"two axes": _draw((2, 3, 4, 3))},
            gradients=("x",),
            linear=("x",),
            twin=lambda x: F.interpolate(x, (7, 2), mode="bilinear", align_corners=False),
        ),
    ]


def _weights(layer: Any) -> Any:
    return [layer.Weights(axis, False) for axis in (grid.Resized(4, 7, 4, 7), grid.Resized(3, 2, 3, 2))]


def bilinear_cases(layer: Any) -> Sequence[Case]:
    """Beside PyTorch, with pixels as areas and as points."""
    return [
        Layer(
            "interpolate_bilinear",
            layer.interpolate_bilinear_forward,
            layer.interpolate_bilinear_backward,
            inputs=_settings(2),
            gradients=("x",),
            linear=("x",),
            twin=_twin("bilinear"),
            loops=(layer.interpolate_bilinear_forward_naive, layer.interpolate_bilinear_backward_naive),
        )
    ]


def trilinear_cases(layer: Any) -> Sequence[Case]:
    """Beside PyTorch, with voxels as boxes and as points."""
    return [
        Layer(
            "interpolate_trilinear",
            layer.interpolate_trilinear_forward,
            layer.interpolate_trilinear_backward,
            inputs=_settings(3),
            gradients=("x",),
            linear=("x",),
            twin=_twin("trilinear"),
            loops=(layer.interpolate_trilinear_forward_naive, layer.interpolate_trilinear_backward_naive),
        )
    ]


SUBJECTS: dict[str, Subject] = {
    "sampling-grid": Subject(grid, grid_cases),
    "nearest-interpolation": Subject(nearest, nearest_cases),
    "linear-interpolation": Subject(linear, linear_cases),
    "bilinear-interpolation": Subject(bilinear, bilinear_cases),
    "trilinear-interpolation": Subject(trilinear, trilinear_cases),
}
