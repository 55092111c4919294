"""The bow that a lens gives to straight lines.

Brown, "Decentering distortion of lenses", Photogrammetric Engineering 32, 1966, the first radial term: what lies at
distance r from the middle of the distorted picture lay at r (1 + k r^2) in the straight one, r in units of half the
diagonal. With k above 0 straight lines bow outwards (barrel), below 0 inwards (pincushion). (OpenCV writes the same
polynomial the other way round, from straight to distorted, so that its barrel has a negative k.)
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.data.transforms.batch import Batch, draw
from pellucid.data.transforms.geometry.resample import resampled

LARGEST = 0.3  # below 1/3, where r (1 - k r^2) would turn back inside the picture
STEPS = 8  # of Newton's method: within 1e-6 of the root up to twice the radius of the corners


@dataclass(frozen=True)
class Radial:
    """Distort each picture by a k drawn evenly from [-k, k], about the middle of the canvas."""

    k: float = 0.1

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return distorted(batch, draw(len(batch["image"]), -self.k, self.k, generator))


def distorted(batch: Batch, k: Tensor) -> Batch:
    """Distort picture i by k[i]: (N,) from -0.3 to 0.3. 0 changes nothing."""
    height, width = batch["image"].shape[2:]
    middle = torch.tensor([width / 2, height / 2])
    unit = float(middle.norm())

    def back(u: Tensor, part: slice) -> Tensor:
        square = (u * (middle / unit).to(u)).square().sum(-1, keepdim=True)  # (H, W, 1): r^2
        return u * (1 + k[part].to(u).view(-1, 1, 1, 1) * square)

    def forward(xy: Tensor) -> Tensor:
        off = xy - middle.to(xy)  # (N, K, 2)
        before = (off / unit).norm(dim=-1)  # (N, K)
        after = undistorted_radius(before, k.to(xy)[:, None])
        return middle.to(xy) + off * torch.where(before > 0, after / before.clamp(min=1e-12), 1)[..., None]

    return resampled(batch, back, forward)


def undistorted_radius(radius: Tensor, k: Tensor) -> Tensor:
    """The r with r (1 + k r^2) = radius, by Newton's method; what no r leads to comes out beyond the corners."""
    furthest = torch.where(k < 0, (3 * -k.clamp(max=-1e-9)).rsqrt(), torch.inf)  # where the polynomial turns back
    r = radius.minimum(furthest * 0.99)
    for _ in range(STEPS):
        r = (r - (r * (1 + k * r.square()) - radius) / (1 + 3 * k * r.square())).clamp(min=0).minimum(furthest * 0.999)
    return r
