"""Boxes as differences from other boxes. Letters: `...` any sides that can be broadcast.

Girshick et al., R-CNN, 2013 (https://arxiv.org/abs/1311.2524), appendix C: with centres x, y and sizes w, h,
d = ((x - x_a) / w_a, (y - y_a) / h_a, ln(w / w_a), ln(h / h_a)), each times a weight that brings it near variance 1.
"""

import math

import torch
from torch import Tensor

Weights = tuple[float, float, float, float]  # of x, y, w, h

LARGEST_GROWTH = math.log(1000 / 16)  # of ln(w / w_a): keeps exp from overflowing before anything is learned
SMALLEST_SIDE = 1e-6  # shorter sides count as this, so that no difference is infinite


def encode_boxes(boxes_xyxy: Tensor, anchors_xyxy: Tensor, weights: Weights = (1.0, 1.0, 1.0, 1.0)) -> Tensor:
    """(..., 4) differences of `boxes_xyxy` (..., 4) from `anchors_xyxy` (..., 4): x, y, ln w, ln h; always finite."""
    centre, size = _centre_and_size(boxes_xyxy)
    anchor_centre, anchor_size = _centre_and_size(anchors_xyxy)
    size, anchor_size = size.clamp_min(SMALLEST_SIDE), anchor_size.clamp_min(SMALLEST_SIDE)
    shift = (centre - anchor_centre) / anchor_size
    growth = (size / anchor_size).log()
    return torch.cat(torch.broadcast_tensors(shift, growth), -1) * shift.new_tensor(weights)


def decode_boxes(
    deltas: Tensor,
    anchors_xyxy: Tensor,
    weights: Weights = (1.0, 1.0, 1.0, 1.0),
    clip: float = LARGEST_GROWTH,
) -> Tensor:
    """(..., 4) corners: the inverse of `encode_boxes`.

    Args:
        deltas: (..., 4); of several classes a region (R, K, 4), with anchors (R, 1, 4).
        anchors_xyxy: (..., 4).
        weights: those of `encode_boxes`.
        clip: the largest ln(w / w_a); beyond it boxes grow no more and get no gradient.
    """
    deltas = deltas.to(torch.promote_types(deltas.dtype, torch.float32)) / deltas.new_tensor(weights)
    anchor_centre, anchor_size = _centre_and_size(anchors_xyxy)
    centre = deltas[..., :2] * anchor_size + anchor_centre
    half = deltas[..., 2:].clamp_max(clip).exp() * anchor_size / 2
    return torch.cat([centre - half, centre + half], -1)


def _centre_and_size(boxes_xyxy: Tensor) -> tuple[Tensor, Tensor]:
    boxes = boxes_xyxy.to(torch.promote_types(boxes_xyxy.dtype, torch.float32))
    size = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + size / 2, size
