"""Forms of boxes, from one to the other. Letters: H x W a picture; `...` any leading sides.

x runs from 0 to W and pixel i covers [i, i + 1]. Three forms: `xyxy`, both corners, x2 and y2 exclusive; `xywh`, the
upper left corner and the size (COCO, OpenCV's rectangles); `cxcywh`, the centre and the size (YOLO's text files, there
as shares of the picture).
"""

import torch
from torch import Tensor


def xyxy_to_xywh(boxes_xyxy: Tensor) -> Tensor:
    """(..., 4) corners as upper left corner and size."""
    low, high = boxes_xyxy[..., :2], boxes_xyxy[..., 2:]
    return torch.cat([low, high - low], -1)


def xywh_to_xyxy(boxes_xywh: Tensor) -> Tensor:
    """(..., 4) upper left corner and size as corners."""
    low, size = boxes_xywh[..., :2], boxes_xywh[..., 2:]
    return torch.cat([low, low + size], -1)


def xyxy_to_cxcywh(boxes_xyxy: Tensor) -> Tensor:
    """(..., 4) corners as centre and size."""
    low, high = boxes_xyxy[..., :2], boxes_xyxy[..., 2:]
    return torch.cat([(low + high) / 2, high - low], -1)


def cxcywh_to_xyxy(boxes_cxcywh: Tensor) -> Tensor:
    """(..., 4) centre and size as corners."""
    centre, half = boxes_cxcywh[..., :2], boxes_cxcywh[..., 2:] / 2
    return torch.cat([centre - half, centre + half], -1)


def xywh_to_cxcywh(boxes_xywh: Tensor) -> Tensor:
    """(..., 4) upper left corner and size as centre and size."""
    low, size = boxes_xywh[..., :2], boxes_xywh[..., 2:]
    return torch.cat([low + size / 2, size], -1)


def cxcywh_to_xywh(boxes_cxcywh: Tensor) -> Tensor:
    """(..., 4) centre and size as upper left corner and size."""
    centre, size = boxes_cxcywh[..., :2], boxes_cxcywh[..., 2:]
    return torch.cat([centre - size / 2, size], -1)


def normalise_boxes(boxes: Tensor, hw: tuple[int, int]) -> Tensor:
    """(..., 4) pixels, in any of the three forms, as shares of a picture of `hw` (height, width)."""
    return boxes / _sides(boxes, hw)


def denormalise_boxes(boxes: Tensor, hw: tuple[int, int]) -> Tensor:
    """(..., 4) shares of a picture of `hw` (height, width), in any of the three forms, as pixels."""
    return boxes * _sides(boxes, hw)


def clip_boxes(boxes_xyxy: Tensor, hw: tuple[int, int]) -> Tensor:
    """(..., 4) what of each box lies in a picture of `hw` (height, width); a box beside it becomes an empty one."""
    return torch.minimum(boxes_xyxy.clamp_min(0), _sides(boxes_xyxy, hw))


def box_area(boxes_xyxy: Tensor) -> Tensor:
    """(...) area of each box (..., 4); 0 where x2 < x1 or y2 < y1."""
    size = (boxes_xyxy[..., 2:] - boxes_xyxy[..., :2]).clamp_min(0)
    return size[..., 0] * size[..., 1]


def _sides(boxes: Tensor, hw: tuple[int, int]) -> Tensor:
    """(4,) width, height, width, height."""
    height, width = hw
    return boxes.new_tensor([width, height, width, height])
