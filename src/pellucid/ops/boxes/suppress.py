"""Of boxes that overlap much, the surest. Letters: D boxes.

Greedy suppression: the box with the highest score is kept, all that overlap it more than a threshold are left out,
and so on with the rest. Exact: of equal scores the first box goes first, overlaps are computed for real pairs of one
class (no box is moved aside), and the result does not depend on where the boxes lie. Scores that are NaN come last,
and boxes that hold NaN overlap nothing.
"""

import numpy as np
import torch
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops import compiled
from pellucid.ops.boxes.iou import box_iou

ALL_AT_ONCE = 1024  # boxes up to which all pairs are looked at, whatever their labels
BLOCK = 64  # boxes that are settled together
MOST_GROUPS = 100_000  # labels that are counted without sorting them, besides one for each box


def nms(boxes_xyxy: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """(kept,) int64 indices of the boxes that are kept, highest score first.

    Args:
        boxes_xyxy: (D, 4) corners; D may be 0.
        scores: (D,).
        iou_threshold: boxes that overlap a better one by more than this are left out; exactly this much is kept.

    Raises:
        DataError: the shapes do not fit together.
    """
    return nms_per_class(boxes_xyxy, scores, torch.zeros_like(scores, dtype=torch.int64), iou_threshold)


def nms_per_class(boxes_xyxy: Tensor, scores: Tensor, labels: Tensor, iou_threshold: float) -> Tensor:
    """(kept,) int64, as `nms`, where only boxes of one label suppress each other; highest score of all first.

    A batch of pictures is done at once with labels that tell pictures apart: picture * n_classes + label.

    Args:
        boxes_xyxy: (D, 4) corners.
        scores: (D,).
        labels: (D,) int64, any numbers.
        iou_threshold: as in `nms`.

    Raises:
        DataError: the shapes do not fit together.
    """
    _require(boxes_xyxy, scores, labels)
    if compiled.compiles(boxes_xyxy, scores, labels) and iou_threshold >= 0:
        return _compiled(boxes_xyxy.detach(), scores.detach(), labels, iou_threshold)
    order = _by_score(scores)
    boxes, labels = boxes_xyxy.detach()[order], labels[order]
    if len(order) <= ALL_AT_ONCE:
        return order[_kept(boxes, labels, iou_threshold)]
    kept = torch.ones(len(order), dtype=torch.bool, device=order.device)
    by_label = labels.argsort(stable=True)
    for mine in by_label.split(labels.unique(return_counts=True)[1].tolist()):
        kept[mine] = _kept(boxes[mine], labels[mine], iou_threshold)
    return order[kept]


def soft_nms(
    boxes_xyxy: Tensor,
    scores: Tensor,
    *,
    iou_threshold: float = 0.3,
    sigma: float = 0.5,
    gaussian: bool = True,
    least_score: float = 0.001,
) -> tuple[Tensor, Tensor]:
    """Scores fall with the overlap with better boxes, instead of boxes being left out.

    Bodla et al., "Soft-NMS", 2017 (https://arxiv.org/abs/1704.04503): the best box b is taken, and the score of each
    other one is multiplied by exp(-IoU^2 / sigma), or, linear, by 1 - IoU where IoU is at least `iou_threshold`; and
    so on with the best of the rest.

    Args:
        boxes_xyxy: (D, 4) corners.
        scores: (D,).
        iou_threshold: of the linear form.
        sigma: of the Gaussian form.
        gaussian: which form.
        least_score: boxes end when no score is higher than this.

    Returns:
        (kept,) int64 indices in the order they were taken, (kept,) their new scores.

    Raises:
        DataError: the shapes do not fit together.
    """
    _require(boxes_xyxy, scores, scores)
    boxes = boxes_xyxy.detach()
    rest = scores.detach().to(torch.promote_types(scores.dtype, torch.float32)).clone()
    rest[rest.isnan()] = -torch.inf
    taken: list[Tensor] = []
    new: list[Tensor] = []
    for _ in range(len(rest)):
        score, best = rest.max(0)
        if not score > least_score:
            break
        taken.append(best)
        new.append(score)
        overlap = box_iou(boxes[best][None], boxes)[0]
        if gaussian:
            fall = torch.exp(-overlap.square() / sigma)
        else:
            fall = torch.where(overlap >= iou_threshold, 1 - overlap, 1)
        rest = rest * fall.nan_to_num(1.0)
        rest[best] = -torch.inf
    if not taken:
        return torch.zeros(0, dtype=torch.int64, device=rest.device), rest[:0]
    return torch.stack(taken), torch.stack(new)


def _kept(boxes: Tensor, labels: Tensor, threshold: float) -> Tensor:
    """(D,) bool: which boxes are kept of those given, the best first. A block of the best at a time."""
    kept = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    rest = torch.arange(len(boxes), device=boxes.device)  # neither kept nor left out yet
    while len(rest):
        block, rest = rest[:BLOCK], rest[BLOCK:]
        above = (_overlaps(boxes, labels, block, block, threshold)).triu(1)  # row i suppresses column j
        alive, before = ~above.any(0), torch.ones_like(block, dtype=torch.bool)
        while not torch.equal(alive, before):  # what is settled stays, and the first that is not gets settled
            alive, before = ~(above & alive[:, None]).any(0), alive
        block = block[alive]
        kept[block] = True
        rest = rest[~_overlaps(boxes, labels, block, rest, threshold).any(0)]
    return kept


def _overlaps(boxes: Tensor, labels: Tensor, these: Tensor, those: Tensor, threshold: float) -> Tensor:
    """(these, those) bool: which overlap too much and have one label."""
    return (box_iou(boxes[these], boxes[those]) > threshold) & (labels[these][:, None] == labels[those])


def _compiled(boxes: Tensor, scores: Tensor, labels: Tensor, threshold: float) -> Tensor:
    """(kept,) the same by compiled loops."""
    from pellucid.ops.boxes import suppress_kernel

    if not len(boxes):
        return torch.zeros(0, dtype=torch.int64)
    order = (_by_score(scores) if scores.dtype == torch.float64 else _by_score_compiled(scores)).numpy()
    groups = labels.long() - labels.min()
    n_groups = int(groups.max()) + 1
    if not 0 < n_groups <= len(boxes) + MOST_GROUPS:  # far apart, or so far that their difference has no number
        distinct, groups = labels.unique(return_inverse=True)
        n_groups = len(distinct)
    corners = boxes.to(torch.promote_types(boxes.dtype, torch.float32)).contiguous().numpy()
    starts, grouped = np.empty(n_groups + 1, np.int64), np.empty_like(corners)
    places = suppress_kernel.by_group(corners, groups.contiguous().numpy(), order, n_groups, starts, grouped)
    kept = np.empty(len(order), np.bool_)
    suppress_kernel.suppress(grouped, places, starts, corners.dtype.type(threshold), kept)
    return torch.from_numpy(order[kept])


def _by_score_compiled(scores: Tensor) -> Tensor:
    """The same as `_by_score`, for float32 and shorter."""
    from pellucid.ops.boxes.suppress_kernel import by_score

    return torch.from_numpy(by_score(scores.float().contiguous().numpy().view(np.uint32)))


def _by_score(scores: Tensor) -> Tensor:
    """(D,) int64: highest score first, of equal ones the first, NaN last."""
    nan = scores.detach().isnan()
    order = torch.where(nan, -torch.inf, scores.detach()).argsort(descending=True, stable=True)
    return order[nan[order].to(torch.uint8).argsort(stable=True)]


def _require(boxes: Tensor, scores: Tensor, labels: Tensor) -> None:
    n = len(scores)
    if boxes.shape != (n, 4) or scores.shape != (n,) or labels.shape != (n,):
        raise DataError(
            f"Boxes, scores and labels must have shapes (D, 4), (D,), (D,), got {tuple(boxes.shape)}, "
            f"{tuple(scores.shape)}, {tuple(labels.shape)}."
        )
