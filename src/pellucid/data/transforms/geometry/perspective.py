"""A flat picture that is tilted away from the eye.

In coordinates u from -1 to 1 across the canvas a tilt t takes old points u to v = u / (1 + t . u): what lies in the
direction of t goes away and shrinks. The inverse is u = v / (1 - t . v). Straight lines stay straight.
"""

import torch
from torch import Tensor

from pellucid.data.transforms.batch import Batch
from pellucid.data.transforms.geometry.resample import resampled

LARGEST = 0.6  # of |t|: below 1/sqrt(2), where a corner would go to infinity


def tilted(batch: Batch, tilt: Tensor) -> Batch:
    """Tilt picture i by tilt[i]: (N, 2) float32, x and y, no longer than 0.6. 0 changes nothing."""
    height, width = batch["image"].shape[2:]
    half = torch.tensor([width / 2, height / 2])

    def back(v: Tensor, part: slice) -> Tensor:
        along = (v * tilt[part].to(v)[:, None, None]).sum(-1, keepdim=True)  # (k, H, W, 1)
        return v / (1 - along)

    def forward(xy: Tensor) -> Tensor:
        u = xy / half.to(xy) - 1  # (N, K, 2)
        along = (u * tilt.to(xy)[:, None]).sum(-1, keepdim=True)
        return (u / (1 + along) + 1) * half.to(xy)

    return resampled(batch, back, forward)
