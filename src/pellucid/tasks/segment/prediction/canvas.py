"""Scores on the canvas of training, brought back to the file they are of.

Letters: K classes, h x w pixels of the canvas, H x W of the file.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.tasks.segment.prediction.strips import STRIP


def on_file(logits: Tensor, affine: Tensor, size: tuple[int, int]) -> Iterator[tuple[Tensor, Tensor]]:
    """Scores at every pixel of the file, a strip of rows after the other.

    Scores are interpolated, not classes, so outlines are smooth when the picture is larger than the canvas.

    Args:
        logits: (K, h, w).
        affine: (2, 3), from canvas to file coordinates, in which pixel i covers [i, i + 1].
        size: (H, W) of the file.

    Yields:
        (K, rows, W) scores, and (rows, W) bool: which pixels are not on the canvas. The strips' rows sum to H.
    """
    n_classes, height, width = logits.shape
    affine = affine.to(logits.device, torch.float32)
    xs = (torch.arange(size[1], device=logits.device) + 0.5 - affine[0, 2]) / affine[0, 0] / width  # 0..1 on the canvas
    ys = (torch.arange(size[0], device=logits.device) + 0.5 - affine[1, 2]) / affine[1, 1] / height
    for part in ys.split(max(1, STRIP // (n_classes * size[1]))):
        grid = torch.stack(torch.meshgrid(xs, part, indexing="xy"), dim=-1)  # (rows, W, 2)
        near = F.grid_sample(logits[None], 2 * grid[None] - 1, padding_mode="border", align_corners=False)
        yield near[0], ((grid < 0) | (grid > 1)).any(-1)
