"""Which cells learn which thing: those that say its class and its place best already.

Feng et al. 2021, "TOOD: Task-aligned One-stage Object Detection" (https://arxiv.org/abs/2108.07755), section 3.2. A
cell in a thing's box has the alignment s^ALPHA u^BETA, with s its score for the thing's class and u the IoU of its box
with the thing's. The TOPK best learn the thing; their target is no 1 but the alignment, scaled so that the best of a
thing has its best IoU. So scores tell how well boxes lie, of several cells one is called best, and which map a thing is
learned from needs no rule.

It differs: ALPHA and TOPK are those of the later YOLOs, not the paper's 1 and 13; and a box counts as at least one cell
wide, so that small things have a cell, too.

Letters: N pictures, A cells, M places for things, K classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.iou import box_iou

ALPHA, BETA, TOPK = 0.5, 6.0, 10


@dataclass(frozen=True)
class Aligned:
    """What every cell is to learn.

    Attributes:
        thing: (N, A) int64, which place of the truth; 0 where none.
        target: (N, A) float32 in 0..1, the score of the thing's class; 0 where none.
        ignored: (N, A) bool: centre in a crowd, and no thing.
    """

    thing: Tensor
    target: Tensor
    ignored: Tensor


@torch.no_grad()
def align(scores: Tensor, boxes_xyxy: Tensor, centres: Tensor, strides: Tensor, truth: Truth) -> Aligned:
    """Give cells things.

    Args:
        scores: (N, A, K) in 0..1.
        boxes_xyxy: (N, A, 4) as the network has them now.
        centres: (A, 2) x, y of each cell.
        strides: (A,) its size.
        truth: the things.
    """
    real = truth.counts  # (N, M)
    iou = box_iou(truth.boxes_xyxy, boxes_xyxy)  # (N, M, A)
    classes = truth.labels.clamp_min(0)[..., None].expand(-1, -1, scores.shape[1])  # (N, M, A)
    said = scores.transpose(1, 2).gather(1, classes)  # (N, M, A)
    candidate = _inside(truth.boxes_xyxy, centres, strides) & real[..., None]
    alignment = said.pow(ALPHA) * iou.pow(BETA) * candidate
    alignment, iou = alignment.nan_to_num(0.0), iou.nan_to_num(0.0)
    best = alignment.topk(min(TOPK, alignment.shape[2]), 2)
    chosen = torch.zeros_like(candidate).scatter(2, best.indices, best.values > 0)  # (N, M, A)
    thing = torch.where(chosen, iou, -1.0).argmax(1)  # (N, A): of several things, the one it overlaps most
    mine = chosen & (thing[:, None] == torch.arange(chosen.shape[1], device=thing.device)[:, None])
    alignment, iou = alignment * mine, iou * mine
    scale = iou.amax(2, keepdim=True) / alignment.amax(2, keepdim=True).clamp_min(torch.finfo(alignment.dtype).tiny)
    target = (alignment * scale).sum(1)  # (N, A)
    crowd = truth.is_crowd & (truth.labels >= 0)
    ignored = (_inside(truth.boxes_xyxy, centres, strides) & crowd[..., None]).any(1) & ~mine.any(1)
    return Aligned(thing, target, ignored)


def _inside(boxes_xyxy: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """(N, M, A) bool: the centre of a cell lies in the box, made one cell wide if it is less."""
    middle = (boxes_xyxy[..., :2] + boxes_xyxy[..., 2:])[:, :, None] / 2  # (N, M, 1, 2)
    half = (boxes_xyxy[..., 2:] - boxes_xyxy[..., :2])[:, :, None] / 2
    return ((centres - middle).abs() <= torch.maximum(half, strides[:, None] / 2)).all(-1)
