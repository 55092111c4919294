"""One thing a picture: its class and its box, from one last layer of K + 4 numbers. Of 1000 classes, 1004.

The course's first step from classifying to detecting: a classifier whose last layer says four numbers more, trained by
the sum of two losses, cross-entropy for the class and a distance for the box (https://cs231n.stanford.edu/, lecture on
detection). The same four numbers can be those of joints: then 2 more for each of P keypoints.

The box is (centre x, centre y, width, height) in shares of the picture, each less 1/2 and divided by 1/4, which brings
it near to mean 0 and spread 1: so the distance has about the size of the other loss, and weights mean something.

It learns from the largest thing of each picture and is never told that there are others, or none.

Letters: N pictures, K classes, P keypoints, M places for things, G cells of the pooled map, F numbers of its layers.
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.core.choose import choose
from pellucid.models.backbones import Backbone
from pellucid.models.backbones import backbone as zoo
from pellucid.models.backbones.small import SmallEncoder
from pellucid.models.detect.detector import Outputs
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.convert import box_area, cxcywh_to_xyxy, xyxy_to_cxcywh
from pellucid.ops.boxes.iou import paired_generalized_iou

BoxLoss = Literal["l2", "l1", "smooth_l1", "giou"]
# of what a network says and what is, number by number
DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l2": lambda said, true: (said - true).square(),
    "l1": lambda said, true: (said - true).abs(),
    "smooth_l1": lambda said, true: F.smooth_l1_loss(said, true, reduction="none"),
}
BOX_LOSSES = (*DISTANCES, "giou")
OWN_WIDTHS = {2: 32, 4: 48, 8: 96, 16: 128}  # of the encoder that it has unless told
LEAST_CELLS = 4  # along a side of the map that its own encoder ends with: fewer do not say where
CELLS = 7  # along a side that a map is pooled to at most: ResNet's of 224 px stays as it is
NARROW, HIDDEN = 64, 256
MIDDLE, SPREAD = 0.5, 0.25  # see above
THINNEST = 1e-3  # share of the picture that a box is wide at least


class Localizer(nn.Module):
    """See above.

    Args:
        n_classes: K.
        encoder: (N, C, H, W) -> stride -> map, with `widths`.
        n_keypoints: P, 0 for none.
        box_loss: how boxes are compared: l2, l1, smooth_l1 of their four numbers, summed; or 1 - GIoU. Keypoints are
            compared in the same way, and by l1 with giou.
    """

    notes: tuple[str, ...] = (
        "the localizer learns from the largest thing of each picture, and names one thing a picture",
    )

    def __init__(
        self, n_classes: int, encoder: SmallEncoder | Backbone, n_keypoints: int = 0, box_loss: BoxLoss = "l2"
    ) -> None:
        super().__init__()
        choose(box_loss, dict.fromkeys(BOX_LOSSES), "box loss")
        self.n_classes, self.n_keypoints, self.box_loss = n_classes, n_keypoints, box_loss
        self.notes = (*self.notes, *encoder.notes)
        self.backbone = encoder
        self._last_map = max(encoder.widths)
        width = encoder.widths[self._last_map]
        self.narrow = nn.Sequential(nn.Conv2d(width, NARROW, 1), nn.ReLU())
        self.hidden = nn.Linear(NARROW * CELLS * CELLS, HIDDEN)
        self.answers = nn.Linear(HIDDEN, n_classes + 4 + 2 * n_keypoints)
        nn.init.normal_(self.answers.weight, std=0.01)  # so that all classes, and the middle, are said at first
        nn.init.zeros_(self.answers.bias)

    @property
    def initial_losses(self) -> dict[str, float]:
        """All classes alike, where each picture shows a thing; the rest depends on the boxes."""
        points = {"keypoint": math.nan} if self.n_keypoints else {}
        return {"class": math.log(self.n_classes), "box": math.nan, **points}

    def forward(self, x: Tensor, truth: Truth | None = None) -> Outputs:
        """(N, C, H, W) -> `logits` (N, K), `box` (N, 4), `points` (N, P, 2) standardised, `sides` (N, 2) = W, H."""
        last = self.backbone(x)[self._last_map]  # (N, F, h, w)
        flat = F.adaptive_avg_pool2d(self.narrow(last), CELLS).flatten(1)  # (N, F * G * G)
        kind = "cpu" if x.is_meta else x.device.type
        with torch.autocast(kind, enabled=False):  # bf16 knows 1/256 of a picture's side at best
            said = self.answers(self.hidden(flat.float()).relu())  # (N, K + 4 + 2P)
        logits, box, points = said.split((self.n_classes, 4, 2 * self.n_keypoints), dim=1)
        sides = said.new_tensor([x.shape[3], x.shape[2]]).expand(len(x), 2)
        return {"logits": logits, "box": box, "points": points.unflatten(1, (self.n_keypoints, 2)), "sides": sides}

    def losses(self, outputs: Outputs, truth: Truth) -> dict[str, Tensor]:
        """`class`, `box` and, with keypoints, `keypoint`: (N,) each, 0 where there is no thing."""
        sides = outputs["sides"]
        place, there = _largest(truth)  # (N,), (N,)
        rows = torch.arange(len(place), device=place.device)
        label = truth.labels[rows, place].clamp(min=0)
        classes = F.cross_entropy(outputs["logits"], label, reduction="none")
        share = truth.boxes_xyxy[rows, place] / sides.repeat(1, 2)  # (N, 4)
        found = {"class": classes * there, "box": self._of_box(outputs["box"], share) * there}
        if self.n_keypoints:
            found["keypoint"] = self._of_points(outputs["points"], truth, rows, place, sides) * there
        return found

    def found(self, outputs: Outputs, limits: Limits) -> Found:
        """One thing a picture: of the likeliest class, if its probability is at least `limits.score`."""
        sides = outputs["sides"]
        score, label = outputs["logits"].softmax(1).max(1)  # (N,)
        box = _as_xyxy(outputs["box"]) * sides.repeat(1, 2)
        clipped = torch.minimum(box.clamp(min=0), sides.repeat(1, 2))
        n = len(score)
        kept = score >= limits.score

        def padded(value: Tensor, fill: float) -> Tensor:
            empty = value.new_full((n, limits.most, *value.shape[1:]), fill)
            empty[:, 0] = torch.where(kept.view(n, *[1] * (value.dim() - 1)), value, empty[:, 0])
            return empty

        points = None
        if self.n_keypoints:
            xy = (MIDDLE + SPREAD * outputs["points"]) * sides[:, None]
            points = padded(torch.cat([xy, score[:, None, None].expand(n, self.n_keypoints, 1)], dim=-1), 0)
        return Found(padded(clipped, 0), padded(score, 0), padded(label, -1), None, points)

    def _of_box(self, said: Tensor, share_xyxy: Tensor) -> Tensor:
        """(N, 4) standardised, and shares of the picture -> (N,)."""
        if self.box_loss == "giou":
            return 1 - paired_generalized_iou(_as_xyxy(said), share_xyxy)
        true = (xyxy_to_cxcywh(share_xyxy) - MIDDLE) / SPREAD
        return DISTANCES[self.box_loss](said, true).sum(1)

    def _of_points(self, said: Tensor, truth: Truth, rows: Tensor, place: Tensor, sides: Tensor) -> Tensor:
        """(N,): the mean over the marked keypoints of the thing; 0 where none is marked."""
        if truth.keypoints is None:
            return said.flatten(1).sum(1) * 0
        points = truth.keypoints[rows, place]  # (N, P, 3)
        true = (points[..., :2] / sides[:, None] - MIDDLE) / SPREAD
        marked = points[..., 2] > 0
        distance = DISTANCES.get(self.box_loss, DISTANCES["l1"])(said, true).sum(-1) * marked  # (N, P)
        return distance.sum(1) / marked.sum(1).clamp(min=1)


def _largest(truth: Truth) -> tuple[Tensor, Tensor]:
    """(N,) the place of the largest thing that counts, the first of equals; and (N,) whether there is one."""
    area = box_area(truth.boxes_xyxy).masked_fill(~truth.counts, -1)  # (N, M)
    return area.argmax(1), truth.counts.any(1)


def _as_xyxy(said: Tensor) -> Tensor:
    """(N, 4) standardised centre and size -> corners in shares of the picture, none thinner than it may be.

    Gradients pass as if there were no such limit, so that a box that has become too thin can grow again.
    """
    centre, size = (MIDDLE + SPREAD * said).split(2, dim=1)
    size = size + (size.clamp(min=THINNEST) - size).detach()
    return cxcywh_to_xyxy(torch.cat([centre, size], dim=1))


def localizer(
    n_classes: int,
    channels: int,
    image_size: tuple[int, int],
    backbone: str = "",
    n_keypoints: int = 0,
    box_loss: BoxLoss = "l2",
) -> Localizer:
    """A localizer on a network of the zoo; "" is a small encoder of its own."""
    if backbone:
        return Localizer(n_classes, zoo(backbone, channels, image_size), n_keypoints, box_loss)
    strides = [s for s in OWN_WIDTHS if s == min(OWN_WIDTHS) or min(image_size) >= LEAST_CELLS * s]
    encoder = SmallEncoder(channels, {stride: OWN_WIDTHS[stride] for stride in strides})
    return Localizer(n_classes, encoder, n_keypoints, box_loss)
