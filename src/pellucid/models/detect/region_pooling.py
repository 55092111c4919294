"""Features of regions from the maps of a detector, by RoI Align or RoI Pool.

Letters: N pictures, M feature maps, h x w cells of a map, R regions of all pictures, S cells along a side of what is
pooled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pellucid.core.config import require
from pellucid.ops.regions import box_level, roi_align, roi_pool

HOWS = ("align", "align_max", "pool")


@dataclass(frozen=True)
class Pooling:
    """How regions become maps of one size.

    Attributes:
        side: S.
        how: "align" takes the mean of points between cells (RoI Align, as in the paper on Mask R-CNN), "align_max"
            their largest, "pool" the largest of whole cells (RoI Pool, as in the paper on Fast R-CNN).
        points: of RoI Align, along a side of each of its S x S cells.
        aligned: whether RoI Align knows that the middle of a cell is half a cell from its edge; published weights were
            trained without it.
        canonical: side in pixels of a region that reads the map of stride 16; half as large ones read that of stride 8,
            and so on. The paper on pyramids has 224, the side of the pictures that classifiers learn from.
    """

    side: int = 7
    how: Literal["align", "align_max", "pool"] = "align"
    points: int = 2
    aligned: bool = True
    canonical: float = 224.0

    def __post_init__(self) -> None:
        require(self.side >= 1, "side", "1 or more", self.side)
        require(self.canonical > 0, "canonical", "above 0", self.canonical)
        require(self.how in HOWS, "how", ", ".join(HOWS), self.how)


def pool_regions(maps: Mapping[int, Tensor], boxes_xyxy: Tensor, picture: Tensor, pooling: Pooling) -> Tensor:
    """(R, M, S, S): each region from the map whose cells fit its size.

    Args:
        maps: stride, a power of two -> (N, M, h, w).
        boxes_xyxy: (R, 4) pixels.
        picture: (R,) int64, the picture of each region.
    """
    strides = sorted(maps)
    if len(strides) == 1:
        return _pooled(maps[strides[0]], strides[0], boxes_xyxy, picture, pooling)
    levels = [stride.bit_length() - 1 for stride in strides]
    level = box_level(boxes_xyxy, levels[0], levels[-1], pooling.canonical)
    parts, places = [], []
    for stride, number in zip(strides, levels, strict=True):
        mine = (level == number).nonzero()[:, 0]  # perhaps none: then the map has a gradient of zeros
        parts.append(_pooled(maps[stride], stride, boxes_xyxy[mine], picture[mine], pooling))
        places.append(mine)
    return torch.cat(parts)[torch.cat(places).argsort()]


def _pooled(features: Tensor, stride: int, boxes_xyxy: Tensor, picture: Tensor, pooling: Pooling) -> Tensor:
    if pooling.how == "pool":
        return roi_pool(features, boxes_xyxy, picture, pooling.side, 1 / stride)
    mode: Literal["max", "mean"] = "max" if pooling.how == "align_max" else "mean"
    return roi_align(features, boxes_xyxy, picture, pooling.side, 1 / stride, pooling.points, pooling.aligned, mode)
