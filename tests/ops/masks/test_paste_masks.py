"""Masks brought from small grids to pictures: by loops, closed forms, edges."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops.masks.paste import paste_masks


def by_definition(mask: list[list[float]], box: list[float], hw: tuple[int, int], threshold: float) -> list[list[bool]]:
    """Pixel by pixel."""
    S, (x1, y1, x2, y2) = len(mask), box
    result = []
    for row in range(hw[0]):
        line = []
        for column in range(hw[1]):
            y, x = row + 0.5, column + 0.5
            if not (x1 <= x < x2 and y1 <= y < y2):
                line.append(False)
                continue
            v = min(max((y - y1) / (y2 - y1) * S - 0.5, 0), S - 1)
            u = min(max((x - x1) / (x2 - x1) * S - 0.5, 0), S - 1)
            top, left = int(v), int(u)
            bottom, right = min(top + 1, S - 1), min(left + 1, S - 1)
            upper = mask[top][left] * (1 - u + left) + mask[top][right] * (u - left)
            lower = mask[bottom][left] * (1 - u + left) + mask[bottom][right] * (u - left)
            line.append(upper * (1 - v + top) + lower * (v - top) >= threshold)
        result.append(line)
    return result


@pytest.mark.parametrize("threshold", [0.5, 0.3])
@pytest.mark.parametrize("S", [1, 2, 7])
def test_is_the_definition(S: int, threshold: float) -> None:
    masks = torch.rand(7, S, S, generator=torch.Generator().manual_seed(S))
    boxes = [[2.0, 3, 17, 11], [-4.3, -2.2, 7.9, 30.1], [0.6, 0.2, 1.4, 0.9], [5, 5, 5, 9], [40, 2, 60, 9]]
    boxes += [[9, 9, 2, 2], [0, 0, 20, 14]]
    got = paste_masks(masks, torch.tensor(boxes), (14, 20), threshold)
    assert got.dtype == torch.bool
    expected = [by_definition(m, b, (14, 20), threshold) for m, b in zip(masks.tolist(), boxes, strict=True)]
    assert got.tolist() == expected


def test_a_full_mask_is_its_box_and_a_mask_of_pixels_is_itself() -> None:
    got = paste_masks(torch.ones(1, 4, 4), torch.tensor([[3.0, 2, 8, 6]]), (9, 12))[0]
    assert got[2:6, 3:8].all() and got.sum() == 20
    mask = (torch.rand(1, 6, 6, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    got = paste_masks(mask, torch.tensor([[3.0, 2, 9, 8]]), (9, 12))[0]
    assert torch.equal(got[2:8, 3:9], mask[0].bool()) and got.sum() == mask.sum()


def test_exactly_the_threshold_is_inside() -> None:
    assert paste_masks(torch.full((1, 2, 2), 0.5), torch.tensor([[1.0, 1, 3, 4]]), (5, 6)).sum() == 2 * 3


def test_agrees_with_resizing_where_corners_are_whole() -> None:
    mask = torch.rand(1, 5, 5, generator=torch.Generator().manual_seed(1))
    resized = F.interpolate(mask[None], (13, 9), mode="bilinear", align_corners=False)[0, 0]
    assert ((resized - 0.5).abs() > 1e-4).all()
    got = paste_masks(mask, torch.tensor([[2.0, 1, 11, 14]]), (20, 15))[0]
    assert torch.equal(got[1:14, 2:11], resized >= 0.5)


def test_half_a_disc_keeps_its_area() -> None:
    at = (torch.arange(28) + 0.5) / 28 - 0.5
    disc = ((at[:, None] ** 2 + at**2).sqrt() < 0.5).float()[None]
    got = paste_masks(disc, torch.tensor([[-50.0, 0, 50, 100]]), (100, 100))[0]  # its left half lies beside the picture
    assert math.isclose(int(got.sum()), math.pi * 50**2 / 2, rel_tol=0.02)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_no_masks_and_dtypes(dtype: torch.dtype) -> None:
    none: Tensor = paste_masks(torch.zeros(0, 28, 28), torch.zeros(0, 4), (6, 5))
    assert none.shape == (0, 6, 5) and none.dtype == torch.bool
    masks, boxes = torch.ones(2, 4, 4, dtype=dtype), torch.tensor([[1.0, 1, 3, 3], [0, 0, 5, 6]], dtype=dtype)
    assert paste_masks(masks, boxes, (6, 5)).sum((1, 2)).tolist() == [4, 30]


def test_shapes_are_named() -> None:
    with pytest.raises(DataError, match=r"masks \(D, S, S\) and boxes \(D, 4\), got \(2, 4, 4\) and \(3, 4\)"):
        paste_masks(torch.zeros(2, 4, 4), torch.zeros(3, 4), (5, 5))
