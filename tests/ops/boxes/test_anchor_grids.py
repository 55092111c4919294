"""Anchors and default boxes: published numbers, where they lie, what the papers say."""

import math

import pytest
import torch

from pellucid.core.errors import DataError
from pellucid.ops.boxes.anchors import anchor_grid, default_boxes, default_scales


def test_the_first_place_has_the_published_anchors() -> None:
    got = anchor_grid([32], [0.5, 1.0, 2.0], 4, (1, 1))
    assert got.tolist() == [[-23, -11, 23, 11], [-16, -16, 16, 16], [-11, -23, 11, 23]]
    # nine of stride 16, sizes 128, 256 and 512, as all sizes of the first ratio first
    got = anchor_grid([128, 256, 512], [0.5, 1.0, 2.0], 16, (1, 1))
    assert got[:3].tolist() == [[-91, -45, 91, 45], [-181, -91, 181, 91], [-362, -181, 362, 181]]
    assert got[3].tolist() == [-64, -64, 64, 64] and got[8].tolist() == [-181, -362, 181, 362]


def test_half_sides_are_rounded_to_even() -> None:
    assert anchor_grid([5], [1.0], 1, (1, 1)).tolist() == [[-2, -2, 2, 2]]
    assert anchor_grid([7], [1.0], 1, (1, 1)).tolist() == [[-4, -4, 4, 4]]
    assert anchor_grid([5], [1.0], 1, (1, 1), rounded=False).tolist() == [[-2.5, -2.5, 2.5, 2.5]]


def test_rows_then_columns_then_the_boxes_of_a_place() -> None:
    got = anchor_grid([8, 16], [1.0], (10, 20), (2, 3)).view(2, 3, 2, 4)
    for y in range(2):
        for x in range(3):
            for k, half in enumerate((4, 8)):
                assert got[y, x, k].tolist() == [20 * x - half, 10 * y - half, 20 * x + half, 10 * y + half]
    middle = anchor_grid([8], [1.0], 16, (1, 2), offset=0.5)
    assert middle.tolist() == [[4, 4, 12, 12], [20, 4, 28, 12]]


def test_area_and_ratio() -> None:
    for ratio in (0.25, 1.0, 3.0):
        (x1, y1, x2, y2) = anchor_grid([50.0], [ratio], 8, (1, 1), rounded=False)[0].tolist()
        assert math.isclose((x2 - x1) * (y2 - y1), 2500, rel_tol=1e-5)
        assert math.isclose((y2 - y1) / (x2 - x1), ratio, rel_tol=1e-5)


def test_empty_grid() -> None:
    assert anchor_grid([8], [1.0], 4, (0, 3)).shape == (0, 4)


def test_ssd300_has_8732_boxes_of_the_scales_of_the_paper() -> None:
    ratios = [[2.0], [2, 3], [2, 3], [2, 3], [2], [2]]
    sides = [38, 19, 10, 5, 3, 1]
    got = default_boxes(ratios, [(s, s) for s in sides], (300, 300))
    assert got.shape == (8732, 4)
    first = got[0].tolist()  # of scale 0.15, 45 pixels, around the middle of the first place
    centre = 300 / 38 / 2
    assert first == pytest.approx([centre - 22.5, centre - 22.5, centre + 22.5, centre + 22.5], abs=1e-4)
    assert default_scales(6) == pytest.approx([0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0])
    assert default_scales(1) == [0.15, 0.9]


def test_one_place_of_fifteen_pixels() -> None:
    got = default_boxes([[2.0]], [(1, 1)], (15, 15))
    small, between = 15 * 0.15 / 2, 15 * math.sqrt(0.15 * 0.9) / 2
    long, short = small * math.sqrt(2), small / math.sqrt(2)
    expected = [[small, small], [between, between], [long, short], [short, long]]
    low = torch.tensor([[7.5 - w, 7.5 - h] for w, h in expected])
    torch.testing.assert_close(got, torch.cat([low, 15 - low], 1), rtol=1e-5, atol=1e-5)


def test_steps_place_boxes_where_maps_are_smaller_than_pictures_suggest() -> None:
    got = default_boxes([[]], [(2, 3)], (100, 200), scales=[0.1, 0.1], steps=[32])
    centres = ((got[:, :2] + got[:, 2:]) / 2).view(2, 3, 2, 2)[:, :, 0]
    torch.testing.assert_close(centres[1, 2], torch.tensor([80.0, 48.0]))
    sizes = got[0, 2:] - got[0, :2]
    torch.testing.assert_close(sizes, torch.tensor([20.0, 10.0]))  # of the sides of a picture that is no square


def test_sides_longer_than_the_picture_are_cut() -> None:
    arguments = ([[4.0]], [(1, 1)], (10, 10))
    cut = default_boxes(*arguments, scales=[0.9, 1.0])
    assert cut[2].tolist() == pytest.approx([0, 2.75, 10, 7.25])
    whole = default_boxes(*arguments, scales=[0.9, 1.0], clip=False)
    assert whole[2].tolist() == pytest.approx([-4, 2.75, 14, 7.25], abs=1e-5)


def test_numbers_that_do_not_fit_are_named() -> None:
    with pytest.raises(DataError, match="got 1 ratios, 2 grids, 2 scales, no steps"):
        default_boxes([[2.0]], [(1, 1), (2, 2)], (10, 10))
    with pytest.raises(DataError, match="got 1 ratios, 1 grids, 2 scales, 2 steps"):
        default_boxes([[2.0]], [(1, 1)], (10, 10), steps=[1, 2])
