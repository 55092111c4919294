"""How much boxes overlap. Letters: A and B boxes, `...` any leading sides; boxes are corners, x2 and y2 exclusive.

Intersection over union and what adds a slope to it where boxes do not touch: generalised IoU (Rezatofighi et al.,
2019, https://arxiv.org/abs/1902.09630), distance IoU and complete IoU (Zheng et al., 2019,
https://arxiv.org/abs/1911.08287). Each comes in two kinds: of all pairs, (..., A, 4) and (..., B, 4) -> (..., A, B),
and `paired_`, (..., 4) and (..., 4) -> (...). A box of no area overlaps nothing: its IoU is 0, also with itself. Half
precision is computed in float32.
"""

import math

import torch
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops.boxes.convert import box_area

SMALLEST_SIDE = 1e-9  # of a box whose ratio of sides is asked for


def box_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """(..., A, B) in 0..1: intersection over union of all pairs."""
    return paired_iou(*_pairs(a_xyxy, b_xyxy))


def generalized_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """(..., A, B) in -1..1: IoU - (hull - union) / hull of all pairs; the hull is the least box around both."""
    return paired_generalized_iou(*_pairs(a_xyxy, b_xyxy))


def distance_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """(..., A, B) in -1..1: IoU - d^2 / c^2 of all pairs: d between the centres, c the hull's diagonal."""
    return paired_distance_iou(*_pairs(a_xyxy, b_xyxy))


def complete_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """(..., A, B): distance IoU - alpha v of all pairs, see `paired_complete_iou`."""
    return paired_complete_iou(*_pairs(a_xyxy, b_xyxy))


def crowd_iou(found_xyxy: Tensor, crowd_xyxy: Tensor) -> Tensor:
    """(..., A, B) in 0..1: intersection over the area of what was found, COCO's rule for crowds."""
    found, crowd = _pairs(found_xyxy, crowd_xyxy)
    return _share(_intersection(found, crowd), box_area(found))


def paired_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """(...) in 0..1: intersection over union of each a with its b."""
    a, b = _as_floats(a_xyxy, b_xyxy)
    both = _intersection(a, b)
    return _share(both, box_area(a) + box_area(b) - both)


def paired_generalized_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """(...) in -1..1: IoU - (hull - union) / hull of each a with its b; the hull is the least box around both."""
    a, b = _as_floats(a_xyxy, b_xyxy)
    both = _intersection(a, b)
    union = box_area(a) + box_area(b) - both
    hull = _hull(a, b).prod(-1)
    return _share(both, union) - _share(hull - union, hull)


def paired_distance_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """(...) in -1..1: IoU - d^2 / c^2 of each a with its b: d between the centres, c the hull's diagonal."""
    a, b = _as_floats(a_xyxy, b_xyxy)
    apart = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    return paired_iou(a, b) - _share(apart.square().sum(-1), _hull(a, b).square().sum(-1))


def paired_complete_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """(...): distance IoU - alpha v of each a with its b, v = (4 / pi^2) (atan(w_b / h_b) - atan(w_a / h_a))^2.

    alpha = v / (1 - IoU + v) is a weight: no gradient goes through it, as in the paper.
    """
    a, b = _as_floats(a_xyxy, b_xyxy)
    v = (4 / math.pi**2) * (_slope(b) - _slope(a)).square()
    with torch.no_grad():
        alpha = _share(v, 1 - paired_iou(a, b) + v)
    return paired_distance_iou(a, b) - alpha * v


def _pairs(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """(..., A, 1, 4) and (..., 1, B, 4), to be broadcast."""
    for boxes in (a, b):
        if boxes.dim() < 2 or boxes.shape[-1] != 4:
            raise DataError(f"Boxes must have shape (..., boxes, 4), got {tuple(boxes.shape)}.")
    return a.unsqueeze(-2), b.unsqueeze(-3)


def _as_floats(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both in one dtype, at least float32: areas have many digits."""
    if a.shape[-1:] != (4,) or b.shape[-1:] != (4,):
        raise DataError(f"Boxes must have shape (..., 4), got {tuple(a.shape)} and {tuple(b.shape)}.")
    dtype = torch.promote_types(torch.promote_types(a.dtype, b.dtype), torch.float32)
    return a.to(dtype), b.to(dtype)


def _intersection(a: Tensor, b: Tensor) -> Tensor:
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    width, height = (high - low).clamp_min(0).unbind(-1)
    return width * height


def _hull(a: Tensor, b: Tensor) -> Tensor:
    """(..., 2) width and height of the least box around both."""
    low, high = torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])
    return (high - low).clamp_min(0)


def _slope(boxes: Tensor) -> Tensor:
    """(...) angle of the diagonal: atan(width / height)."""
    width, height = (boxes[..., 2:] - boxes[..., :2]).clamp_min(SMALLEST_SIDE).unbind(-1)
    return torch.atan2(width, height)


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """The quotient; 0 with a gradient of 0 where the whole is nothing."""
    something = whole > 0
    return torch.where(something, part, 0) / torch.where(something, whole, 1)
