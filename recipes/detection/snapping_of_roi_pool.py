"""RoI Pool moves regions to whole cells, and what is read from them lies beside the thing by as much.

RoI Pool rounds the corners of a region to cells of the map. The picture slides a region of 4 cells over three more:
what comes out stands still and then jumps by a cell, 16 pixels of the picture, while that of RoI Align goes along. It
also is half a cell ahead, as the cell of the far corner belongs to the region; rounding down, as it is often drawn, it
lags.

How much that matters is measured on a map whose cells hold where they lie, so that every bin tells where it thinks it
is. For 200 regions of each size: how far bins are beside their places, in the mean, and the IoU of outlines that a
network would draw which knows the ellipse in the region exactly, asks each of the 14 x 14 bins whether it is in it, and
has learned to take off what is always wrong by the same. What remains is due to rounding alone.

It is 6 to 7 pixels at a stride of 16, whatever the size of the thing. On a thing of 256 pixels that is little, of 32
pixels a quarter of the outline's IoU. RoI Align loses nothing; its 0.94 is that of 14 x 14 squares. On finer maps
everything shrinks with the stride, which is why pyramids soften what rounding does.

    python recipes/detection/snapping_of_roi_pool.py
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from pellucid.ops.regions import roi_align, roi_pool
from pellucid.plots.curves import curves

CELLS, STRIDE, BINS, POINTS, REGIONS = 32, 16, 14, 8, 200
SIZES = (32, 64, 128, 256)  # px
SHIFTS = np.linspace(0, 2.9, 291)  # cells
Pool = Callable[[Tensor, Tensor, Tensor, int, float], Tensor]
POOLS: dict[str, Pool] = {
    "RoI Pool": roi_pool,
    "RoI Pool, rounded down": partial(roi_pool, uneven=True),
    "RoI Align": roi_align,
}


def places() -> Tensor:
    """(1, 4, 32, 32): every cell holds where its middle lies, x, y, -x, -y in pixels of the picture."""
    middle = (torch.arange(CELLS, dtype=torch.float64) + 0.5) * STRIDE
    y, x = torch.meshgrid(middle, middle, indexing="ij")
    return torch.stack([x, y, -x, -y])[None]


def seen(pool: Pool, boxes_xyxy: Tensor) -> Tensor:
    """(R, 2, bins, bins): where each bin of a region says that it lies, in pixels.

    The largest x of a bin and the largest -x are its ends, and what lies between them its middle. Means are both.
    """
    pooled = pool(places(), boxes_xyxy, torch.zeros(len(boxes_xyxy), dtype=torch.int64), BINS, 1 / STRIDE)
    return (pooled[:, :2] - pooled[:, 2:]) / 2


def known(pool: Pool, boxes_xyxy: Tensor) -> Tensor:
    """As `seen`, less what is the same for all regions, which a network would learn to take off."""
    at = seen(pool, boxes_xyxy)
    return at - (at - meant(boxes_xyxy)).mean(0)


def meant(boxes_xyxy: Tensor) -> Tensor:
    """(R, 2, bins, bins): where the middles of the bins are."""
    steps = (torch.arange(BINS, dtype=boxes_xyxy.dtype) + 0.5) / BINS
    low, side = boxes_xyxy[:, :2, None], (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2])[..., None]
    x, y = (low + side * steps).unbind(1)  # (R, bins)
    return torch.stack([x[:, None].expand(-1, BINS, -1), y[:, :, None].expand(-1, -1, BINS)], 1)


def regions(size: int, seed: int = 0) -> Tensor:
    """(R, 4): boxes of about so many pixels anywhere between cells."""
    random = torch.Generator().manual_seed(seed)
    side = size * (0.8 + 0.4 * torch.rand(REGIONS, 2, generator=random, dtype=torch.float64))
    room = (CELLS - 2) * STRIDE - side
    corner = STRIDE + torch.rand(REGIONS, 2, generator=random, dtype=torch.float64) * room
    return torch.cat([corner, corner + side], 1)


def inside(at: Tensor, boxes_xyxy: Tensor) -> Tensor:
    """(R, h, w) bool: whether places (R, 2, h, w) lie within the ellipse that fills each box."""
    middle, half = (boxes_xyxy[:, 2:] + boxes_xyxy[:, :2]) / 2, (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]) / 2
    return (((at - middle[..., None, None]) / half[..., None, None]) ** 2).sum(1) <= 1


def mask_iou(pool: Pool, boxes_xyxy: Tensor) -> float:
    """How well an ellipse is drawn by a network that knows it, and takes each bin to be where the bin says it is."""
    drawn = inside(known(pool, boxes_xyxy), boxes_xyxy)
    fine = drawn.repeat_interleave(POINTS, 1).repeat_interleave(POINTS, 2)  # each bin has 8 x 8 points of the truth
    steps = (torch.arange(BINS * POINTS, dtype=torch.float64) + 0.5) / (BINS * POINTS) * 2 - 1
    true = (steps[:, None] ** 2 + steps**2 <= 1).expand_as(fine)
    return float(((fine & true).sum((1, 2)) / (fine | true).sum((1, 2))).mean())


def slide(pool: Pool) -> np.ndarray:
    """Where a region of 4 cells seems to lie, in cells from its start, as it moves nearly three cells by hundredths."""
    shifts = torch.from_numpy(SHIFTS)
    boxes = torch.tensor([[4.0, 4, 8, 8]], dtype=torch.float64) + shifts[:, None] * torch.tensor([1.0, 0, 1, 0])
    x = seen(pool, boxes * STRIDE)[:, 0].mean((1, 2)) / STRIDE
    return (x - 6).numpy()


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Errors of places and of outlines by size of the thing."""
    rows = []
    for size in SIZES:
        boxes = regions(size)
        away = [float((known(pool, boxes) - meant(boxes)).norm(dim=1).mean()) for pool in POOLS.values()]
        outlines = [mask_iou(pool, boxes) for pool in POOLS.values()]
        rows.append([f"{size} px", *(f"{each:.1f} px" for each in away), *(f"{each:.3f}" for each in outlines)])
    header = ["thing", *(f"{name}: beside" for name in POOLS), *(f"{name}: IoU" for name in POOLS)]
    lines = {name: (SHIFTS, slide(pool)) for name, pool in POOLS.items()}
    picture = curves(lines, "Where a region seems to be", "cells that it moves", "cells that its features move")
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(24) for cell in row))
