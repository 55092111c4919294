"""SSD: default boxes at every cell of several maps, each with a head of its own.

Liu et al. 2015, "SSD: Single Shot MultiBox Detector" (https://arxiv.org/abs/1512.02325). Coarser maps look for larger
things. A box is told apart into K classes and background by one softmax; since nearly all boxes are background, only
those that look least like it learn, three for each box with a thing (section 2.2, "hard negative mining"). Parameters
have torchvision's names.

The small form, for small pictures and little time: the maps are those of a small encoder or of a network of the zoo and
two more, with norms; the smallest boxes have two and a half cells, and double from map to map. Pictures without things
learn from three boxes; in the paper from none.

Letters: N pictures, C channels, H x W pixels, K classes, s a stride, M feature maps, h x w cells of a map, B boxes a
cell, A boxes of all maps together.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.backbones import Backbone
from pellucid.models.backbones import backbone as zoo_backbone
from pellucid.models.backbones.small import SmallEncoder
from pellucid.models.detect.cells import by_cell, strides_for
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.pick import pick, surest_of_classes
from pellucid.models.detect.region_sampling import Matching, match
from pellucid.models.detect.truth import Truth
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise, start_small
from pellucid.ops.boxes.anchors import default_boxes
from pellucid.ops.boxes.coding import decode_boxes, encode_boxes
from pellucid.ops.boxes.iou import box_iou
from pellucid.ops.boxes.match import NEGATIVE, give_each_its_best
from pellucid.ops.losses.boxes import smooth_l1

SMALL_WIDTHS = {2: 16, 4: 48, 8: 96, 16: 160, 32: 256}  # stride -> M of the encoder of our own
SMALL_CELLS = 2.5  # side of the smallest box of a map
EXTRA = 2  # coarser maps in the small form
EXTRA_WIDTH = 128
RATIOS = (2.0, 3.0)  # longer over shorter side; the finest and the coarsest map have the first alone
MATCHING = Matching(low=0.5, high=0.5)
NEGATIVES = 3  # for each box with a thing
START_STD = 0.002  # of the last weights: mining finds the largest of the first losses, which are to be near the mean
CODING = (10.0, 10.0, 5.0, 5.0)  # of x, y, w, h


class SsdBackbone(nn.Module):
    """Maps of a network, from one stride on, and coarser ones made from the last.

    Args:
        body: gives the maps.
        finest: true stride of the finest map that is read.
        n_extra: coarser maps, each of twice the stride.

    Attributes:
        widths: true stride -> M of the maps that come out, finest first.
    """

    def __init__(self, body: SmallEncoder | Backbone, finest: int, n_extra: int) -> None:
        super().__init__()
        self.body, self.notes = body, body.notes
        self.names = [name for name, stride in body.strides.items() if stride >= finest] or [max(body.strides)]
        self.widths = {body.strides[name]: body.widths[name] for name in self.names}
        self.extra = nn.ModuleList()
        last = max(self.widths)
        for number in range(1, n_extra + 1):
            before = self.widths[last * 2 ** (number - 1)]
            narrow = conv_norm(before, EXTRA_WIDTH // 2, 1)
            self.extra.append(nn.Sequential(narrow, conv_norm(EXTRA_WIDTH // 2, EXTRA_WIDTH, stride=2)))
            self.widths[last * 2**number] = EXTRA_WIDTH
        initialise(self.extra)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, C, H, W) -> of each stride (N, M, h, w), finest first."""
        maps = self.body(x)
        found = [maps[name] for name in self.names]
        for step in self.extra:
            found.append(step(found[-1]))
        return found


class Branch(nn.Module):
    """A 3x3 convolution for each map, which gives some numbers for each of its boxes."""

    def __init__(self, widths: Sequence[int], n_boxes: Sequence[int], n_numbers: int) -> None:
        super().__init__()
        self.n_numbers = n_numbers
        self.module_list = nn.ModuleList(
            nn.Conv2d(width, n * n_numbers, 3, padding=1) for width, n in zip(widths, n_boxes, strict=True)
        )
        for conv in self.module_list:
            start_small(conv, START_STD)  # type: ignore[arg-type]

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Of each map (N, M, h, w) -> (N, A, n_numbers): map by map, cell by cell, box by box."""
        numbers = [conv(each) for each, conv in zip(maps, self.module_list, strict=True)]  # (N, B * numbers, h, w)
        return torch.cat([by_cell(each, self.n_numbers) for each in numbers], 1)


class SsdHead(nn.Module):
    """Scores of background and K classes, and moves of boxes."""

    def __init__(self, widths: Sequence[int], n_boxes: Sequence[int], n_classes: int) -> None:
        super().__init__()
        self.classification_head = Branch(widths, n_boxes, n_classes + 1)
        self.regression_head = Branch(widths, n_boxes, 4)


class Ssd(nn.Module):
    """Several maps, default boxes at each of their cells, and a head for each map.

    Args:
        n_classes: K.
        backbone: (N, C, H, W) -> a list of maps, finest first.
        widths: true stride -> M of these maps.
        scales: sides of the boxes of each map as shares of `side`, and one more.
        side: pixels that scales are shares of. Boxes have the same size in pixels in pictures of any size.
        ratios: of each map, longer over shorter side; None is the small form's.
        candidates: boxes of a class that suppression looks at, the surest; None is the usual way, of all classes.
        limits: what counts as found unless told; None is the usual.
    """

    def __init__(
        self,
        n_classes: int,
        backbone: nn.Module,
        widths: Mapping[int, int],
        scales: Sequence[float],
        side: int,
        ratios: Sequence[Sequence[float]] | None = None,
        candidates: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        super().__init__()
        self.candidates, self.limits = candidates, limits
        self.n_classes, self.side, self.scales, self.strides = n_classes, side, tuple(scales), tuple(widths)
        self.notes: tuple[str, ...] = getattr(backbone, "notes", ())
        last = len(widths) - 1
        self.ratios = ratios or [RATIOS[: 1 if i in (0, last) else 2] for i in range(len(widths))]
        self.backbone = backbone
        self.head = SsdHead(list(widths.values()), [2 + 2 * len(each) for each in self.ratios], n_classes)
        self.initial_losses = {"class": (1 + NEGATIVES) * math.log(n_classes + 1), "box": math.nan}

    def boxes(self, maps: Sequence[Tensor]) -> Tensor:
        """(A, 4) corners of the default boxes."""
        grids = [(each.shape[-2], each.shape[-1]) for each in maps]
        square = (self.side, self.side)
        return default_boxes(self.ratios, grids, square, scales=self.scales, steps=self.strides, device=maps[0].device)

    def forward(self, x: Tensor, truth: Truth | None = None) -> dict[str, Tensor]:
        """(N, C, H, W) standardised pixels, any H and W -> what losses and things are made from.

        Returns:
            `logits` (N, A, K + 1), background first, `deltas` (N, A, 4), `anchors` (A, 4), `size_hw` (2,) int64.
        """
        maps = self.backbone(x)
        return {
            "logits": self.head.classification_head(maps),
            "deltas": self.head.regression_head(maps),
            "anchors": self.boxes(maps),
            "size_hw": torch.tensor(x.shape[-2:]),
        }

    def losses(self, outputs: dict[str, Tensor], truth: Truth) -> dict[str, Tensor]:
        """`class` (cross-entropy) and `box` (smooth L1), (N,) each: sums by the number of boxes with a thing."""
        logits, deltas, anchors = outputs["logits"], outputs["deltas"], outputs["anchors"]
        with torch.no_grad():
            matched = match(anchors[None], truth, MATCHING)  # (N, A)
            matched = give_each_its_best(matched, box_iou(anchors, truth.boxes_xyxy) * truth.counts[:, None])
            positive = matched >= 0
            labels = truth.labels.gather(1, matched.clamp_min(0)) + 1
            wanted = torch.where(positive, labels, 0)  # (N, A), 0 is background
            picture, place = positive.nonzero(as_tuple=True)
            moves = encode_boxes(truth.boxes_xyxy[picture, matched[picture, place]], anchors[place], CODING)
        cross_entropy = F.cross_entropy(logits.transpose(1, 2), wanted, reduction="none")  # (N, A)
        asked = positive | hardest(cross_entropy.detach(), matched == NEGATIVE, positive.sum(1))
        total = positive.sum(1).clamp_min(1)  # (N,)
        miss = smooth_l1(deltas[picture, place], moves).sum(1)
        box = (0 * deltas[:, 0, 0]).index_add(0, picture, miss)
        return {"class": (cross_entropy * asked).sum(1) / total, "box": box / total}

    def found(self, outputs: dict[str, Tensor], limits: Limits) -> Found:
        """The things, the surest first."""
        boxes = decode_boxes(outputs["deltas"], outputs["anchors"], CODING)
        height, width = outputs["size_hw"].tolist()
        scores = outputs["logits"].softmax(2)[..., 1:]
        if self.candidates is None:
            return pick(boxes, scores, limits, (height, width))
        return pick(boxes, surest_of_classes(scores, self.candidates), limits, (height, width), candidates=None)


def hardest(losses: Tensor, negative: Tensor, n_positive: Tensor) -> Tensor:
    """(N, A) bool: of the negative boxes those with the largest losses, three for each positive one.

    Args:
        losses: (N, A).
        negative: (N, A) bool.
        n_positive: (N,); a picture without any counts as one with one.
    """
    order = losses.masked_fill(~negative, -torch.inf).argsort(dim=1, descending=True, stable=True)
    ranks = torch.arange(order.shape[1], device=order.device).expand_as(order)
    rank = torch.empty_like(order).scatter_(1, order, ranks)
    return negative & (rank < NEGATIVES * n_positive.clamp_min(1)[:, None])


def ssd(n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """SSD in its small form: 0.9 M parameters with its own encoder, or a zoo encoder."""
    finest, coarsest = strides_for(image_size)
    if backbone:
        body: SmallEncoder | Backbone = zoo_backbone(backbone, channels, image_size)
    else:
        body = SmallEncoder(channels, {s: width for s, width in SMALL_WIDTHS.items() if s <= coarsest})
    side = min(image_size)
    deepest = max(body.strides.values())
    n_extra = sum(side > deepest * 2**number for number in range(1, EXTRA + 1))  # as long as there are two cells
    maps = SsdBackbone(body, finest, n_extra)
    strides = [*maps.widths, 2 * max(maps.widths)]
    return Ssd(n_classes, maps, maps.widths, [min(1.0, SMALL_CELLS * stride / side) for stride in strides], side)
