"""How well found outlines cover the true ones. N pictures, D and M places, S a mask's grid, H x W the canvas."""

from collections.abc import Mapping

import torch
from torch import Tensor

from pellucid.ops.masks.paste import paste_masks


def mask_records(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`mask_iou` (N, D, M) float32 and `mask_area` (N, D) float32 in pixels of the file.

    Both are counted on the canvas, where a pixel belongs to a thing from a probability of 0.5 on. Over a crowd, what
    both share is divided by the found thing alone, as COCO does.
    """
    boxes, labels, masks = outputs["found_boxes_xyxy"], outputs["found_labels"], outputs["found_masks"]
    true = batch["instance_mask"]  # (N, M, H, W)
    n, d, m = *labels.shape, true.shape[1]
    iou, area = boxes.new_zeros(n, d, m), boxes.new_zeros(n, d)
    for i in range(n):
        places = torch.nonzero(labels[i] >= 0).flatten()
        if not len(places):
            continue
        pasted = paste_masks(masks[i, places], boxes[i, places], (true.shape[2], true.shape[3])).flatten(1).float()
        other = true[i].flatten(1).float()
        shared = pasted @ other.T  # (d, M), whole numbers, exact up to 16 million pixels
        own, theirs = pasted.sum(1, keepdim=True), other.sum(1)
        union = torch.where(batch["is_crowd"][i], own, own + theirs - shared)
        iou[i, places] = shared / union.clamp_min(1)
        area[i, places] = own[:, 0] * batch["canvas_affine"][i, [0, 1], [0, 1]].prod().to(own)
    return {"mask_iou": iou, "mask_area": area}
