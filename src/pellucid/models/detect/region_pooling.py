"""Features of regions from the maps of a detector, by RoI Align or RoI Pool.

Letters: N pictures, M feature maps, h x w cells of a map, R regions of all pictures, S cells along a side of what is
pooled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from pellucid.core.config import require
from pellucid.ops.regions import on_levels, roi_align, roi_pool

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
        maps: stride -> (N, M, h, w); of several maps each a power of two.
        boxes_xyxy: (R, 4) pixels.
        picture: (R,) int64, the picture of each region.
    """

    def pool(features: Tensor, boxes: Tensor, their_picture: Tensor, scale: float) -> Tensor:
        if pooling.how == "pool":
            return roi_pool(features, boxes, their_picture, pooling.side, scale)
        mode: Literal["max", "mean"] = "max" if pooling.how == "align_max" else "mean"
        return roi_align(features, boxes, their_picture, pooling.side, scale, pooling.points, pooling.aligned, mode)

    if len(maps) == 1:
        ((stride, only),) = maps.items()
        return pool(only, boxes_xyxy, picture, 1 / stride)
    return on_levels(maps, boxes_xyxy, picture, pool, pooling.canonical)
