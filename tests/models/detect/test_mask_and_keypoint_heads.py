"""Targets and readings of outlines and keypoints, against the same written out for one cell at a time."""

import math

import pytest
import torch
from torch.nn import functional as F

from pellucid.models.detect.keypoint_head import KeypointPredictor, keypoint_cells, keypoint_loss, keypoints_from
from pellucid.models.detect.mask_head import MaskHead, MaskPredictor, mask_loss, mask_targets
from pellucid.ops.regions import roi_align


def random_boxes(n: int, height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    corners = torch.rand(n, 2, 2, generator=generator).sort(1).values * torch.tensor([width, height])
    return corners.flatten(1) + torch.tensor([0.0, 0.0, 0.5, 0.5])


def test_mask_targets_are_a_crop_that_is_resized() -> None:
    """Of boxes on whole pixels: cut the mask out and let torch resize it, bilinear, as at the middles of cells."""
    masks = torch.rand(2, 3, 40, 50, generator=torch.Generator().manual_seed(1)) > 0.5
    masks[:, :, :, 30:] = True
    for n, m, (x1, y1, x2, y2) in [(0, 1, (4, 6, 32, 34)), (1, 2, (0, 0, 50, 40)), (1, 0, (20, 10, 34, 17))]:
        box = torch.tensor([[x1, y1, x2, y2]]).float()
        got = mask_targets(masks, box, torch.tensor([n]), torch.tensor([m]), 28)[0]
        step_y, step_x = (y2 - y1) / 28, (x2 - x1) / 28
        for i, j in [(0, 0), (3, 20), (13, 14), (27, 27), (27, 0)]:
            y, x = y1 + (i + 0.5) * step_y - 0.5, x1 + (j + 0.5) * step_x - 0.5
            value = 0.0
            for row in (math.floor(y), math.floor(y) + 1):
                for column in (math.floor(x), math.floor(x) + 1):
                    pixel = masks[n, m, min(max(row, 0), 39), min(max(column, 0), 49)]
                    value += float(pixel) * (1 - abs(y - row)) * (1 - abs(x - column))
            assert got[i, j].item() == pytest.approx(value, abs=1e-5)
        if (x2 - x1, y2 - y1) == (28, 28):
            assert torch.equal(got, masks[n, m, y1:y2, x1:x2].float())


def test_mask_targets_are_roi_align_with_one_point_a_cell() -> None:
    masks = torch.rand(2, 3, 40, 50, generator=torch.Generator().manual_seed(1)) > 0.5
    boxes = random_boxes(12, 40, 50)
    n, m = torch.arange(12) % 2, torch.arange(12) % 3
    got = mask_targets(masks, boxes, n, m, 14)
    expected = roi_align(masks.flatten(0, 1)[:, None].float(), boxes, n * 3 + m, 14, 1.0, sampling_ratio=1)[:, 0]
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)
    assert mask_targets(masks, boxes[:0], n[:0], m[:0], 14).shape == (0, 14, 14)


def test_mask_loss_is_the_mean_of_each_picture() -> None:
    logits = torch.tensor([0.0, math.log(3.0), 0.0]).view(3, 1, 1).expand(3, 2, 2)
    targets = torch.tensor([1.0, 1.0, 0.0]).view(3, 1, 1).expand(3, 2, 2)
    loss = mask_loss(logits, targets, torch.tensor([0, 0, 2]), 3)
    assert loss.tolist() == pytest.approx([(math.log(2) + math.log(4 / 3)) / 2, 0, math.log(2)])


def test_shapes_of_the_heads() -> None:
    head, predictor = MaskHead(8, (6, 4)), MaskPredictor(4, 3)
    assert predictor(head(torch.zeros(5, 8, 14, 14))).shape == (5, 4, 28, 28)
    assert predictor(head(torch.zeros(0, 8, 14, 14))).shape == (0, 4, 28, 28)
    assert KeypointPredictor(4, 17)(torch.zeros(2, 4, 14, 14)).shape == (2, 17, 56, 56)


def test_a_keypoint_comes_back_from_its_cell() -> None:
    """Into cells of a heat map and back again: off by half a cell at most, and by the pixels of the enlarged map."""
    boxes = random_boxes(20, 90, 120)
    generator = torch.Generator().manual_seed(2)
    size = boxes[:, None, 2:] - boxes[:, None, :2]
    at = boxes[:, None, :2] + torch.rand(20, 5, 2, generator=generator) * size
    keypoints = torch.cat([at, torch.ones(20, 5, 1)], -1)
    cells, usable = keypoint_cells(keypoints, boxes, 56)
    assert usable.all()
    grid = torch.arange(56.0)
    y, x = (cells // 56)[..., None, None], (cells % 56)[..., None, None]
    logits = -((grid[:, None] - y).square() + (grid - x).square())  # a hill whose top is the cell
    found = keypoints_from(logits, boxes)
    allowed = size / 56 / 2 + 0.5 * size / size.ceil() + 1e-4
    assert ((found[..., :2] - at).abs() <= allowed).all()


def test_reading_equals_torch_enlarging_one_box_at_a_time() -> None:
    boxes = random_boxes(9, 90, 120)
    logits = torch.randn(9, 3, 56, 56, generator=torch.Generator().manual_seed(3))
    found = keypoints_from(logits, boxes)
    for r in range(9):
        width, height = (boxes[r, 2:] - boxes[r, :2]).clamp_min(1).tolist()
        columns, rows = math.ceil(width), math.ceil(height)
        large = F.interpolate(logits[r : r + 1], size=(rows, columns), mode="bicubic", align_corners=False)[0]
        score, place = large.flatten(1).max(1)
        x = (place % columns + 0.5) * width / columns + boxes[r, 0]
        y = (place // columns + 0.5) * height / rows + boxes[r, 1]
        torch.testing.assert_close(found[r], torch.stack([x, y, score], 1), atol=1e-3, rtol=1e-4)
    assert keypoints_from(logits[:0], boxes[:0]).shape == (0, 3, 3)
    with torch.autocast("cpu", torch.bfloat16):  # which would tell pixels from 256 on no longer apart
        assert torch.equal(keypoints_from(logits, boxes), found)


def test_points_outside_the_box_or_not_marked_teach_nothing() -> None:
    box = torch.tensor([[10.0, 10, 20, 30]])
    points = torch.tensor([[[10.0, 10, 2], [20, 30, 1], [15, 20, 0], [9.9, 20, 2], [15, 30.1, 2]]])
    cells, usable = keypoint_cells(points, box, 4)
    assert usable.tolist() == [[True, True, False, False, False]]  # the border belongs to the box
    assert cells.tolist() == [[0, 15, 0, 0, 0]]
    logits = torch.zeros(1, 5, 4, 4)
    logits[0, 1, 3, 3] = math.log(15)  # half of it
    loss = keypoint_loss(logits, cells, usable, torch.tensor([1]), 2)
    assert loss.tolist() == pytest.approx([0, (math.log(16) + math.log(2)) / 2])
