"""From a score for every place and class to the things of a picture.

Letters: N pictures, A places, K classes, D places for what is found.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from pellucid.models.detect.found import Found, Limits
from pellucid.ops.boxes.convert import clip_boxes
from pellucid.ops.boxes.suppress import nms_per_class

MOST_CANDIDATES = 1000  # pairs of place and class a picture that suppression looks at, the surest


def pick(
    boxes_xyxy: Tensor,
    scores: Tensor,
    limits: Limits,
    size_hw: tuple[int, int],
    candidates: int | None = MOST_CANDIDATES,
) -> Found:
    """The surest things; of those that overlap, one of each class.

    Args:
        boxes_xyxy: (N, A, 4), or (N, A, K, 4) where every class has a box of its own.
        scores: (N, A, K) in 0..1.
        limits: what is handed on.
        size_hw: height and width that boxes are cut to.
        candidates: pairs of place and class a picture that suppression looks at, the surest; None is all that are sure
            enough, as published detectors have it.
    """
    _, a, k = scores.shape
    count = min(candidates, a * k) if candidates else max([0, *(scores >= limits.score).sum((1, 2)).tolist()])
    scores, chosen = scores.flatten(1).topk(count)  # (N, C)
    places, labels = chosen.div(k, rounding_mode="floor"), chosen % k
    rows = chosen if boxes_xyxy.dim() == 4 else places
    boxes = boxes_xyxy.flatten(1, -2).gather(1, rows[..., None].expand(-1, -1, 4))  # (N, C, 4)
    return keep(clip_boxes(boxes, size_hw), scores, labels, limits, k)


def surest_of_maps(scores: Tensor, counts: Sequence[int], most: int) -> Tensor:
    """(N, A, K), where of each map's places and classes all but the surest have the score -1.

    Args:
        scores: (N, A, K).
        counts: how many of the A places each map has, in order.
        most: pairs of place and class that keep their score.
    """
    parts = scores.split(list(counts), 1)
    return torch.cat([_only(each.flatten(1), most).view_as(each) for each in parts], 1)


def surest_of_classes(scores: Tensor, most: int) -> Tensor:
    """(N, A, K), where of each class all places but the `most` surest have the score -1."""
    return _only(scores.transpose(1, 2), most).transpose(1, 2)


def _only(scores: Tensor, most: int) -> Tensor:
    """The largest along the last side, and -1 for the others."""
    best, places = scores.topk(min(most, scores.shape[-1]))
    return torch.full_like(scores, -1.0).scatter(-1, places, best)


def keep(boxes_xyxy: Tensor, scores: Tensor, labels: Tensor, limits: Limits, n_classes: int) -> Found:
    """What of the candidates (N, C, 4), (N, C), (N, C) is sure enough, large enough to see and not said before."""
    n = len(scores)
    solid = (boxes_xyxy[..., 2:] > boxes_xyxy[..., :2]).all(-1)
    picture, candidate = ((scores >= limits.score) & solid).nonzero(as_tuple=True)  # (B,), (B,)
    boxes, scores, labels = (each[picture, candidate] for each in (boxes_xyxy, scores, labels))
    kept = nms_per_class(boxes, scores, picture * n_classes + labels, limits.iou)
    kept = kept[picture[kept].argsort(stable=True)]  # picture by picture, the surest of each first
    picture = picture[kept]
    counts = torch.zeros(n, dtype=picture.dtype, device=picture.device).index_add_(0, picture, torch.ones_like(picture))
    first = counts.cumsum(0) - counts  # (N,) row of each picture's surest
    rank = torch.arange(len(picture), device=picture.device) - first[picture]
    inside = rank < limits.most
    kept, picture, rank = kept[inside], picture[inside], rank[inside]
    found = Found(
        boxes_xyxy.new_zeros(n, limits.most, 4),
        scores.new_zeros(n, limits.most),
        labels.new_full((n, limits.most), -1),
    )
    found.boxes_xyxy[picture, rank] = boxes[kept]
    found.scores[picture, rank] = scores[kept]
    found.labels[picture, rank] = labels[kept]
    return found
