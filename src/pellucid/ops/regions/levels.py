"""Regions from a pyramid of maps: large boxes from coarse maps. Letters: R regions, C channels, p x q bins.

Lin et al., "Feature Pyramid Networks for Object Detection", 2016 (https://arxiv.org/abs/1612.03144), equation 1: a box
of width w and height h belongs to level floor(4 + log2(sqrt(w h) / 224)), where level k has the stride 2^k.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops.boxes.convert import box_area
from pellucid.ops.regions.arguments import require_regions
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


def on_levels(
    maps: Mapping[int, Tensor],
    boxes_xyxy: Tensor,
    batch_index: Tensor,
    pool: Callable[[Tensor, Tensor, Tensor, float], Tensor],
    canonical_size: float = 224.0,
) -> Tensor:
    """(R, ...) what `pool` makes of each box on the map of its level.

    Args:
        maps: stride in pixels, a power of 2 -> (N, C, h, w).
        boxes_xyxy: (R, 4) corners in pixels; R may be 0.
        batch_index: (R,) whole numbers, the picture of each box.
        pool: of one map, of its boxes and their pictures, and of its places a pixel: (boxes, ...). Called for every
            map, also for none of the boxes: so every map has a gradient.
        canonical_size: as in `box_level`.

    Raises:
        DataError: there is no map, or a stride is no power of 2, or the shapes do not fit together.
    """
    strides = sorted(maps)
    levels = [stride.bit_length() - 1 for stride in strides]
    if not strides or strides[0] < 1 or [2**level for level in levels] != strides:
        raise DataError(f"Maps of a pyramid are named by strides that are powers of 2, got {strides}.")
    require_regions(maps[strides[0]], boxes_xyxy, batch_index)
    level = box_level(boxes_xyxy, levels[0], levels[-1], canonical_size)
    parts, places = [], []
    for stride, number in zip(strides, levels, strict=True):
        mine = (level == number).nonzero()[:, 0]
        parts.append(pool(maps[stride], boxes_xyxy[mine], batch_index[mine], 1 / stride))
        places.append(mine)
    return torch.cat(parts)[torch.cat(places).argsort()]


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
        maps, boxes_xyxy, batch_index: as in `on_levels`.
        output_size, sampling_ratio, aligned, mode: as in `roi_align`.

    Raises:
        DataError: there is no map, or a stride is no power of 2, or the shapes do not fit together.
    """

    def align(features: Tensor, boxes: Tensor, picture: Tensor, scale: float) -> Tensor:
        return roi_align(features, boxes, picture, output_size, scale, sampling_ratio, aligned, mode)

    return on_levels(maps, boxes_xyxy, batch_index, align)
