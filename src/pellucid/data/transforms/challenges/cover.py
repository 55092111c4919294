"""Partly hidden, or among other things.

Each takes a batch, a strength and a generator; the strength is the share of the picture that is something else, for
every picture alike, and 0 changes nothing.
"""

import math

import torch

from pellucid.data.transforms.batch import Batch, draw_whole
from pellucid.data.transforms.mixing.partners import draw_partners
from pellucid.data.transforms.pixels.erase import painted

GREY = 128


def hide(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """A grey rectangle of the picture's own shape somewhere in front of it. Masks are 255 there."""
    image = batch["image"]
    n, _, height, width = image.shape
    sides = torch.tensor([round(math.sqrt(strength) * side) for side in (height, width)]).repeat(n, 1)
    room = torch.tensor([height, width]) - sides
    top, left = draw_whole(room[:, 0], generator), draw_whole(room[:, 1], generator)
    return painted(batch, top, left, sides, GREY, generator)


def crowd(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """The rim of another picture of the batch around the middle of this one.

    Where the object ends and the background begins is not known of labelled pictures; most objects stand in the
    middle, so what is replaced from the edges inwards is mostly background. Masks get the other's classes there;
    boxes stay as they were, so it is not for pictures with things.
    """
    image = batch["image"]
    n, _, height, width = image.shape
    kept = [round(math.sqrt(1 - strength) * side) for side in (height, width)]
    top, left = (height - kept[0]) // 2, (width - kept[1]) // 2
    partner = draw_partners(n, generator).to(image.device)
    middle = (slice(None), slice(top, top + kept[0]), slice(left, left + kept[1]))
    out = image[partner].clone(memory_format=torch.channels_last)
    out.permute(0, 2, 3, 1)[middle] = image.permute(0, 2, 3, 1)[middle]
    result = {**batch, "image": out}
    if "mask" in batch:
        result["mask"] = batch["mask"][partner]
        result["mask"][middle] = batch["mask"][middle]
    return result
