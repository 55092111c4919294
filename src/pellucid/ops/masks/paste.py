"""Masks on small grids brought to where they belong. Letters: D masks, S x S a grid, H x W a picture."""

import torch
from torch import Tensor

from pellucid.core.errors import DataError


def paste_masks(masks: Tensor, boxes_xyxy: Tensor, hw: tuple[int, int], threshold: float = 0.5) -> Tensor:
    """(D, H, W) bool: where each mask, stretched over its box, is at least `threshold`.

    A mask's grid fills its box: the value of cell i holds at its middle, (i + 0.5) / S of the side, and is
    interpolated between there. Pixels are looked at in their middles; those outside of the box are False.

    Args:
        masks: (D, S, S) probabilities in 0..1.
        boxes_xyxy: (D, 4) corners in pixels of the picture, anywhere.
        hw: height and width of the picture.
        threshold: the least probability of a pixel of the thing.

    Raises:
        DataError: there is not one box (D, 4) for each mask (D, S, S).
    """
    if masks.dim() != 3 or boxes_xyxy.shape != (len(masks), 4):
        raise DataError(
            f"Pasting needs masks (D, S, S) and boxes (D, 4), got {tuple(masks.shape)} and {tuple(boxes_xyxy.shape)}."
        )
    boxes = boxes_xyxy.float()
    rows, y_in = _shares(boxes[:, 1], boxes[:, 3], masks.shape[1], hw[0])  # (D, H, S), (D, H)
    columns, x_in = _shares(boxes[:, 0], boxes[:, 2], masks.shape[2], hw[1])  # (D, W, S), (D, W)
    stretched = rows @ masks.float() @ columns.transpose(1, 2)  # (D, H, W)
    return (stretched >= threshold) & y_in[:, :, None] & x_in[:, None, :]


def _shares(low: Tensor, high: Tensor, cells: int, pixels: int) -> tuple[Tensor, Tensor]:
    """How much each cell counts at each pixel (D, pixels, cells), and which pixels the box covers (D, pixels)."""
    middle = torch.arange(pixels, device=low.device) + 0.5
    inside = (middle >= low[:, None]) & (middle < high[:, None])
    side = (high - low).clamp_min(torch.finfo(low.dtype).tiny)[:, None]
    at = ((middle - low[:, None]) / side * cells - 0.5).clamp(0, cells - 1)
    shares = (1 - (at[:, :, None] - torch.arange(cells, device=low.device)).abs()).clamp_min(0)
    return shares * inside[:, :, None], inside
