"""What boxes have to learn: which of them hold a thing, which do not, and which of them are asked.

Letters: N pictures, A boxes of each (anchors, or proposed regions), M places for true things, S boxes that are asked.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.core.config import require
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.iou import box_iou, crowd_iou
from pellucid.ops.boxes.match import IGNORED, NEGATIVE, match_by_iou, sample_balanced

IN_CROWD = 0.5  # a box that lies in a crowd by more than this part of its area is not asked
MOST_PAIRS = 2**24  # of boxes and things that are compared at once: half a GB while their overlap is computed


@dataclass(frozen=True)
class Matching:
    """Which boxes learn what.

    Attributes:
        low, high: below `low` a box is background, from `high` on it is the thing it overlaps most (by intersection
            over union); between the two it is not asked.
        force_best: let the box that overlaps a thing most be that thing's, even below `high`.
        sampled: how many boxes of a picture are asked, at most.
        positive_share: the largest part of them that may hold things.
    """

    low: float = 0.5
    high: float = 0.5
    force_best: bool = False
    sampled: int = 64
    positive_share: float = 0.25

    def __post_init__(self) -> None:
        require(0 <= self.low <= self.high <= 1, "low, high", "0 <= low <= high <= 1", (self.low, self.high))
        require(self.sampled >= 1, "sampled", "1 or more", self.sampled)
        require(0 < self.positive_share <= 1, "positive_share", "above 0 and at most 1", self.positive_share)


@dataclass(frozen=True)
class Asked:
    """The regions that the second stage learns from.

    Attributes:
        boxes_xyxy: (N, S, 4), no gradient; those that hold things first.
        thing: (N, S) int64: the thing of the picture that the region is to name; -1 background; -2 no region here.
    """

    boxes_xyxy: Tensor
    thing: Tensor


def match(boxes_xyxy: Tensor, truth: Truth, settings: Matching) -> Tensor:
    """(N, A) int64: the thing that each box is, -1 background, -2 not to be asked.

    Crowds are no things. Nor is a box background that lies in one. Large batches are gone through picture by picture,
    as memory is needed for each box with each place for a thing.

    Args:
        boxes_xyxy: (N, A, 4), or (1, A, 4), the same for all pictures.
    """
    if len(truth.labels) > 1 and boxes_xyxy.shape[1] * truth.labels.numel() > MOST_PAIRS:
        boxes = boxes_xyxy.expand(len(truth.labels), -1, -1)
        rows = (slice(row, row + 1) for row in range(len(boxes)))
        return torch.cat([match(boxes[row], truth.of_pictures(row), settings) for row in rows])
    overlap = box_iou(boxes_xyxy, truth.boxes_xyxy) * truth.counts[:, None]  # (N, A, M)
    matched = match_by_iou(overlap, settings.low, settings.high, settings.force_best)
    crowd = truth.is_crowd & (truth.labels >= 0)  # (N, M)
    if not crowd.any():
        return matched
    in_crowd = (crowd_iou(boxes_xyxy, truth.boxes_xyxy) * crowd[:, None]).amax(-1) > IN_CROWD
    return torch.where((matched == NEGATIVE) & in_crowd, IGNORED, matched)


@torch.no_grad()
def ask(proposals_xyxy: Tensor, there: Tensor, truth: Truth, settings: Matching, at_random: bool) -> Asked:
    """Choose regions to learn from among the proposals and the true boxes, which may be asked as well.

    Without the true boxes a fresh first stage, whose proposals overlap nothing, would leave nothing to learn.

    Args:
        proposals_xyxy: (N, R, 4).
        there: (N, R) bool: which of them are proposals.
        at_random: else the same proposals always give the same regions.
    """
    boxes = torch.cat([proposals_xyxy.detach(), truth.boxes_xyxy], 1)  # (N, R + M, 4)
    usable = torch.cat([there, truth.counts], 1)
    matched = torch.where(usable, match(boxes, truth, settings), IGNORED)
    positive, negative = sample_balanced(matched, settings.sampled, settings.positive_share, at_random=at_random)
    rank = positive * 2 + negative * 1  # things first, then background, then the others
    rank, order = rank.sort(dim=1, descending=True, stable=True)
    rank, order = rank[:, : settings.sampled], order[:, : settings.sampled]  # (N, S)
    thing = torch.where(rank > 0, matched.gather(1, order), IGNORED)
    chosen = boxes.gather(1, order[..., None].expand(-1, -1, 4))
    return Asked(torch.where((rank > 0)[..., None], chosen, 0), thing)
