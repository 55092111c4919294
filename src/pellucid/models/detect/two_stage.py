"""Detectors in two stages: the first looks at the picture once, the second at each region that may hold a thing.

Girshick 2015, "Fast R-CNN" (https://arxiv.org/abs/1504.08083), where regions are given; Ren et al. 2015, "Faster R-CNN"
(https://arxiv.org/abs/1506.01497), where the first stage proposes them. Both stages are learned at once, as in that
paper's section 3.2 ("approximate joint training"): no gradient flows through where a proposal lies.

Letters: N pictures, C channels, H x W pixels, K classes, R proposals and B regions to learn from a picture, T sets of
moves, Q regions whose outline or keypoints are learned, P keypoints, D places for what is found.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.errors import DataError
from pellucid.models.detect.box_head import region_losses
from pellucid.models.detect.detector import Outputs
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.keypoint_head import keypoint_cells, keypoint_loss, keypoints_from
from pellucid.models.detect.maps import Maps
from pellucid.models.detect.mask_head import mask_loss, mask_targets
from pellucid.models.detect.pick import pick
from pellucid.models.detect.position_sensitive_heads import PositionSensitiveHeads
from pellucid.models.detect.region_sampling import Asked, ask
from pellucid.models.detect.roi_heads import RoiHeads
from pellucid.models.detect.rpn import RegionProposals
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.coding import decode_boxes

MAP = "map_"  # before the stride of maps among the outputs
ROUNDING = 1e-4  # a whole number that is just missed is that number


class TwoStage(nn.Module):
    """Maps of the picture, regions, and what is in them.

    Outputs, besides those of `RegionProposals`: of the regions to learn from, where there is a truth, `asked_xyxy`
    (N, B, 4), `asked_thing` (N, B) as in `Asked`, `asked_logits` (N, B, K + 1), `asked_deltas` (N, B, T, 4), of some
    that hold things `fine` (Q,), their places in (N * B), and `mask_logits` (Q, S, S) or `keypoint_logits`
    (Q, P, S, S); outside training `proposal_logits` and `proposal_moves`, likewise of all proposals, `image_hw` (2,),
    and the maps where outlines or keypoints will be read from them.

    Args:
        n_classes: K.
        backbone: gives the maps, once a picture.
        rpn: proposes regions; None where they are given.
        roi_heads: looks at them, once each.
        limits: what counts as found unless told; None is the usual.
    """

    def __init__(
        self,
        n_classes: int,
        backbone: Maps,
        rpn: RegionProposals | None,
        roi_heads: RoiHeads | PositionSensitiveHeads,
        limits: Limits | None = None,
    ) -> None:
        super().__init__()
        self.n_classes, self.limits = n_classes, limits
        self.backbone, self.rpn, self.roi_heads = backbone, rpn, roi_heads
        self.notes = backbone.notes
        self.initial_losses = {
            **({"objectness": math.log(2), "proposal_box": math.nan} if rpn else {}),
            "class": math.log(n_classes + 1),
            "box": math.nan,
        }
        fine = self._fine  # of pictures without things these are 0, so it depends on how many there are
        self.initial_losses |= {"mask": math.nan} if fine is not None and fine.mask_head is not None else {}
        self.initial_losses |= {"keypoint": math.nan} if fine is not None and fine.keypoint_head is not None else {}

    @property
    def _fine(self) -> RoiHeads | None:
        """The heads, where they say more than class and box."""
        heads = self.roi_heads
        if isinstance(heads, RoiHeads) and (heads.mask_head is not None or heads.keypoint_head is not None):
            return heads
        return None

    def forward(self, x: Tensor, truth: Truth | None = None, proposals_xyxy: Tensor | None = None) -> Outputs:
        """(N, C, H, W) standardised pixels -> see above; H and W are free.

        Args:
            x: pictures.
            truth: what to learn, and the given proposals.
            proposals_xyxy: (N, R, 4), given without a truth; zeros where there are fewer.

        Raises:
            DataError: regions have to be given and are not.
        """
        maps = self.backbone(x)
        hw = (x.shape[-2], x.shape[-1])
        outputs = self.rpn(maps, hw) if self.rpn else self._given(truth, proposals_xyxy)
        pooled = self.roi_heads.shared({stride: maps[stride] for stride in self.backbone.pooled})
        proposals, there = outputs["proposals_xyxy"], outputs["proposal_scores"] >= 0
        asked = None
        if truth is not None:
            asked = ask(proposals, there, truth, self.roi_heads.judging.matching, at_random=self.training)
            outputs |= {"asked_xyxy": asked.boxes_xyxy, "asked_thing": asked.thing}
        parts = [] if asked is None else [("asked_logits", "asked_deltas", asked.boxes_xyxy, asked.thing >= -1)]
        if not self.training:
            parts.append(("proposal_logits", "proposal_moves", proposals, there))
            outputs["image_hw"] = torch.tensor(hw)
            outputs |= {f"{MAP}{stride}": each for stride, each in pooled.items()} if self._fine else {}
        for logits, deltas, boxes, real in parts:
            outputs[logits], outputs[deltas] = self._judge(pooled, boxes, real)
        if asked is not None and truth is not None and self._fine:
            outputs |= _fine_outputs(self._fine, pooled, asked, truth)
        return outputs

    def losses(self, outputs: Outputs, truth: Truth) -> dict[str, Tensor]:
        """The four joint losses `objectness`, `proposal_box`, `class`, `box`, and `mask`, `keypoint`: (N,) each."""
        asked = Asked(outputs["asked_xyxy"], outputs["asked_thing"])
        losses = self.rpn.losses(outputs, truth) if self.rpn else {}
        weights = self.roi_heads.judging.weights
        losses |= region_losses(outputs["asked_logits"], outputs["asked_deltas"], asked, truth, weights)
        if self._fine is None:
            return losses
        n_pictures, b = asked.thing.shape
        chosen = outputs["fine"]
        n, boxes, thing = chosen // b, asked.boxes_xyxy.flatten(0, 1)[chosen], asked.thing.flatten()[chosen]
        if "mask_logits" in outputs:
            if truth.masks is None:
                raise DataError("This network learns outlines, and the data has none. Take one that finds boxes.")
            logits = outputs["mask_logits"]
            targets = mask_targets(truth.masks, boxes, n, thing, logits.shape[-1])
            losses["mask"] = mask_loss(logits, targets, n, n_pictures)
        if "keypoint_logits" in outputs:
            if truth.keypoints is None:
                raise DataError("This network learns keypoints, and the data has none. Take one that finds boxes.")
            logits = outputs["keypoint_logits"]
            cells, usable = keypoint_cells(truth.keypoints[n, thing], boxes, logits.shape[-1])
            losses["keypoint"] = keypoint_loss(logits, cells, usable, n, n_pictures)
        return losses

    def found(self, outputs: Outputs, limits: Limits) -> Found:
        """The surest things, each in the box of its class; outlines and keypoints are read from those boxes."""
        proposals, logits = outputs["proposals_xyxy"], outputs["proposal_logits"]
        there = outputs["proposal_scores"] >= 0
        scores = logits.softmax(-1)[..., 1:] * there[..., None]  # (N, R, K)
        moved = decode_boxes(outputs["proposal_moves"], proposals[:, :, None], self.roi_heads.judging.weights)
        boxes = moved[:, :, 1:] if moved.shape[2] > 1 else moved[:, :, 0]  # (N, R, K, 4) or (N, R, 4)
        boxes = boxes * there.view(*there.shape, *[1] * (boxes.dim() - 2))  # nothing has no sides and is not found
        height, width = outputs["image_hw"].tolist()
        found = pick(boxes, scores, limits, (height, width), self.roi_heads.judging.candidates)
        heads = self._fine
        if heads is None:
            return found
        maps = {int(name.removeprefix(MAP)): each for name, each in outputs.items() if name.startswith(MAP)}
        n, d = (found.labels >= 0).nonzero(as_tuple=True)
        at = found.boxes_xyxy[n, d]
        if heads.mask_head is not None:
            logits = heads.masks(maps, at, n, found.labels[n, d])
            masks = logits.new_zeros(*found.labels.shape, *logits.shape[1:])
            masks[n, d] = logits.sigmoid()
            found = replace(found, masks=masks)
        if heads.keypoint_head is not None:
            points = keypoints_from(heads.keypoints(maps, at, n), at)
            keypoints = points.new_zeros(*found.labels.shape, *points.shape[1:])
            keypoints[n, d] = points
            found = replace(found, keypoints=keypoints)
        return found

    def _given(self, truth: Truth | None, proposals_xyxy: Tensor | None) -> Outputs:
        given = proposals_xyxy if proposals_xyxy is not None or truth is None else truth.proposals_xyxy
        if given is None:
            raise DataError(
                "This network looks only at regions that it is given, and the batch has no proposals_xyxy. Take "
                "faster_rcnn, which proposes its own."
            )
        there = (given[..., 2:] > given[..., :2]).all(-1)
        return {"proposals_xyxy": given, "proposal_scores": torch.where(there, 1.0, -1.0)}

    def _judge(self, maps: Mapping[int, Tensor], boxes_xyxy: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """(N, B, 4), (N, B) -> logits (N, B, K + 1), moves (N, B, T, 4); zeros where no region is, at no cost."""
        n, b = there.nonzero(as_tuple=True)
        logits, deltas = self.roi_heads(maps, boxes_xyxy[n, b], n)
        place = (n, b)
        all_logits = logits.new_zeros(*there.shape, logits.shape[1]).index_put(place, logits)
        return all_logits, deltas.new_zeros(*there.shape, *deltas.shape[1:]).index_put(place, deltas)


def _fine_outputs(heads: RoiHeads, maps: Mapping[int, Tensor], asked: Asked, truth: Truth) -> Outputs:
    """Outlines or keypoints of regions that hold things, which come first among those asked."""
    positive = asked.thing >= 0  # (N, B)
    most = heads.judging.most_fine
    if most is not None:  # the surest come first and are of few things: take some from all over
        share = most / positive.sum(1, keepdim=True).clamp_min(most)  # (N, 1)
        taken = (positive.cumsum(1) * share + ROUNDING).floor()
        positive = positive & (taken > F.pad(taken, (1, -1)))
    n, b = positive.nonzero(as_tuple=True)
    boxes = asked.boxes_xyxy[n, b]
    outputs = {"fine": n * positive.shape[1] + b}
    if heads.mask_head is not None:
        outputs["mask_logits"] = heads.masks(maps, boxes, n, truth.labels[n, asked.thing[n, b]])
    if heads.keypoint_head is not None:
        outputs["keypoint_logits"] = heads.keypoints(maps, boxes, n)
    return outputs
