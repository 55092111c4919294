"""Smooth pictures with a Gaussian."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.data.transforms.batch import Batch, draw_whole
from pellucid.ops.filters.gaussian import gaussian_taps
from pellucid.ops.filters.separable import separable_filter

LEVELS = 8  # widths above none: pictures of the same width are smoothed together


@dataclass(frozen=True)
class Blur:
    """Smooth each picture with a Gaussian whose deviation, in pixels, is drawn from 0, 1/8, ... 8/8 of `sigma`."""

    sigma: float = 1.0

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        image = batch["image"]
        level = draw_whole(torch.full((len(image),), LEVELS), generator)  # (N,)
        if not self.sigma:
            return batch
        return {**batch, "image": blurred(image, level * (self.sigma / LEVELS))}


def blurred(image: Tensor, sigma: Tensor) -> Tensor:
    """(N, C, H, W) uint8, channels last, each smoothed by its own deviation (N,); 0 leaves a picture as it is."""
    out = image.clone(memory_format=torch.channels_last)
    for width in sigma.unique().tolist():
        rows = (sigma == width).nonzero()[:, 0].to(image.device)
        if width > 0:
            taps = gaussian_taps(width).tolist()
            out[rows] = separable_filter(image[rows], taps, taps, "reflect", rounded=True)
    return out
