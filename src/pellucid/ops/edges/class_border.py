"""Where the classes of a mask meet. Letters: N pictures of H x W pixels."""

import torch
from torch import Tensor

from pellucid.core.shapes import require_shape


def class_border(labels: Tensor, ignore_index: int) -> Tensor:
    """Pixels one of whose four neighbours is of another class: the outermost pixels of every region, on both sides.

    Where a class meets ignored pixels or the edge of the picture no border is known, and none is taken.

    Args:
        labels: (N, H, W) whole numbers: the class of each pixel.
        ignore_index: of pixels that do not count.

    Returns:
        (N, H, W) bool.

    Raises:
        DataError: the labels are not (N, H, W).
    """
    require_shape(labels, "N H W", "labels")
    counted = labels != ignore_index
    border = torch.zeros_like(counted)
    for axis in (1, 2):
        first, second = _neighbours(labels, axis)
        both = _neighbours(counted, axis)
        differ = (first != second) & both[0] & both[1]
        for side in _neighbours(border, axis):
            side.logical_or_(differ)
    return border


def _neighbours(values: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Views of the first and of the second of each pair of neighbours along an axis."""
    size = values.shape[axis]
    pairs = max(size - 1, 0)
    return values.narrow(axis, 0, pairs), values.narrow(axis, size - pairs, pairs)
