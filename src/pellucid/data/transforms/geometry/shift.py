"""Move the picture by whole pixels."""

from dataclasses import dataclass

import torch

from pellucid.data.canvas import IGNORE
from pellucid.data.transforms.batch import Batch, back_matrix, draw_whole, moved
from pellucid.data.transforms.geometry.things import thing_windows
from pellucid.data.transforms.geometry.windows import mask_windows, pad, windows


@dataclass(frozen=True)
class Shift:
    """Move each picture by up to `share` of its sides, both ways, in whole pixels. Edge pixels fill what opens up."""

    share: float = 0.07

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        image = batch["image"]
        n, _, height, width = image.shape
        reach = (round(self.share * height), round(self.share * width))
        top, left = (draw_whole(torch.full((n,), 2 * side), generator) for side in reach)
        every = torch.arange(n)
        result = {**batch, "image": windows(pad(image, reach), every, top, left, (height, width))}
        if "mask" in batch:
            padded = pad(batch["mask"][:, None], reach, IGNORE)[:, 0]
            result["mask"] = mask_windows(padded, every, top, left, (height, width))
        if "valid_hw" in batch:  # edge pixels are drawn outwards, so the whole canvas may show picture
            result["valid_hw"] = torch.tensor([height, width], device=batch["valid_hw"].device).repeat(n, 1)
        if "instance_mask" in batch:
            padded = pad(batch["instance_mask"].flatten(0, 1)[:, None], reach, 0)[:, 0]
            masks = {**batch, "instance_mask": padded.unflatten(0, batch["instance_mask"].shape[:2])}
            result["instance_mask"] = thing_windows(masks, top, left, (height, width))
        still = torch.ones(n)
        back = back_matrix(still, still, (left - reach[1]).float(), (top - reach[0]).float())
        return result | moved(result, back, (height, width))
