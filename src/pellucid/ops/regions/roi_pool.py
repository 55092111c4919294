"""RoI Pool: the largest features of boxes, snapped to places of a map. Letters: N, C, h x w as in `roi_align`.

Girshick, Fast R-CNN, 2015 (https://arxiv.org/abs/1504.08083), section 2.1. R regions, p x q bins. Boxes are snapped to
whole places, so no gradient reaches their coordinates: the result does not change until a corner jumps.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from pellucid.ops import compiled
from pellucid.ops.regions.arguments import as_pair, require_regions

REGIONS_TOGETHER = 64  # for a thread


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
    maps = features.permute(0, 2, 3, 1)  # (N, h, w, C)
    with torch.no_grad():
        find = _largest_compiled if compiled.compiles(features, boxes_xyxy) else _largest
        largest, where = find(maps, batch_index.long(), (top, bottom), (left, right))
    pooled = maps.reshape(-1, C).gather(0, where.view(-1, C)).view(R, p, q, C)
    return torch.where(largest > -torch.inf, pooled, 0).permute(0, 3, 1, 2)


def _largest(
    maps: Tensor, picture: Tensor, rows: tuple[Tensor, Tensor], columns: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """The largest value of every bin and its place in (N h w), the first of equal ones: (R, p, q, C) each.

    Windows of 2^a x 2^b places are made from two of half the size, all at once. Each bin is covered by four of them,
    which may overlap, so its cost does not depend on its size ("sparse table", Bender and Farach-Colton 2000,
    https://doi.org/10.1007/10719839_9).

    Args:
        maps: (N, h, w, C).
        picture: (R,).
        rows, columns: (R, p) and (R, q), the first of each bin and the one after its last.
    """
    N, h, w, C = maps.shape
    (top, bottom), (left, right) = rows, columns
    R, p, q = len(picture), top.shape[1], left.shape[1]
    largest = maps.new_full((R, p, q, C), -torch.inf)
    places = torch.arange(N * h * w, dtype=torch.int32, device=maps.device).view(N, h, w, 1).expand(N, h, w, C)
    where = places.new_zeros(R, p, q, C)
    down, across = _doublings(bottom - top), _doublings(right - left)  # (R, p), (R, q)
    tall = torch.where(maps.isnan(), -torch.inf, maps), places  # windows one place wide
    for a in range(int(down.max()) + 1):
        tall = _better(tall, [each.roll(-(1 << a - 1), 1) for each in tall]) if a else tall
        window = tall
        for b in range(int(across.max()) + 1):
            window = _better(window, [each.roll(-(1 << b - 1), 2) for each in window]) if b else window
            r, i, j = ((down == a)[:, :, None] & (across == b)[:, None, :]).nonzero(as_tuple=True)
            if not len(r):
                continue
            n, y, x = picture[r], (top[r, i], bottom[r, i] - (1 << a)), (left[r, j], right[r, j] - (1 << b))
            found = window[0][n, y[0], x[0]], window[1][n, y[0], x[0]]
            for corner in ((0, 1), (1, 0), (1, 1)):
                found = _better(found, [each[n, y[corner[0]], x[corner[1]]] for each in window])
            largest[r, i, j], where[r, i, j] = found
    return largest, where.long()


def _largest_compiled(
    maps: Tensor, picture: Tensor, rows: tuple[Tensor, Tensor], columns: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """The same by compiled loops, which look at every place of a bin."""
    from pellucid.ops.regions.pool_kernel import largest

    h, w, C = maps.shape[1:]
    numbers = maps.detach().to(torch.promote_types(maps.dtype, torch.float32)).reshape(-1, C).contiguous()
    base = (picture * (h * w)).numpy()
    (top, bottom), (left, right) = ([each.contiguous().numpy() for each in pair] for pair in (rows, columns))
    R = len(picture)
    values = numbers.new_empty(R, rows[0].shape[1], columns[0].shape[1], C)
    places = torch.empty_like(values, dtype=torch.int32)

    def work(begin: int, end: int) -> None:
        largest(numbers.numpy(), base, top, bottom, left, right, w, values.numpy(), places.numpy(), begin, end)

    borders = range(0, R + REGIONS_TOGETHER, REGIONS_TOGETHER)
    compiled.in_parts(work, [(begin, min(end, R)) for begin, end in pairwise(borders)])
    return values, places.long()


def _doublings(n: Tensor) -> Tensor:
    """How often 1 can be doubled within n; -1 where n is 0 or less."""
    return (n[..., None] >= 2 ** torch.arange(31, device=n.device)).sum(-1) - 1


def _better(one: Sequence[Tensor], other: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Values and places: the larger value each, of equal ones that of the first place."""
    (value, place), (value2, place2) = one, other
    second = (value2 > value) | ((value2 == value) & (place2 < place))
    return torch.where(second, value2, value), torch.where(second, place2, place)


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
