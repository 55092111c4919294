"""Forms of boxes and their coding: worked numbers, round trips, edges."""

import itertools
import math

import cv2
import numpy as np
import pytest
import torch

from pellucid.ops.boxes import convert
from pellucid.ops.boxes.coding import LARGEST_GROWTH, decode_boxes, encode_boxes

# one box in all forms: x from 2 to 8, y from 4 to 12
BOX = {"xyxy": [2.0, 4.0, 8.0, 12.0], "xywh": [2.0, 4.0, 6.0, 8.0], "cxcywh": [5.0, 8.0, 6.0, 8.0]}
pairs = pytest.mark.parametrize(("a", "b"), list(itertools.permutations(BOX, 2)))


def some_boxes(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    low = torch.rand(*shape, 2, generator=generator, dtype=dtype) * 50
    return torch.cat([low, low + 1 + torch.rand(*shape, 2, generator=generator, dtype=dtype) * 50], -1)


@pairs
def test_every_form_of_one_box(a: str, b: str) -> None:
    assert getattr(convert, f"{a}_to_{b}")(torch.tensor(BOX[a])).tolist() == BOX[b]


@pairs
def test_there_and_back_is_the_same_box(a: str, b: str) -> None:
    start = some_boxes(2, 5)
    start = start if a == "xyxy" else getattr(convert, f"xyxy_to_{a}")(start)
    there = getattr(convert, f"{a}_to_{b}")(start)
    torch.testing.assert_close(getattr(convert, f"{b}_to_{a}")(there), start, rtol=1e-12, atol=1e-12)


@pairs
def test_shares_of_a_picture_and_pixels_change_forms_alike(a: str, b: str) -> None:
    change = getattr(convert, f"{a}_to_{b}")
    boxes = some_boxes(3)
    boxes = boxes if a == "xyxy" else getattr(convert, f"xyxy_to_{a}")(boxes)
    shares = change(convert.normalise_boxes(boxes, (60, 80)))
    torch.testing.assert_close(convert.denormalise_boxes(shares, (60, 80)), change(boxes))


def test_a_share_of_the_width_is_not_one_of_the_height() -> None:
    box = torch.tensor([40.0, 30.0, 80.0, 60.0])
    assert convert.normalise_boxes(box, (60, 80)).tolist() == [0.5, 0.5, 1.0, 1.0]


def test_opencv_rectangles_are_corner_and_size() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[4:12, 2:8] = 1
    assert list(cv2.boundingRect(mask)) == BOX["xywh"]  # not the centre, as is sometimes said


def test_area_and_clipping() -> None:
    boxes = torch.tensor([[2.0, 4, 8, 12], [-5, -5, 5, 5], [8, 2, 3, 9], [30, 30, 40, 40], [1, 1, 1, 9]])
    assert convert.box_area(boxes).tolist() == [48, 100, 0, 100, 0]
    clipped = convert.clip_boxes(boxes, (10, 20))
    assert clipped.tolist() == [[2, 4, 8, 10], [0, 0, 5, 5], [8, 2, 3, 9], [20, 10, 20, 10], [1, 1, 1, 9]]
    assert convert.box_area(clipped).tolist() == [36, 25, 0, 0, 0]
    assert convert.clip_boxes(boxes[:0], (10, 20)).shape == (0, 4)


def test_coding_by_hand() -> None:
    anchor = torch.tensor([[0.0, 0, 10, 20]])
    box = torch.tensor([[3.0, 0, 13, 40]])
    # centres (5, 10) and (8, 20), sizes (10, 20) and (10, 40)
    expected = torch.tensor([[0.3, 0.5, 0.0, math.log(2)]])
    torch.testing.assert_close(encode_boxes(box, anchor), expected)
    weights = (10.0, 10.0, 5.0, 5.0)
    torch.testing.assert_close(encode_boxes(box, anchor, weights), expected * torch.tensor(weights))
    torch.testing.assert_close(decode_boxes(expected, anchor), box)
    assert encode_boxes(anchor, anchor).eq(0).all()


def test_coding_there_and_back() -> None:
    boxes, anchors = some_boxes(4, 6), some_boxes(6).flip(0)
    for weights in ((1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)):
        there = encode_boxes(boxes, anchors, weights)
        assert there.shape == (4, 6, 4)
        torch.testing.assert_close(decode_boxes(there, anchors, weights), boxes)


def test_coding_does_not_know_where_and_how_large_the_picture_is() -> None:
    boxes, anchors = some_boxes(6), some_boxes(6).flip(0)
    torch.testing.assert_close(encode_boxes(3 * boxes + 7, 3 * anchors + 7), encode_boxes(boxes, anchors))


def test_boxes_of_several_classes_come_from_one_anchor() -> None:
    anchors, deltas = some_boxes(5), torch.randn(5, 3, 4, dtype=torch.float64)
    decoded = decode_boxes(deltas, anchors[:, None])
    for k in range(3):
        torch.testing.assert_close(decoded[:, k], decode_boxes(deltas[:, k], anchors))


def test_growth_ends_and_nothing_is_infinite() -> None:
    anchor = torch.tensor([[0.0, 0, 16, 16]])
    decoded = decode_boxes(torch.tensor([[0.0, 0, 1e4, 1e4]]), anchor)
    torch.testing.assert_close(decoded, torch.tensor([[-492.0, -492, 508, 508]]))  # 1000 wide
    assert math.isclose(LARGEST_GROWTH, math.log(62.5))
    flat = torch.tensor([[3.0, 3, 3, 3]])
    assert encode_boxes(flat, anchor).isfinite().all() and encode_boxes(anchor, flat).isfinite().all()
    deltas = torch.tensor([[0.0, 0, 100, 1]], requires_grad=True)
    decode_boxes(deltas, anchor).square().sum().backward()
    assert deltas.grad is not None and deltas.grad.isfinite().all() and deltas.grad[0, 2] == 0


def test_gradients_of_coding() -> None:
    boxes, anchors = some_boxes(3).requires_grad_(), some_boxes(3).flip(0)
    assert torch.autograd.gradcheck(lambda b: encode_boxes(b, anchors), (boxes,))
    deltas = (torch.randn(3, 4, dtype=torch.float64) / 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda d: decode_boxes(d, anchors, (10.0, 10.0, 5.0, 5.0)), (deltas,))


def test_half_precision_is_computed_in_float32() -> None:
    anchors = some_boxes(4, dtype=torch.float32)
    deltas = torch.randn(4, 4).bfloat16()
    decoded = decode_boxes(deltas, anchors)
    assert decoded.dtype == torch.float32
    torch.testing.assert_close(decoded, decode_boxes(deltas.float(), anchors))
