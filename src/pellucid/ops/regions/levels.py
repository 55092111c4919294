"""Regions from a pyramid of maps: large boxes from coarse maps. Letters: R regions, C channels, p x q bins.

Lin et al., "Feature Pyramid Networks for Object Detection", 2016 (https://arxiv.org/abs/1612.03144), equation 1: a box
of width w and height h belongs to level floor(4 + log2(sqrt(w h) / 224)), where level k has the stride 2^k.
"""

import math
from collections.abc import Mapping

from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops.boxes.convert import box_area
from pellucid.ops.regions.arguments import as_pair, require_regions
from pellucid.ops.regions.roi_align import Mode, roi_align

TOLERANCE = 1e-6  # a box of exactly 224 x 224 is at level 4 whatever was rounded


def box_level(
    boxes_xyxy: Tensor, lowest: int, highest: int, canonical_size: float = 224.0, canonical_level: int = 4
) -> Tensor:
    """(R,) int64 in lowest..highest: the level of each box (R, 4) in pixels; empty boxes are at the lowest.

    Args:
        canonical_size: side of a square that is at `canonical_level`.
    """
    size = box_area(boxes_xyxy.detach()).sqrt()
    level = (canonical_level + (size / canonical_size).log2() + TOLERANCE).floor()
    return level.nan_to_num(lowest).clamp(lowest, highest).long()


def pool_levels(
    maps: Mapping[int, Tensor],
    boxes_xyxy: Tensor,
    batch_index: Tensor,
    output_size: int | tuple[int, int],
    sampling_ratio: int = 2,
    aligned: bool = True,
    mode: Mode = "mean",
) -> Tensor:
    """(R, C, p, q) `roi_align` of each box on the map of its level.

    Args:
        maps: stride in pixels, a power of 2 -> (N, C, h, w).
        boxes_xyxy: (R, 4) corners in pixels; R may be 0.
        batch_index: (R,) whole numbers, the picture of each box.
        output_size, sampling_ratio, aligned, mode: as in `roi_align`.

    Raises:
        DataError: there is no map, or a stride is no power of 2, or the shapes do not fit together.
    """
    strides = sorted(maps)
    levels = [int(math.log2(stride)) if stride > 0 else -1 for stride in strides]
    if not strides or [2 ** max(level, 0) for level in levels] != strides:
        raise DataError(f"Maps of a pyramid are named by strides that are powers of 2, got {strides}.")
    bins = as_pair(output_size)
    require_regions(maps[strides[0]], boxes_xyxy, batch_index)
    level = box_level(boxes_xyxy, levels[0], levels[-1])
    first = maps[strides[0]]
    result = first.new_zeros(len(boxes_xyxy), first.shape[1], *bins)
    for stride, number in zip(strides, levels, strict=True):
        mine = (level == number).nonzero()[:, 0]
        # levels without a box take part too, with nothing: every map has a gradient
        pooled = roi_align(
            maps[stride], boxes_xyxy[mine], batch_index[mine], bins, 1 / stride, sampling_ratio, aligned, mode
        )
        result = result.index_copy(0, mine, pooled.to(result.dtype))
    return result
