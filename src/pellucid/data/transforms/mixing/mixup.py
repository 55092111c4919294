"""Mixup: two pictures laid over each other.

Zhang, Cisse, Dauphin, Lopez-Paz 2018 (arXiv 1710.09412), equation 1: x = l x_i + (1 - l) x_j, y = l y_i + (1 - l) y_j,
with l drawn from Beta(alpha, alpha).
"""

from dataclasses import dataclass

import torch

from pellucid.core.errors import ConfigError
from pellucid.data.transforms.batch import Batch
from pellucid.data.transforms.mixing.partners import (
    both_valid,
    draw_partners,
    draw_shares,
    label_mix,
    require_mixable,
    without_unlabelled,
)

CHUNK = 8  # pictures that are floats at a time


@dataclass(frozen=True)
class Mixup:
    """Mix each picture with another of the batch, each pair in its own proportion.

    The paper mixes normalised numbers; that is linear, so bytes may be mixed before it, to within their rounding.

    Attributes:
        alpha: above 0; small values mix in little or nearly all of the other, 1 anything between alike.
        p: share of the pictures that are mixed.

    Raises:
        ConfigError: the batch has masks (whose pixels would have two classes), boxes or keypoints, or is mixed already.
    """

    alpha: float = 0.2
    p: float = 1.0

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        require_mixable(batch, "mixup")
        if "mask" in batch:
            raise ConfigError("mixup would give pixels of masks two classes. Use cutmix, which moves whole pixels.")
        image = batch["image"]
        n = len(image)
        partner = draw_partners(n, generator)
        shares = without_unlabelled(draw_shares(n, self.alpha, self.p, generator), batch, partner).float()
        out = torch.empty_like(image, memory_format=torch.channels_last)
        step = CHUNK if image.device.type == "cpu" else max(1, n)
        for start in range(0, n, step):
            part = slice(start, min(start + step, n))
            mine, other = (image[rows].to(torch.float32) for rows in (part, partner[part].to(image.device)))
            out[part] = torch.lerp(mine, other, shares[part].to(image.device).view(-1, 1, 1, 1)).round_()
        return {**batch, "image": out, **both_valid(batch, partner), **label_mix(batch, partner, shares)}
