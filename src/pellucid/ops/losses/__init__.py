"""Losses, as pure functions of tensors."""

from pellucid.ops.losses.border import border_weights
from pellucid.ops.losses.boxes import complete_iou_loss, distance_iou_loss, generalized_iou_loss, smooth_l1
from pellucid.ops.losses.cross_entropy import cross_entropy, require_target, weight_of
from pellucid.ops.losses.dice import dice_loss
from pellucid.ops.losses.focal import focal_loss
from pellucid.ops.losses.lovasz import lovasz_softmax
from pellucid.ops.losses.sigmoid_focal import sigmoid_focal_loss

__all__ = [
    "border_weights",
    "complete_iou_loss",
    "cross_entropy",
    "dice_loss",
    "distance_iou_loss",
    "focal_loss",
    "generalized_iou_loss",
    "lovasz_softmax",
    "require_target",
    "sigmoid_focal_loss",
    "smooth_l1",
    "weight_of",
]
