"""Boxes that detectors start from, at every place of a map. Letters: h x w a map, K boxes a place, A = h w K boxes.

The order is the same everywhere: rows, columns, and the boxes of one place last.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pellucid.core.errors import DataError


def anchor_grid(
    sizes: Sequence[float],
    ratios: Sequence[float],
    stride: int | tuple[int, int],
    grid_hw: tuple[int, int],
    *,
    rounded: bool = True,
    offset: float = 0.0,
    device: torch.device | str | None = None,
) -> Tensor:
    """(h w K, 4) float32 corners of K = len(ratios) * len(sizes) anchors a place: all sizes of the first ratio first.

    An anchor of size s and ratio r is s / sqrt(r) wide and s sqrt(r) high (Faster R-CNN, Ren et al., 2015,
    https://arxiv.org/abs/1506.01497). Published networks round corners to whole pixels before they are moved, and
    centre anchors on the upper left corner of a place, not on its middle.

    Args:
        sizes: roots of the areas, in pixels of the network's input.
        ratios: height / width.
        stride: pixels from one place to the next; (down, right) where they differ.
        grid_hw: places of the map.
        rounded: half sides are rounded to whole pixels (halves to even).
        offset: of a stride, by which all are moved: 0.5 centres them on the places.
    """
    down, right = (stride, stride) if isinstance(stride, int) else stride
    scales = torch.tensor(sizes, dtype=torch.float32)
    root = torch.tensor(ratios, dtype=torch.float32).sqrt()
    widths, heights = ((1 / root)[:, None] * scales).flatten(), (root[:, None] * scales).flatten()
    base = torch.stack([-widths, -heights, widths, heights], 1) / 2  # (K, 4)
    if rounded:
        base = base.round()
    base = base.to(device)
    y = (torch.arange(grid_hw[0], device=device, dtype=torch.float32) + offset) * down
    x = (torch.arange(grid_hw[1], device=device, dtype=torch.float32) + offset) * right
    y, x = torch.meshgrid(y, x, indexing="ij")
    moves = torch.stack([x, y, x, y], -1)  # (h, w, 4)
    return (moves[:, :, None] + base).reshape(-1, 4)


def default_scales(n_maps: int, least: float = 0.15, most: float = 0.9) -> list[float]:
    """n_maps + 1 shares of a picture's side: in equal steps from `least` to `most`, then 1; of one map these two alone.

    Liu et al., SSD, 2015 (https://arxiv.org/abs/1512.02325), equation 4, where they begin at 0.2, and for COCO at 0.15.
    """
    if n_maps == 1:
        return [least, most]
    return [least + (most - least) * k / (n_maps - 1) for k in range(n_maps)] + [1.0]


def default_boxes(
    ratios: Sequence[Sequence[float]],
    grids_hw: Sequence[tuple[int, int]],
    image_hw: tuple[int, int],
    *,
    scales: Sequence[float] | None = None,
    steps: Sequence[int] | None = None,
    clip: bool = True,
    device: torch.device | str | None = None,
) -> Tensor:
    """(A, 4) float32 corners of SSD's default boxes in pixels, map by map.

    Liu et al., SSD, 2015 (https://arxiv.org/abs/1512.02325), section 2.2: a place of map k has a square of scale s_k,
    one of sqrt(s_k s_(k+1)), and for each ratio a wide box and a high one of scale s_k: 2 + 2 len(ratios[k]) boxes.

    Args:
        ratios: for each map, the longer side over the shorter one.
        grids_hw: places of each map.
        image_hw: pixels.
        scales: one more than there are maps, as shares of a side; None is `default_scales`.
        steps: pixels between the places of each map; None is the side of the picture over that of the map.
        clip: no side is longer than the picture's.

    Raises:
        DataError: the numbers of maps differ.
    """
    scales = default_scales(len(ratios)) if scales is None else scales
    if not len(ratios) == len(grids_hw) == len(scales) - 1 or (steps is not None and len(steps) != len(ratios)):
        raise DataError(
            f"Default boxes need ratios, places and steps for every map and one scale more, got {len(ratios)} ratios, "
            f"{len(grids_hw)} grids, {len(scales)} scales, {'no' if steps is None else len(steps)} steps."
        )
    height, width = image_hw
    maps = []
    for k, (rows, columns) in enumerate(grids_hw):
        between = math.sqrt(scales[k] * scales[k + 1])
        sizes = [(scales[k], scales[k]), (between, between)]
        for ratio in ratios[k]:
            long, short = scales[k] * math.sqrt(ratio), scales[k] / math.sqrt(ratio)
            sizes += [(long, short), (short, long)]
        half = torch.tensor(sizes, dtype=torch.float32, device=device)  # (K, 2) width, height
        half = (half.clamp(0, 1) if clip else half) * 0.5
        down, right = (rows, columns) if steps is None else (height / steps[k], width / steps[k])
        y = (torch.arange(rows, device=device) + 0.5) / down
        x = (torch.arange(columns, device=device) + 0.5) / right
        y, x = torch.meshgrid(y, x, indexing="ij")
        centre = torch.stack([x, y], -1)[:, :, None]  # (h, w, 1, 2)
        maps.append(torch.cat([centre - half, centre + half], -1).reshape(-1, 4))
    return torch.cat(maps) * torch.tensor([width, height, width, height], dtype=torch.float32, device=device)
