"""Blank a square."""

from dataclasses import dataclass

import torch

from pellucid.data.canvas import IGNORE
from pellucid.data.transforms.batch import Batch, draw_whole


@dataclass(frozen=True)
class Cutout:
    """Blank one square of each picture, whose side is `share` of the shorter side (arXiv 1708.04552).

    Its middle is any pixel of the picture, so part of it may lie outside. Pixels become `fill`, masks 255: there is
    nothing to be seen there. Boxes and keypoints stay.
    """

    share: float = 0.25
    fill: int = 128

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        image = batch["image"]
        n, _, height, width = image.shape
        side = round(self.share * min(height, width))
        lines = []
        for length in (height, width):
            start = draw_whole(torch.full((n,), length - 1), generator) - side // 2  # (N,)
            place = (start[:, None] + torch.arange(side)).clamp(0, length - 1)  # (N, side); outside: the edge again
            lines.append(place.to(image.device))
        hidden = torch.arange(n, device=image.device)[:, None, None], lines[0][:, :, None], lines[1][:, None, :]
        result = {**batch, "image": image.clone(memory_format=torch.channels_last)}
        result["image"].permute(0, 2, 3, 1)[hidden] = self.fill
        if "mask" in batch:
            result["mask"] = batch["mask"].clone()
            result["mask"][hidden] = IGNORE
        return result
