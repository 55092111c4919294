"""Losses of boxes: differences of coordinates, and overlap. Letters: `...` any sides. None of them is averaged."""

import torch
from torch import Tensor

from pellucid.ops.boxes.iou import paired_complete_iou, paired_distance_iou, paired_generalized_iou


def smooth_l1(predicted: Tensor, target: Tensor, beta: float = 1.0) -> Tensor:
    """(...) d^2 / (2 beta) where |d| < beta, else |d| - beta / 2, of d = predicted - target; beta 0 is |d|.

    Girshick, Fast R-CNN, 2015 (https://arxiv.org/abs/1504.08083), equation 3, with the width of its bend.
    """
    d = (predicted.to(torch.promote_types(predicted.dtype, torch.float32)) - target).abs()
    if beta == 0:
        return d
    return torch.where(d < beta, d.square() / (2 * beta), d - beta / 2)


def generalized_iou_loss(predicted_xyxy: Tensor, target_xyxy: Tensor) -> Tensor:
    """(...) in 0..2: 1 - generalised IoU of boxes (..., 4) in pairs."""
    return 1 - paired_generalized_iou(predicted_xyxy, target_xyxy)


def distance_iou_loss(predicted_xyxy: Tensor, target_xyxy: Tensor) -> Tensor:
    """(...) in 0..2: 1 - distance IoU of boxes (..., 4) in pairs."""
    return 1 - paired_distance_iou(predicted_xyxy, target_xyxy)


def complete_iou_loss(predicted_xyxy: Tensor, target_xyxy: Tensor) -> Tensor:
    """(...) from 0 on: 1 - complete IoU of boxes (..., 4) in pairs."""
    return 1 - paired_complete_iou(predicted_xyxy, target_xyxy)
