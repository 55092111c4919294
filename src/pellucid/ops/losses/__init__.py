"""Losses, as pure functions of tensors."""

from pellucid.ops.losses.border import border_weights
from pellucid.ops.losses.cross_entropy import cross_entropy, require_target, weight_of
from pellucid.ops.losses.dice import dice_loss
from pellucid.ops.losses.focal import focal_loss
from pellucid.ops.losses.lovasz import lovasz_softmax

__all__ = [
    "border_weights",
    "cross_entropy",
    "dice_loss",
    "focal_loss",
    "lovasz_softmax",
    "require_target",
    "weight_of",
]
