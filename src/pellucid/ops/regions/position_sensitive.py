"""Position-sensitive RoI Pool: every bin looks at channels of its own. Letters: N, C, h x w as in `roi_align`.

Dai et al., R-FCN, 2016 (https://arxiv.org/abs/1605.06409), equation 1. R regions, p x q bins, D = C / (p q) results.
"""

import torch
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops.regions.arguments import as_pair, require_regions
from pellucid.ops.regions.roi_pool import snap


def position_sensitive_pool(
    features: Tensor,
    boxes_xyxy: Tensor,
    batch_index: Tensor,
    output_size: int | tuple[int, int],
    spatial_scale: float,
) -> Tensor:
    """(R, D, p, q) mean of channel (d p + i) q + j in bin i, j of each box; 0 in a bin that lies beside the map.

    Boxes are snapped to the nearest places, the far corner does not belong to them, and they are at least one place
    wide and high; bins share places where they do not end between two. (torchvision's `ps_roi_pool` is the same but at
    the far border: its forward pass leaves out the last row and column of the map, its backward pass does not.)

    Args:
        features: (N, D p q, h, w).
        boxes_xyxy: (R, 4) corners in pixels; R may be 0.
        batch_index: (R,) whole numbers, the picture of each box.
        output_size: bins down and across.
        spatial_scale: places a pixel.

    The gradient reaches the features, not the boxes.

    Raises:
        DataError: the shapes do not fit together.
    """
    require_regions(features, boxes_xyxy, batch_index)
    p, q = as_pair(output_size)
    N, C, h, w = features.shape
    if C % (p * q):
        raise DataError(f"Position-sensitive pooling to {p}x{q} needs a multiple of {p * q} channels, got {C}.")
    D = C // (p * q)
    boxes = snap(boxes_xyxy.detach() * spatial_scale)
    top, bottom = _edges(boxes[:, 1], boxes[:, 3], p, h)  # (R, p)
    left, right = _edges(boxes[:, 0], boxes[:, 2], q, w)  # (R, q)
    # sums from the upper left corner on, in float64: the sum of a bin is then a difference of four of them
    sums = features.double().cumsum(-1).cumsum(-2)
    sums = torch.nn.functional.pad(sums, (1, 0, 1, 0)).view(N, D, p, q, h + 1, w + 1).permute(0, 4, 5, 1, 2, 3)
    n = batch_index.long()[:, None, None]
    i = torch.arange(p, device=features.device)[:, None]
    j = torch.arange(q, device=features.device)

    def upto(y: Tensor, x: Tensor) -> Tensor:
        return sums[n, y[:, :, None], x[:, None, :], :, i, j]  # (R, p, q, D)

    total = upto(bottom, right) - upto(top, right) - upto(bottom, left) + upto(top, left)
    count = ((bottom - top)[:, :, None] * (right - left)[:, None, :])[..., None]  # (R, p, q, 1)
    return (total / count.clamp_min(1)).permute(0, 3, 1, 2).to(features.dtype)


def _edges(low: Tensor, high: Tensor, bins: int, size: int) -> tuple[Tensor, Tensor]:
    """(R, bins) first place of each bin and (R, bins) the one after its last, within the map."""
    k = torch.arange(bins, device=low.device)
    n = (high - low).clamp_min(1)[:, None]
    return (low[:, None] + k * n // bins).clamp(0, size), (low[:, None] - (-(k + 1) * n // bins)).clamp(0, size)
