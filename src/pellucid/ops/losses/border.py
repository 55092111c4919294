"""Pixels near the border of a class count more. Letters: N pictures of H x W pixels.

Ronneberger, Fischer and Brox, "U-Net", 2015 (https://arxiv.org/abs/1505.04597), equation 2: 1 + w0 exp(-(d1 + d2)^2 /
(2 sigma^2)), where d1 and d2 are the distances to the nearest and the second nearest cell. A class mask knows no cells:
here both are the distance d to the nearest pixel on a border, so that the exponent is -2 d^2 / sigma^2.
"""

import math

import torch
from torch import Tensor

from pellucid.ops.edges.class_border import class_border

W0, SIGMA = 10.0, 5.0  # as in the paper
REACH = 2.0  # sigmas, beyond which the extra weight, below w0 / 2,900, is left out


def border_weights(target: Tensor, *, ignore_index: int, w0: float = W0, sigma: float = SIGMA) -> Tensor:
    """1 + w0 exp(-2 d^2 / sigma^2), where d is the distance in pixels to the nearest pixel on a border, 0 on one.

    Borders are those of `pellucid.ops.edges.class_border`.

    Args:
        target: (N, H, W) int64, class of each pixel, or `ignore_index`.

    Returns:
        (N, H, W) float32 in [1, 1 + w0]; 0 where ignored.

    Raises:
        DataError: the target is not (N, H, W).
    """
    counted = target != ignore_index
    near = class_border(target, ignore_index).float()
    # exp of a sum of squares is a product, and products of what is not negative keep their order: one axis at a time
    for axis in (1, 2):
        furthest = min(math.floor(REACH * sigma), max(near.shape[axis] - 1, 0))
        here, near = near, near.clone()
        for step in range(1, furthest + 1):
            weaker = here * math.exp(-2 * (step / sigma) ** 2)
            rest = near.shape[axis] - step
            for to, origin in ((step, 0), (0, step)):
                reached = near.narrow(axis, to, rest)
                torch.maximum(reached, weaker.narrow(axis, origin, rest), out=reached)
    return (1 + w0 * near) * counted
