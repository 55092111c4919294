"""Interpolation: exact where it must be, beside PyTorch over many sizes, and its messages."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.core.errors import DataError
from pellucid.scratch.interpolation.bilinear import interpolate_bilinear_backward, interpolate_bilinear_forward
from pellucid.scratch.interpolation.grid import resized_axes
from pellucid.scratch.interpolation.linear import interpolate_linear_backward, interpolate_linear_forward
from pellucid.scratch.interpolation.nearest import interpolate_nearest_backward, interpolate_nearest_forward
from pellucid.scratch.interpolation.trilinear import interpolate_trilinear_backward, interpolate_trilinear_forward

LINEAR = {
    1: (interpolate_linear_forward, interpolate_linear_backward),
    2: (interpolate_bilinear_forward, interpolate_bilinear_backward),
    3: (interpolate_trilinear_forward, interpolate_trilinear_backward),
}
MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}
SIZES = {1: [(9,), (4,), (1,)], 2: [(7, 9), (3, 11)], 3: [(7, 4, 5), (2, 9, 3)]}
OLD = (5, 4, 6)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def affine(places: list[np.ndarray]) -> np.ndarray:
    """2 + 3 t₁ - 1.5 t₂ + 0.25 t₃ on a grid of places, (1, 1, ...)."""
    slopes = (3.0, -1.5, 0.25)
    grids = np.meshgrid(*places, indexing="ij")
    return (2 + sum(slope * grid for slope, grid in zip(slopes, grids, strict=False)))[None, None]


@pytest.mark.parametrize("corners", [True, False], ids=["points", "areas"])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_affine_functions_come_out_exact(axes: int, corners: bool) -> None:
    old = OLD[:axes]
    x = affine([np.arange(n, dtype=np.float64) for n in old])
    for size in SIZES[axes]:
        out, _ = LINEAR[axes][0](x, size, align_corners=corners)
        places = [axis.sources(corners) for axis in resized_axes(x, axes, size, None)]
        # beyond the outermost pixels there is nothing to draw a line through, and the edge repeats
        wanted = affine([np.clip(t, 0, n - 1) for t, n in zip(places, old, strict=True)])
        assert np.allclose(out, wanted, atol=1e-13)


def test_worked_numbers_of_one_axis() -> None:
    x = np.array([[[0.0, 10.0, 30.0]]])
    points, _ = interpolate_linear_forward(x, 5, align_corners=True)
    areas, _ = interpolate_linear_forward(x, 6)
    assert points.tolist() == [[[0, 5, 10, 20, 30]]]
    assert areas.tolist() == [[[0, 2.5, 7.5, 15, 25, 30]]]


def test_the_last_line_of_the_bilinear_formula() -> None:
    q = np.array([[1.0, 5.0], [2.0, 10.0]])  # q[y, x]
    out, _ = interpolate_bilinear_forward(q[None, None], (5, 3), align_corners=True)
    w_x, w_y = 0.5, 0.25
    p1 = (1 - w_x) * q[0, 0] + w_x * q[0, 1]
    p2 = (1 - w_x) * q[1, 0] + w_x * q[1, 1]
    assert out[0, 0, 1, 1] == (1 - w_y) * p1 + w_y * p2 == 3.75


def test_products_of_the_coordinates_are_exact_too() -> None:
    y, x = np.arange(4.0), np.arange(3.0)
    out, _ = interpolate_bilinear_forward(np.outer(y, x)[None, None], (7, 9), align_corners=True)
    assert np.allclose(out[0, 0], np.outer(np.linspace(0, 3, 7), np.linspace(0, 2, 9)), atol=1e-14)


def test_eight_corners_of_a_cell(rng: np.random.Generator) -> None:
    corners = rng.standard_normal((2, 2, 2))
    out, _ = interpolate_trilinear_forward(corners[None, None], 3, align_corners=True)
    assert np.isclose(out[0, 0, 1, 1, 1], corners.mean(), atol=1e-15)
    assert np.allclose(out[0, 0, ::2, ::2, ::2], corners, atol=1e-15)


@pytest.mark.parametrize("corners", [True, False], ids=["points", "areas"])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_nothing_changes_at_the_same_size_and_constants_stay(
    axes: int, corners: bool, rng: np.random.Generator
) -> None:
    x = rng.standard_normal((2, 3, *OLD[:axes]))
    forward, _ = LINEAR[axes]
    assert np.allclose(forward(x, OLD[:axes], align_corners=corners)[0], x, atol=1e-15)
    constant = forward(np.full_like(x, 0.7), scale=2.3, align_corners=corners)[0]
    assert np.allclose(constant, 0.7, atol=1e-15)


@settings(max_examples=60, deadline=None)
@given(
    old=st.integers(1, 40),
    new=st.integers(1, 40),
    corners=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_pytorch_agrees_at_any_two_sizes(old: int, new: int, corners: bool, seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal((2, 1, old))
    out, cache = interpolate_linear_forward(x, new, align_corners=corners)
    tensor = torch.from_numpy(x).requires_grad_()
    twin = F.interpolate(tensor, new, mode="linear", align_corners=corners)
    assert np.allclose(out, twin.detach().numpy(), atol=1e-12)
    dout = np.random.default_rng(seed + 1).standard_normal(out.shape)
    (wanted,) = torch.autograd.grad(twin, tensor, torch.from_numpy(dout))
    assert np.allclose(interpolate_linear_backward(dout, cache), wanted.numpy(), atol=1e-12)


@pytest.mark.parametrize("exact", [False, True])
def test_nearest_places_are_whole_number_arithmetic(exact: bool) -> None:
    for old in range(1, 30):
        x = np.arange(old, dtype=np.float64)[None, None]
        for new in range(1, 30):
            out, _ = interpolate_nearest_forward(x, new, exact=exact)
            wanted = [(2 * o + 1) * old // (2 * new) if exact else o * old // new for o in range(new)]
            assert out[0, 0].tolist() == wanted


def test_the_gradient_of_nearest_counts_the_copies() -> None:
    x = np.zeros((1, 1, 2, 3))
    out, cache = interpolate_nearest_forward(x, (4, 9))
    assert interpolate_nearest_backward(np.ones_like(out), cache).tolist() == np.full(x.shape, 6.0).tolist()
    out, cache = interpolate_nearest_forward(x, (1, 2))  # most pixels are skipped
    assert interpolate_nearest_backward(np.ones_like(out), cache).tolist() == [[[[1, 1, 0], [0, 0, 0]]]]


def test_an_empty_batch_stays_empty() -> None:
    for axes, (forward, backward) in LINEAR.items():
        x = np.zeros((0, 2, *OLD[:axes]))
        out, cache = forward(x, 7)
        assert out.shape == (0, 2, *[7] * axes)
        assert backward(out, cache).shape == x.shape
    out, cache = interpolate_nearest_forward(np.zeros((0, 2, 3)), 7)
    assert interpolate_nearest_backward(out, cache).shape == (0, 2, 3)


def test_one_image_is_as_good_as_a_batch(rng: np.random.Generator) -> None:
    x = rng.standard_normal((3, 2, 5, 4))
    whole, _ = interpolate_bilinear_forward(x, (7, 3))
    alone = [interpolate_bilinear_forward(x[i : i + 1], (7, 3))[0] for i in range(3)]
    assert (whole == np.concatenate(alone)).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "interpolation: give either size or scale, got size None and scale None."),
        ({"size": 3, "scale": 2}, "interpolation: give either size or scale, got size 3 and scale 2."),
        ({"size": (3, 4, 5)}, "interpolation: size or scale must be one number or 2, got 3."),
        ({"size": (3, 0)}, "interpolation: size or scale must be above 0, got (3, 0)."),
        ({"scale": 0.2}, "interpolation: (4, 6) cannot become (0, 1), each must be 1 or more."),
    ],
)
def test_sizes_that_do_not_fit(settings: dict[str, Any], message: str) -> None:
    for forward in (interpolate_nearest_forward, interpolate_bilinear_forward):
        with pytest.raises(DataError) as raised:
            forward(np.zeros((1, 1, 4, 6)), **settings)
        assert str(raised.value) == message


def test_inputs_of_another_rank() -> None:
    for axes, wanted in ((1, "(N, C, d1)"), (2, "(N, C, d1, d2)"), (3, "(N, C, d1, d2, d3)")):
        with pytest.raises(DataError) as raised:
            LINEAR[axes][0](np.zeros((2, 3)), 4)
        assert str(raised.value) == f"interpolation: x must be {wanted} with pixels in it, got (2, 3)."
    with pytest.raises(DataError, match=r"^interpolation: x must be \(N, C, d1, \.\.\., dk\) with pixels"):
        interpolate_nearest_forward(np.zeros((2, 3, 0)), 4)
