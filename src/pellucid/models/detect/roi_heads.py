"""The second stage: for each region its class and its box, and perhaps an outline or keypoints.

Letters: N pictures, R regions of all pictures, M feature maps, K classes, P keypoints, T sets of moves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from pellucid.models.detect.box_head import BoxHead, BoxPredictor
from pellucid.models.detect.keypoint_head import KeypointHead, KeypointPredictor
from pellucid.models.detect.mask_head import MaskHead, MaskPredictor
from pellucid.models.detect.pick import MOST_CANDIDATES
from pellucid.models.detect.region_pooling import Pooling, pool_regions
from pellucid.models.detect.region_sampling import Matching
from pellucid.ops.boxes.coding import Weights


@dataclass(frozen=True)
class Judging:
    """How regions are judged, and what the second stage learns from. Defaults are for a processor and small pictures.

    Attributes:
        pooling: of features for the class and the box.
        hidden: numbers in the hidden layers.
        weights: of the four moves of a box, which bring them near variance 1.
        matching: what a region has to learn, and how many of them do.
        fine_pooling: of features for outlines and keypoints.
        fine_widths: feature maps after each convolution for them.
        most_fine: regions of a picture whose outline or keypoints are learned, at most; None is all that hold things.
        candidates: see `pick`.
    """

    pooling: Pooling = field(default_factory=Pooling)
    hidden: int = 256
    weights: Weights = (10.0, 10.0, 5.0, 5.0)
    matching: Matching = field(default_factory=Matching)
    fine_pooling: Pooling = field(default_factory=lambda: Pooling(14))
    fine_widths: tuple[int, ...] = (64, 64)
    most_fine: int | None = 4
    candidates: int | None = MOST_CANDIDATES


class RoiHeads(nn.Module):
    """Heads on features that are pooled from the region.

    Args:
        n_classes: K.
        width: M of all maps.
        judging: see there.
        masks: whether outlines are made as well.
        n_keypoints: P; 0 for none.
    """

    def __init__(self, n_classes: int, width: int, judging: Judging, masks: bool = False, n_keypoints: int = 0) -> None:
        super().__init__()
        self.judging = judging
        self.box_head = BoxHead(width, judging.pooling.side, judging.hidden)
        self.box_predictor = BoxPredictor(judging.hidden, n_classes)
        last = (width, *judging.fine_widths)[-1]
        self.mask_head = self.mask_predictor = self.keypoint_head = self.keypoint_predictor = None
        if masks:
            self.mask_head = MaskHead(width, judging.fine_widths)
            self.mask_predictor = MaskPredictor(last, n_classes)
        if n_keypoints:
            self.keypoint_head = KeypointHead(width, judging.fine_widths)
            self.keypoint_predictor = KeypointPredictor(last, n_keypoints)

    def shared(self, maps: Mapping[int, Tensor]) -> Mapping[int, Tensor]:
        """What is computed once a picture: nothing here."""
        return maps

    def forward(self, maps: Mapping[int, Tensor], boxes_xyxy: Tensor, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Once a region: logits (R, K + 1), the first of background, and moves (R, T, 4).

        Args:
            maps: stride -> (N, M, h, w).
            boxes_xyxy: (R, 4) pixels.
            picture: (R,) int64.
        """
        pooled = pool_regions(maps, boxes_xyxy, picture, self.judging.pooling)
        logits, deltas = self.box_predictor(self.box_head(pooled))
        return logits.float(), deltas.float()

    def masks(self, maps: Mapping[int, Tensor], boxes_xyxy: Tensor, picture: Tensor, labels: Tensor) -> Tensor:
        """(R, T, T) logits of the outline of each region's class 0..K-1; T is twice the side of `fine_pooling`."""
        pooled = pool_regions(maps, boxes_xyxy, picture, self.judging.fine_pooling)
        every = self.mask_predictor(self.mask_head(pooled)).float()  # type: ignore[misc]
        return every.gather(1, (labels + 1)[:, None, None, None].expand(-1, 1, *every.shape[2:]))[:, 0]

    def keypoints(self, maps: Mapping[int, Tensor], boxes_xyxy: Tensor, picture: Tensor) -> Tensor:
        """(R, P, T, T) logits of where each keypoint is; T is four times the side of `fine_pooling`."""
        pooled = pool_regions(maps, boxes_xyxy, picture, self.judging.fine_pooling)
        logits: Tensor = self.keypoint_predictor(self.keypoint_head(pooled)).float()  # type: ignore[misc]
        return logits
