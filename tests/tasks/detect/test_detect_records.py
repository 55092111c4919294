"""What is kept of each picture: boxes, outlines and points on the canvas become those of the file."""

import torch

from pellucid.tasks.detect.metrics import score, to_file
from pellucid.tasks.detect.outlines import mask_records

AFFINE = torch.tensor([[[2.0, 0, 5], [0, 3, 7]]])  # a pixel of the canvas is 2 wide and 3 high, and begins at 5, 7


def test_boxes_go_through_scale_and_offset_of_each_axis() -> None:
    assert to_file(torch.tensor([[[1.0, 2, 4, 6]]]), AFFINE).tolist() == [[[7, 13, 13, 25]]]


def test_overlap_and_area_of_outlines_by_hand() -> None:
    """Found: columns 0 to 4 of rows 0 to 4. True: columns 2 to 8 of rows 0 to 4, once as a thing, once as a crowd."""
    true = torch.zeros(1, 3, 10, 12, dtype=torch.bool)
    true[0, :2, 0:4, 2:8] = True
    outputs = {
        "found_boxes_xyxy": torch.tensor([[[0.0, 0, 4, 4], [0, 0, 0, 0]]]),
        "found_labels": torch.tensor([[0, -1]]),
        "found_masks": torch.ones(1, 2, 4, 4),
    }
    batch = {"instance_mask": true, "is_crowd": torch.tensor([[False, True, False]]), "canvas_affine": AFFINE}
    records = mask_records(outputs, batch)
    expected = torch.tensor([[[8 / (16 + 24 - 8), 8 / 16, 0], [0, 0, 0]]])
    torch.testing.assert_close(records["mask_iou"], expected)
    assert records["mask_area"].tolist() == [[16 * 2 * 3, 0]]


def test_a_record_of_a_picture_with_points() -> None:
    """The point is found 2 px to the right of where it is, which is 4 px of the file; empty places hold zeros."""
    points = torch.tensor([[[[3.0, 3, 2]], [[0, 0, 0]]]])
    batch = {
        "canvas_affine": AFFINE,
        "boxes_xyxy": torch.tensor([[[1.0, 1, 5, 5], [0, 0, 0, 0]]]),
        "box_label": torch.tensor([[1, -1]]),
        "is_crowd": torch.tensor([[False, False]]),
        "box_area": torch.tensor([[96.0, 0]]),
        "original_hw": torch.tensor([[40, 50]]),
        "index": torch.tensor([9]),
        "keypoints": points,
    }
    outputs = {
        "found_boxes_xyxy": torch.tensor([[[1.0, 1, 5, 5], [0, 0, 0, 0]]]),
        "found_scores": torch.tensor([[0.5, 0]]),
        "found_labels": torch.tensor([[1, -1]]),
        "found_keypoints": points[:, :, :, :] + torch.tensor([2.0, 0, 0]),
    }
    records = score(outputs, batch)
    assert records["boxes_xyxy"].tolist() == records["truth_xyxy"].tolist() == [[[7, 10, 15, 22], [0] * 4]]
    assert records["truth_points"].tolist() == [[1, 0]]
    sigma = 0.06  # of points that nobody measured
    similarity = torch.exp(torch.tensor(-(4.0**2) / (2 * 96 * (2 * sigma) ** 2), dtype=torch.float64))
    torch.testing.assert_close(records["keypoint_similarity"][0, 0, 0], similarity)
