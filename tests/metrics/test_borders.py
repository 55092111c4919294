"""Outlines against a 3x3 picture counted by hand, distance transforms of SciPy, and what must not matter."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from pellucid.core.errors import ConfigError, DataError
from pellucid.metrics.borders import (
    BAND,
    border_errors,
    boundary_counts,
    boundary_f1,
    mean_boundary_f1,
    trimap_accuracy,
    usual_tolerance,
)
from pellucid.ops.edges.class_border import class_border

MASK = torch.tensor([[[0, 0, 0], [1, 1, 1], [1, 1, 1]]])
CALLED = torch.tensor([[[0, 0, 0], [0, 0, 0], [1, 1, 1]]])  # the border one row too low


def test_three_by_three_by_hand() -> None:
    """True outlines: row 0 of class 0, row 1 of class 1. Predicted ones: row 1 of class 0, row 2 of class 1."""
    exact = boundary_counts(CALLED, MASK, 2, tolerance=0)
    assert exact.dtype == torch.int64 and exact.tolist() == [[[3, 0, 3, 0], [3, 0, 3, 0]]]
    assert boundary_f1(exact).tolist() == [0, 0]
    near = boundary_counts(CALLED, MASK, 2, tolerance=1)
    assert near.tolist() == [[[3, 3, 3, 3], [3, 3, 3, 3]]]
    assert mean_boundary_f1(near) == 1


def test_precision_and_recall_by_hand() -> None:
    """A thing of one pixel, found, and a second one where nothing is: of class 1 half of what is predicted is right."""
    mask, called = torch.zeros(1, 5, 9, dtype=torch.int64), torch.zeros(1, 5, 9, dtype=torch.int64)
    mask[0, 2, 1] = called[0, 2, 1] = called[0, 2, 7] = 1
    counts = boundary_counts(called, mask, 3, tolerance=1)
    assert counts.tolist() == [[[4, 4, 8, 4], [1, 1, 2, 1], [0, 0, 0, 0]]]
    f1 = boundary_f1(counts)
    assert f1[:2].tolist() == pytest.approx([2 / 3, 2 / 3]) and math.isnan(f1[2])
    assert mean_boundary_f1(counts) == pytest.approx(2 / 3)


def test_f1_is_a_mean_over_the_pictures_that_have_the_class() -> None:
    counts = torch.tensor([[[4, 2, 4, 2]], [[0, 0, 0, 0]], [[4, 4, 4, 4]], [[5, 0, 0, 0]], [[0, 0, 5, 0]]])
    assert boundary_f1(counts).item() == pytest.approx((1 / 2 + 1 + 0 + 0) / 4)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 3),
    height=st.integers(1, 12),
    width=st.integers(1, 9),
    tolerance=st.sampled_from([0.0, 1.0, 1.4, 1.5, 2.3, 4.0]),
    ignore=st.sampled_from([255, 3]),
)
def test_equals_distances_of_scipy(seed: int, n: int, height: int, width: int, tolerance: float, ignore: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    k = 3
    masks, called = (torch.randint(0, k, (n, -(-height // 2), -(-width // 2)), generator=generator) for _ in range(2))
    masks, called = (
        each.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, :height, :width].clone() for each in (masks, called)
    )
    masks[torch.rand(masks.shape, generator=generator) < 0.1] = ignore
    counts = boundary_counts(called, masks, k, ignore, tolerance)
    errors = border_errors(called, masks, ignore)
    hidden = called.masked_fill(masks == ignore, ignore)
    true_border, called_border = class_border(masks, ignore).numpy(), class_border(hidden, ignore).numpy()
    for row in range(n):
        for c in range(k):
            one = true_border[row] & (masks[row] == c).numpy()
            two = called_border[row] & (hidden[row] == c).numpy()
            expected = [one.sum(), (one & near(two, tolerance)).sum(), two.sum(), (two & near(one, tolerance)).sum()]
            assert counts[row, c].tolist() == expected
        counted = (masks[row] != ignore).numpy()
        band = near(true_border[row], BAND)
        wrong = (called[row] != masks[row]).numpy()
        rows = [[(counted & side).sum(), (counted & side & wrong).sum()] for side in (band, ~band)]
        assert errors[row].tolist() == rows


def near(border: np.ndarray, distance: float) -> np.ndarray:
    if not border.any():
        return np.zeros_like(border)
    return ndimage.distance_transform_edt(~border) <= distance


def test_more_classes_than_bytes_hold() -> None:
    few, many = (boundary_counts(CALLED, MASK, k, tolerance=1) for k in (2, 300))
    assert torch.equal(many[:, :2], few) and not many[:, 2:].any()
    top = torch.where(MASK == 1, 253, 252), torch.where(CALLED == 1, 253, 252)
    assert torch.equal(boundary_counts(top[1], top[0], 254, tolerance=1)[:, 252:], few)


def test_ignored_pixels_do_not_matter_whatever_is_predicted_there() -> None:
    generator = torch.Generator().manual_seed(0)
    masks = torch.randint(0, 3, (2, 7, 8), generator=generator)
    masks[torch.rand(masks.shape, generator=generator) < 0.3] = 255
    called = torch.randint(0, 3, masks.shape, generator=generator)
    other = torch.where(masks == 255, torch.randint(0, 3, masks.shape, generator=generator), called)
    assert torch.equal(boundary_counts(called, masks, 3), boundary_counts(other, masks, 3))
    assert torch.equal(border_errors(called, masks), border_errors(other, masks))


def test_where_every_outline_is_ignored_nothing_is_measured() -> None:
    mask = torch.zeros(1, 9, 9, dtype=torch.int64)
    mask[0, 2:7, 2:7] = 255
    mask[0, 3:6, 3:6] = 1
    counts = boundary_counts(mask.where(mask != 255, 0), mask, 2)
    assert not counts.any() and math.isnan(mean_boundary_f1(counts))
    assert math.isnan(trimap_accuracy(border_errors(mask, mask)))


@pytest.mark.parametrize("turn", [lambda x: x.flip(1), lambda x: x.flip(2), lambda x: x.transpose(1, 2)])
def test_mirrored_pictures_have_the_same_counts(turn: object) -> None:
    generator = torch.Generator().manual_seed(0)
    masks, called = (torch.randint(0, 3, (2, 9, 9), generator=generator) for _ in range(2))
    for function in (lambda a, b: boundary_counts(a, b, 3), border_errors):
        assert torch.equal(function(turn(called), turn(masks)), function(called, masks))  # type: ignore[operator]


def test_the_usual_tolerance() -> None:
    assert usual_tolerance(480, 640) == 6.0  # 0.75 % of 800
    assert usual_tolerance(64, 64) == 1.0
    counts = boundary_counts(CALLED, MASK, 2)
    assert torch.equal(counts, boundary_counts(CALLED, MASK, 2, tolerance=1.0))


def test_trimap_by_hand() -> None:
    errors = border_errors(CALLED, MASK)
    assert errors.tolist() == [[[9, 3], [0, 0]]]
    assert trimap_accuracy(errors) == pytest.approx(6 / 9)


@pytest.mark.parametrize("shape", [(0, 4, 4), (2, 1, 1), (1, 1, 6)], ids=str)
def test_pictures_without_borders(shape: tuple[int, ...]) -> None:
    zeros = torch.zeros(shape, dtype=torch.int64)
    assert not boundary_counts(zeros, zeros, 2).any()
    assert math.isnan(mean_boundary_f1(boundary_counts(zeros, zeros, 2)))
    assert border_errors(zeros, zeros).sum().item() == zeros.numel()


def test_wrong_input_is_refused_in_one_line() -> None:
    with pytest.raises(DataError, match=r"^predictions must have shape"):
        boundary_counts(CALLED[:, :2], MASK, 2)
    with pytest.raises(DataError, match=r"^predictions must have shape"):
        border_errors(CALLED[:, :2], MASK)
    with pytest.raises(ConfigError, match=r"^tolerance must be 0 or positive, got -1"):
        boundary_counts(CALLED, MASK, 2, tolerance=-1)
    with pytest.raises(DataError, match=r"^counts must have shape"):
        boundary_f1(torch.zeros(2, 3))
