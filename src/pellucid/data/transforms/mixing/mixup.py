"""Mixup: two pictures laid over each other.

Zhang, Cisse, Dauphin, Lopez-Paz 2018 (arXiv 1710.09412), equation 1: x = l x_i + (1 - l) x_j, y = l y_i + (1 - l) y_j,
with l drawn from Beta(alpha, alpha).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

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
from pellucid.ops import buffers

PARTS = 256  # shares are whole numbers of these, so that bytes can be mixed as 16-bit integers
AT_ONCE = 1 << 18  # bytes mixed at a time, which stay near the processor


@dataclass(frozen=True)
class Mixup:
    """Mix each picture with another of the batch, each pair in its own proportion.

    The paper mixes normalised numbers; that is linear, so bytes may be mixed before it, to within their rounding.
    Shares are rounded to 1/256, pixels and labels alike.

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
        shares = without_unlabelled(draw_shares(n, self.alpha, self.p, generator), batch, partner)
        parts = (shares * PARTS).round().long()
        out = buffers.empty_like(image)
        step = max(1, AT_ONCE // max(1, image[:1].numel())) if image.device.type == "cpu" else max(1, n)
        for start in range(0, n, step):
            rows = slice(start, min(start + step, n))
            alone = rows.stop - start == 1  # a view: large pictures need not be gathered
            other = image[int(partner[start])][None] if alone else image[partner[rows].to(image.device)]
            mixed_into(out[rows], image[rows], other, parts[rows])
        shares = parts / PARTS
        return {**batch, "image": out, **both_valid(batch, partner), **label_mix(batch, partner, shares)}


def mixed_into(out: Tensor, mine: Tensor, other: Tensor, parts: Tensor) -> None:
    """Write `(1 - parts / 256) * mine + parts / 256 * other`, rounded half up, into `out`.

    All (N, C, H, W) uint8; `parts` (N,) int64 on the CPU. 16 bits hold the sum, at most 255 * 256 + 128.
    """
    weights = parts.view(-1, 1, 1, 1)
    if mine.device.type != "cpu":
        weights = weights.to(mine.device, torch.int32)
        out.copy_((mine * (PARTS - weights) + other * weights + PARTS // 2) // PARTS)
        return
    second_weight = weights.numpy().astype(np.uint16)
    first, second = (each.permute(0, 2, 3, 1).numpy() for each in (mine, other))
    mixture = np.multiply(first, PARTS - second_weight, dtype=np.uint16)
    mixture += np.multiply(second, second_weight, dtype=np.uint16)
    mixture += PARTS // 2
    mixture >>= 8
    np.copyto(out.permute(0, 2, 3, 1).numpy(), mixture, casting="unsafe")
