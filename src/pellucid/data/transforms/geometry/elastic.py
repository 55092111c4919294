"""Soft deformation: every pixel moves a little, neighbours nearly alike.

After Simard, Steinkraus, Platt, "Best practices for convolutional neural networks", ICDAR 2003, section 2, with random
moves of a coarse lattice, smoothly interpolated, in place of smoothed white noise.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.data.transforms.batch import Batch, draw
from pellucid.data.transforms.geometry.resample import resampled

LATTICE = 5  # points of the lattice along a side
LARGEST = 0.05  # of `amount`; further apart neighbours could change places
STEPS = 40  # of the fixed-point iteration for the way forward; each shrinks the error to 0.8 or less


@dataclass(frozen=True)
class Elastic:
    """Move each point of a 5x5 lattice over the picture by up to `amount` of its sides, in x and in y, and what lies
    between along with it.
    """

    amount: float = 0.03

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        n = len(batch["image"])
        drawn = draw(n * 2 * LATTICE**2, -1, 1, generator).view(n, 2, LATTICE, LATTICE)
        return deformed(batch, drawn * self.amount)


def deformed(batch: Batch, lattice: Tensor) -> Batch:
    """Move by (N, 2, L, L) float32: shares of width and height at the lattice's points; 0 changes nothing."""
    height, width = batch["image"].shape[2:]
    down, across = _weights(lattice.shape[2], height), _weights(lattice.shape[3], width)

    def moves(rows: slice, like: Tensor) -> Tensor:
        """(k, 2, H, W): how far, where the canvas runs from -1 to 1."""
        return 2 * (down.to(like) @ lattice[rows].to(like) @ across.to(like).T)

    def back(u: Tensor, part: slice) -> Tensor:
        return u + moves(part, u).permute(0, 2, 3, 1)

    def forward(xy: Tensor) -> Tensor:
        field, half = moves(slice(None), xy), xy.new_tensor([width / 2, height / 2])
        old = xy / half - 1
        new = old
        for _ in range(STEPS):  # new + move(new) = old
            move = F.grid_sample(field, new[:, :, None], mode="bilinear", padding_mode="border", align_corners=False)
            new = old - move[..., 0].transpose(1, 2)
        return (new + 1) * half

    return resampled(batch, back, forward)


def _weights(points: int, pixels: int) -> Tensor:
    """(pixels, points) float32: what each point of a line weighs at each pixel, by cubic interpolation."""
    line = torch.eye(points)[None, None]
    return F.interpolate(line, (pixels, points), mode="bicubic", align_corners=True)[0, 0]
