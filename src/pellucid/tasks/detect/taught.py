"""Made-up things of every size, so that every part of a detector has something to learn. N pictures, M places."""

from collections.abc import Mapping

import torch
from torch import Tensor

from pellucid.core.facts import DataFacts

PLACES = 16  # M
SMALLEST = 1 / 32  # of the picture's sides
LEAST = 4.0  # pixels
# Of a side: middles that follow one another in such turns lie all over a picture. M. Roberts, "The unreasonable
# effectiveness of quasirandom sequences", 2018.
TURNS = (0.7549, 0.5698)


def things_of_every_size(batch: Mapping[str, Tensor], facts: DataFacts) -> dict[str, Tensor]:
    """The same pictures with other things in them: of sizes from very small to that of the picture, of all classes.

    Their middles lie all over the picture, so that large ones reach over its border. Outlines fill the boxes as far as
    the picture reaches, and keypoints lie in the middle.
    """
    n, device = len(batch["image"]), batch["box_label"].device
    height, width = batch["image"].shape[-2:]
    picture = torch.tensor([width, height], dtype=torch.float32, device=device)
    number = torch.arange(n * PLACES, device=device).view(PLACES, n).T  # (N, M): small and large ones in each picture
    share = SMALLEST ** (1 - number / (n * PLACES - 1))
    sides = (share[..., None] * picture).clamp_min(LEAST)  # (N, M, 2)
    middle = torch.stack([number * turn % 1 for turn in TURNS], -1) * picture
    boxes = torch.cat([middle - sides / 2, middle + sides / 2], -1)
    taught = {
        **batch,
        "boxes_xyxy": boxes,
        "box_label": number % facts.n_classes,
        "is_crowd": torch.zeros_like(number, dtype=torch.bool),
        "box_area": sides.prod(-1),
    }
    if "instance_mask" in batch:
        x, y = (torch.arange(side, device=device) + 0.5 for side in (width, height))
        left, top, right, bottom = boxes[..., None].unbind(-2)  # (N, M, 1) each
        across, down = (x > left) & (x < right), (y > top) & (y < bottom)  # (N, M, W), (N, M, H)
        taught["instance_mask"] = down[..., None] & across[..., None, :]
    if "keypoints" in batch:
        seen = torch.cat([middle, torch.full_like(middle[..., :1], 2)], -1)  # (N, M, 3)
        taught["keypoints"] = seen[:, :, None].repeat(1, 1, batch["keypoints"].shape[2], 1)
    return taught
