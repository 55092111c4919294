"""RoI Pool: the largest features of boxes, snapped to places of a map. Letters: N, C, h x w as in `roi_align`.

Girshick, Fast R-CNN, 2015 (https://arxiv.org/abs/1504.08083), section 2.1. R regions, p x q bins. Boxes are snapped to
whole places, so no gradient reaches their coordinates: the result does not change until a corner jumps.
"""

import torch
from torch import Tensor

from pellucid.ops.regions.arguments import as_pair, require_regions


def roi_pool(
    features: Tensor,
    boxes_xyxy: Tensor,
    batch_index: Tensor,
    output_size: int | tuple[int, int],
    spatial_scale: float,
    *,
    uneven: bool = False,
) -> Tensor:
    """(R, C, p, q) the largest value in each bin of each box; 0 in a bin that lies beside the map.

    Args:
        features: (N, C, h, w).
        boxes_xyxy: (R, 4) corners in pixels; R may be 0.
        batch_index: (R,) whole numbers, the picture of each box.
        output_size: bins down and across.
        spatial_scale: places a pixel, 1 / 16 for a map of stride 16.
        uneven: how a box is snapped and split. False is as published (and torchvision's `roi_pool`): corners go to the
            nearest place, which both belong to the box, and bins that do not end between places share some, 5 places
            in 2 bins are 3 and 3. True is as it is often drawn: corners go down (2.5 to 2), the far ones do not
            belong to the box, and bins share nothing, 5 places in 2 bins are 2 and 3.

    The gradient reaches the features, each at the first largest place of its bin.

    Raises:
        DataError: the shapes do not fit together.
    """
    require_regions(features, boxes_xyxy, batch_index)
    p, q = as_pair(output_size)
    C, h, w = features.shape[1:]
    R = len(boxes_xyxy)
    boxes = boxes_xyxy.detach() * spatial_scale
    top, bottom = _edges(boxes[:, 1], boxes[:, 3], p, h, uneven)  # (R, p)
    left, right = _edges(boxes[:, 0], boxes[:, 2], q, w, uneven)  # (R, q)
    high = int((bottom - top).max()) if R else 0
    wide = int((right - left).max()) if R else 0
    if high <= 0 or wide <= 0:
        return (features[:0].sum() + features.new_zeros(R, C, p, q)).to(features.dtype)
    rows = features.permute(0, 2, 3, 1).reshape(-1, C)  # (N h w, C)
    first = batch_index.long()[:, None, None] * (h * w)  # (R, 1, 1)
    with torch.no_grad():
        largest = rows.new_full((R, p, q, C), -torch.inf)
        where = torch.zeros(R, p, q, C, dtype=torch.int64, device=rows.device)
        for down in range(high):
            y = top + down
            for across in range(wide):
                x = left + across
                inside = (y < bottom)[:, :, None] & (x < right)[:, None, :]  # (R, p, q)
                place = first + y.clamp(0, h - 1)[:, :, None] * w + x.clamp(0, w - 1)[:, None, :]
                value = rows[place]  # (R, p, q, C)
                better = inside[..., None] & (value > largest)
                largest = torch.where(better, value, largest)
                where = torch.where(better, place[..., None], where)
    pooled = rows.gather(0, where.view(-1, C)).view(R, p, q, C) * (largest > -torch.inf)
    return pooled.permute(0, 3, 1, 2)


def _edges(low: Tensor, high: Tensor, bins: int, size: int, uneven: bool) -> tuple[Tensor, Tensor]:
    """(R, bins) first place of each bin and (R, bins) the one after its last, within the map."""
    k = torch.arange(bins, device=low.device)
    if uneven:
        first, n = low.floor().long(), (high.floor() - low.floor()).long().clamp_min(1)
        start = k * n[:, None] // bins
        end = torch.maximum((k + 1) * n[:, None] // bins, start + 1)  # fewer places than bins: some serve twice
    else:
        first, last = snap(low), snap(high)
        n = (last - first + 1).clamp_min(1)
        start, end = k * n[:, None] // bins, -(-(k + 1) * n[:, None] // bins)
    return (first[:, None] + start).clamp(0, size), (first[:, None] + end).clamp(0, size)


def snap(x: Tensor) -> Tensor:
    """int64: the nearest whole number, halves away from 0 (C's `round`; torch's goes to even numbers)."""
    whole = x.trunc()
    return (whole + x.sign() * ((x - whole).abs() >= 0.5)).long()
