"""Region proposals: the first stage of Faster R-CNN, which says where something may be.

Ren et al. 2015, "Faster R-CNN" (https://arxiv.org/abs/1506.01497), section 3.1; on the maps of a pyramid after Lin et
al. 2017 (https://arxiv.org/abs/1612.03144), section 4.1. A small convolution slides over the maps. At each place it
judges k boxes of set sizes and shapes, the anchors: one number each, whether it holds a thing (of whatever class: kinds
come in the second stage), and four, how the box should move. So there are k maps of objectness and 4k of moves.

Differs from the paper: one number and a sigmoid for objectness in place of two and a softmax, which is the same
function; anchors that reach over the border are used. Parameters have torchvision's names.

Letters: N pictures, M maps of a stride, h x w cells of it, k anchors at a cell, A anchors in all, R proposals of a
picture.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.config import require
from pellucid.models.detect.cells import by_cell
from pellucid.models.detect.detector import Outputs
from pellucid.models.detect.fill_up import steps
from pellucid.models.detect.region_sampling import Matching, match
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.anchors import anchor_grid
from pellucid.ops.boxes.coding import decode_boxes, encode_boxes
from pellucid.ops.boxes.convert import clip_boxes
from pellucid.ops.boxes.match import sample_balanced
from pellucid.ops.boxes.suppress import nms_per_class

CODE = (1.0, 1.0, 1.0, 1.0)  # weights of the four moves
BETA = 1 / 9  # of smooth L1, where the square ends
LEAST_SIDE = 1e-3  # px; what is thinner is no proposal
NO_SCORE = -1.0  # of places that hold no proposal


@dataclass(frozen=True)
class Proposing:
    """How regions are proposed, and what the first stage learns from. Defaults are for a processor and small pictures.

    Attributes:
        ratios: heights of anchors over their widths.
        whole_anchors: round the sides of anchors to whole pixels and centre them on the corners of cells, as published
            weights have it; else they are centred on cells.
        before: how many of the surest boxes of each stride are looked at, in training and outside it.
        after: how many of them are proposed at most, likewise.
        iou: of two boxes of a stride that overlap more, the less sure is left out.
        matching: what an anchor has to learn, and how many of them learn.
    """

    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    whole_anchors: bool = False
    before: tuple[int, int] = (300, 300)
    after: tuple[int, int] = (150, 100)
    iou: float = 0.7
    matching: Matching = field(default_factory=lambda: Matching(0.3, 0.7, True, sampled=128, positive_share=0.5))

    def __post_init__(self) -> None:
        for name in ("before", "after"):
            require(min(getattr(self, name)) >= 1, name, "1 or more", getattr(self, name))


class ProposalHead(nn.Module):
    """A 3x3 convolution over every map, the same for all strides, and two 1x1: k and 4k numbers a cell.

    Args:
        width: M of every map.
        n_anchors: k.
    """

    def __init__(self, width: int, n_anchors: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU()))
        self.cls_logits = nn.Conv2d(width, n_anchors, 1)
        self.bbox_pred = nn.Conv2d(width, 4 * n_anchors, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, M, h, w) -> logits of objectness (N, k, h, w), moves (N, 4k, h, w)."""
        x = self.conv(x)
        return self.cls_logits(x), self.bbox_pred(x)


class RegionProposals(nn.Module):
    """Maps of all strides -> boxes that may hold things, the surest first.

    Args:
        width: M of every map.
        anchor_sizes: stride -> sides in pixels of the anchors there (of the square with their area); of each stride as
            many.
        settings: see `Proposing`.
    """

    def __init__(self, width: int, anchor_sizes: Mapping[int, tuple[float, ...]], settings: Proposing) -> None:
        super().__init__()
        counts = {len(sizes) for sizes in anchor_sizes.values()}
        require(len(counts) == 1, "anchor_sizes", "as many of each stride", dict(anchor_sizes))
        self.anchor_sizes, self.settings = dict(anchor_sizes), settings
        self.head = ProposalHead(width, counts.pop() * len(settings.ratios))

    def forward(self, maps: Mapping[int, Tensor], image_hw: tuple[int, int]) -> Outputs:
        """Stride -> (N, M, h, w) -> what is proposed, and what it was chosen from.

        Returns:
            `objectness` (N, A), `proposal_deltas` (N, A, 4) float32 and `anchors` (A, 4): of all cells, finest stride
            first; `proposals_xyxy` (N, R, 4) within the picture and `proposal_scores` (N, R) in 0..1, falling; boxes of
            zeros with the score -1 where fewer are proposed. No gradient flows through the latter two.
        """
        logits, deltas, anchors = [], [], []
        finest = min(self.anchor_sizes)
        filled_hw = (finest * maps[finest].shape[-2], finest * maps[finest].shape[-1])
        for stride in self.anchor_sizes:
            one_logits, one_deltas = self.head(maps[stride])
            anchors.append(self._anchors(stride, one_logits, filled_hw))  # (hwk, 4)
            logits.append(by_cell(one_logits, 1)[..., 0])  # (N, hwk)
            deltas.append(by_cell(one_deltas, 4))  # (N, hwk, 4)
        counts = [each.shape[1] for each in logits]
        objectness, moves, boxes = torch.cat(logits, 1).float(), torch.cat(deltas, 1).float(), torch.cat(anchors)
        with torch.no_grad():
            proposals, scores = self._propose(objectness, moves, boxes, counts, image_hw)
        return {
            "objectness": objectness,
            "proposal_deltas": moves,
            "anchors": boxes,
            "proposals_xyxy": proposals,
            "proposal_scores": scores,
        }

    def losses(self, outputs: Outputs, truth: Truth) -> dict[str, Tensor]:
        """`objectness` and `proposal_box`, (N,) each: means over the anchors of a picture that are asked."""
        settings, anchors = self.settings.matching, outputs["anchors"]
        matched = match(anchors[None], truth, settings)  # (N, A)
        positive, negative = sample_balanced(
            matched, settings.sampled, settings.positive_share, at_random=self.training
        )
        asked = positive | negative
        count = asked.sum(1).clamp_min(1)  # (N,)
        logits = outputs["objectness"]
        surprise = F.binary_cross_entropy_with_logits(logits, positive.to(logits), reduction="none")
        n, a = positive.nonzero(as_tuple=True)
        wanted = encode_boxes(truth.boxes_xyxy[n, matched[n, a]], anchors[a], CODE)
        moves = F.smooth_l1_loss(outputs["proposal_deltas"][n, a], wanted, reduction="none", beta=BETA).sum(1)
        return {
            "objectness": torch.where(asked, surprise, 0).sum(1) / count,
            "proposal_box": moves.new_zeros(len(count)).index_add(0, n, moves) / count,
        }

    def _anchors(self, stride: int, like: Tensor, filled_hw: tuple[int, int]) -> Tensor:
        """(h * w * k, 4) at the cells of a map (N, M, h, w) of a picture of so many pixels."""
        whole = self.settings.whole_anchors
        cells_hw = (like.shape[-2], like.shape[-1])
        return anchor_grid(
            self.anchor_sizes[stride],
            self.settings.ratios,
            steps(filled_hw, cells_hw) if whole else stride,
            cells_hw,
            rounded=whole,
            offset=0.0 if whole else 0.5,
            device=like.device,
        )

    def _propose(
        self, objectness: Tensor, deltas: Tensor, anchors: Tensor, counts: list[int], image_hw: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """The surest of every stride, moved, and of those that overlap the surest: (N, R, 4), (N, R)."""
        before, after = self.settings.before[not self.training], self.settings.after[not self.training]
        places, start = [], 0
        for count in counts:
            places.append(objectness[:, start : start + count].topk(min(before, count), dim=1).indices + start)
            start += count
        chosen = torch.cat(places, 1)  # (N, B)
        level = torch.cat([torch.full_like(each, number) for number, each in enumerate(places)], 1)
        moved = decode_boxes(deltas.gather(1, chosen[..., None].expand(-1, -1, 4)), anchors[chosen], CODE)
        moved = clip_boxes(moved, image_hw)  # (N, B, 4)
        scores = objectness.gather(1, chosen).sigmoid()
        wide = (moved[..., 2:] - moved[..., :2]).amin(-1) >= LEAST_SIDE
        picture = torch.arange(len(moved), device=moved.device)[:, None]
        n, b = wide.nonzero(as_tuple=True)
        kept = nms_per_class(moved[n, b], scores[n, b], (picture * len(counts) + level)[n, b], self.settings.iou)
        alive = torch.zeros_like(wide)
        alive[n[kept], b[kept]] = True
        sure, order = torch.where(alive, scores, NO_SCORE).sort(dim=1, descending=True, stable=True)
        sure, order = sure[:, :after], order[:, :after]  # (N, R)
        there = (sure > NO_SCORE)[..., None]
        return torch.where(there, moved.gather(1, order[..., None].expand(-1, -1, 4)), 0), sure
