"""RetinaNet: anchors at every cell of a pyramid, and a loss that does not drown in the easy ones.

Lin et al. 2017, "Focal Loss for Dense Object Detection" (https://arxiv.org/abs/1708.02002). A few of many thousand
anchors hold a thing. With cross-entropy the sum over all others, each nearly right, outweighs them; the focal loss
counts what is nearly right hardly at all (`ops/losses/sigmoid_focal.py`). Scores start at a small prior, else the first
steps would be spent on saying no everywhere (section 3.3). One head reads all maps, with a branch for classes and one
for boxes. Parameters have torchvision's names.

The small form, for small pictures and little time: anchors begin at two cells instead of four, the branches have one
convolution instead of four, norms stand between convolutions, and the backbone may be the small encoder.

Letters: N pictures, C channels, H x W pixels, K classes, s a stride, M feature maps, h x w cells of a map, B anchors a
cell, A anchors of all maps together.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pellucid.models.backbones import Backbone
from pellucid.models.backbones import backbone as zoo_backbone
from pellucid.models.backbones.small import SmallEncoder
from pellucid.models.detect.cells import by_cell, strides_for
from pellucid.models.detect.fill_up import fill_up, steps
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.pick import pick, surest_of_maps
from pellucid.models.detect.region_sampling import Matching, match
from pellucid.models.detect.truth import Truth
from pellucid.models.necks.fpn import FeaturePyramid
from pellucid.ops.boxes.anchors import anchor_grid
from pellucid.ops.boxes.coding import decode_boxes, encode_boxes
from pellucid.ops.boxes.match import IGNORED
from pellucid.ops.losses.boxes import smooth_l1
from pellucid.ops.losses.sigmoid_focal import sigmoid_focal_loss

SMALL_WIDTHS = {2: 16, 4: 48, 8: 96, 16: 160, 32: 256}  # stride -> M of the encoder of our own
SMALL_WIDTH, SMALL_DEPTH, SMALL_CELLS = 96, 1, 2.0  # of the pyramid; convolutions of a branch; cells of an anchor
RATIOS = (0.5, 1.0, 2.0)  # height / width
OCTAVE = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))  # sizes at one stride
MATCHING = Matching(low=0.4, high=0.5, force_best=True)
PRIOR = 0.01  # score of every class before training
BEND = 1 / 9  # where the box loss turns from a square to a line
START_STD = 0.01
PUBLISHED_CANDIDATES = 1000  # of a map, those that suppression looks at in published networks
NORM_GROUPS = 8


class PyramidBackbone(nn.Module):
    """Maps of a network, from one stride on, and the pyramid on them with two coarser maps.

    Args:
        body: gives the maps.
        finest: true stride of the finest map that is read.
        width: M of all maps that come out.
        norm: see `FeaturePyramid`.
        whole: fill pictures up to a multiple of so many pixels, see `fill_up`.

    Attributes:
        strides: true stride of each map that comes out, finest first.
    """

    def __init__(self, body: SmallEncoder | Backbone, finest: int, width: int, norm: bool, whole: int = 1) -> None:
        super().__init__()
        self.body, self.whole = body, whole
        names = [name for name, stride in body.strides.items() if stride >= finest] or [max(body.strides)]
        self.fpn = FeaturePyramid({name: body.widths[name] for name in names}, width, "p6p7", norm)
        self.width = width
        strides = [body.strides[name] for name in names]
        self.strides = (*strides, 2 * strides[-1], 4 * strides[-1])

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        """(N, C, H, W) -> true stride -> (N, M, h, w), finest first."""
        return dict(zip(self.strides, self.fpn(self.body(fill_up(x, self.whole))).values(), strict=True))


class Branch(nn.Module):
    """Convolutions, the last of which gives some numbers for each of B anchors of a cell.

    Args:
        last: name of the last convolution.
        width: M.
        depth: 3x3 convolutions before it.
        n_anchors: B.
        n_numbers: of each anchor.
        start: bias of the last convolution.
        norm: group norms, which do not mix maps whose statistics differ.
    """

    def __init__(
        self, last: str, width: int, depth: int, n_anchors: int, n_numbers: int, start: float, norm: bool
    ) -> None:
        super().__init__()
        self.conv = nn.Sequential(*(_unit(width, norm) for _ in range(depth)))
        self.n_numbers, self._last = n_numbers, last
        self.add_module(last, nn.Conv2d(width, n_anchors * n_numbers, 3, padding=1))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=START_STD)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.constant_(self.get_submodule(last).bias, start)  # type: ignore[arg-type]

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Of each map (N, M, h, w) -> (N, A, n_numbers): map by map, cell by cell, anchor by anchor."""
        last = self.get_submodule(self._last)  # (N, M, h, w) -> (N, B * numbers, h, w)
        return torch.cat([by_cell(last(self.conv(each)), self.n_numbers) for each in maps], 1)


class RetinaHead(nn.Module):
    """A branch for classes and one for boxes, the same for all maps."""

    def __init__(self, width: int, depth: int, n_anchors: int, n_classes: int, norm: bool) -> None:
        super().__init__()
        prior = -math.log((1 - PRIOR) / PRIOR)
        self.classification_head = Branch("cls_logits", width, depth, n_anchors, n_classes, prior, norm)
        self.regression_head = Branch("bbox_reg", width, depth, n_anchors, 4, 0.0, norm)


class RetinaNet(nn.Module):
    """A pyramid, anchors at each of its cells, and one head for all.

    Args:
        n_classes: K.
        backbone: gives the maps.
        cells: side of the smallest anchor of a map, in cells; 4 in the paper.
        depth: 3x3 convolutions of a branch before its last; 4 in the paper.
        norm: norms in the head.
        published: as published networks have it: anchors of whole numbers, around the upper left corners of cells; one
            more output of an anchor, the first, which means nothing; and of the scores of a map the surest.
        limits: what counts as found unless told; None is the usual.
    """

    def __init__(
        self,
        n_classes: int,
        backbone: PyramidBackbone,
        cells: float = 4.0,
        depth: int = 4,
        norm: bool = False,
        published: bool = False,
        limits: Limits | None = None,
    ) -> None:
        super().__init__()
        self.n_classes, self.cells, self.published, self.limits = n_classes, cells, published, limits
        self.notes = backbone.body.notes
        self.backbone = backbone
        self.head = RetinaHead(backbone.width, depth, len(RATIOS) * len(OCTAVE), n_classes + published, norm)
        self.initial_losses = {"class": math.nan, "box": math.nan}  # of each thing, whose anchors differ in number

    def anchors(self, maps: Mapping[int, Tensor]) -> Tensor:
        """(A, 4) corners; true stride -> (N, M, h, w)."""
        found = []
        finest, largest = next(iter(maps.items()))
        filled_hw = (finest * largest.shape[-2], finest * largest.shape[-1])
        for stride, each in maps.items():
            sizes = [self.cells * stride * octave for octave in OCTAVE]
            if self.published:
                sizes = [float(int(size)) for size in sizes]
            offset = 0.0 if self.published else 0.5
            hw = (each.shape[-2], each.shape[-1])
            step = steps(filled_hw, hw) if self.published else stride
            found.append(
                anchor_grid(sizes, RATIOS, step, hw, rounded=self.published, offset=offset, device=each.device)
            )
        return torch.cat(found)

    def forward(self, x: Tensor, truth: Truth | None = None) -> dict[str, Tensor]:
        """(N, C, H, W) standardised pixels, any H and W -> what losses and things are made from.

        Returns:
            `logits` (N, A, K), `deltas` (N, A, 4), `anchors` (A, 4), `size_hw` (2,) int64, `counts`: anchors of each
            map, int64.
        """
        maps = self.backbone(x)
        every = list(maps.values())
        boxes_a_cell = len(RATIOS) * len(OCTAVE)
        return {
            "logits": self.head.classification_head(every)[..., int(self.published) :],
            "deltas": self.head.regression_head(every),
            "anchors": self.anchors(maps),
            "size_hw": torch.tensor(x.shape[-2:]),
            "counts": torch.tensor([boxes_a_cell * each.shape[-2] * each.shape[-1] for each in every]),
        }

    def losses(self, outputs: dict[str, Tensor], truth: Truth) -> dict[str, Tensor]:
        """`class` (focal) and `box` (smooth L1), (N,) each: sums over anchors by the number of those with a thing."""
        logits, deltas, anchors = outputs["logits"], outputs["deltas"], outputs["anchors"]
        with torch.no_grad():
            matched = match(anchors[None], truth, MATCHING)  # (N, A)
            positive = matched >= 0
            total = positive.sum(1).clamp_min(1)  # (N,)
            labels = truth.labels.gather(1, matched.clamp_min(0))  # (N, A)
            wanted = torch.zeros_like(logits).scatter(2, labels.clamp_min(0)[..., None], positive[..., None].float())
            picture, place = positive.nonzero(as_tuple=True)
            things = truth.boxes_xyxy[picture, matched[picture, place]]
            moves = encode_boxes(things, anchors[place])
        focal = sigmoid_focal_loss(logits, wanted).sum(2).masked_fill(matched == IGNORED, 0)  # (N, A)
        miss = smooth_l1(deltas[picture, place], moves, BEND).sum(1)
        box = (0 * deltas[:, 0, 0]).index_add(0, picture, miss)
        return {"class": focal.sum(1) / total, "box": box / total}

    def found(self, outputs: dict[str, Tensor], limits: Limits) -> Found:
        """The things, the surest first."""
        boxes = decode_boxes(outputs["deltas"], outputs["anchors"])
        height, width = outputs["size_hw"].tolist()
        scores = outputs["logits"].sigmoid()
        if not self.published:
            return pick(boxes, scores, limits, (height, width))
        scores = surest_of_maps(scores, outputs["counts"].tolist(), PUBLISHED_CANDIDATES)
        return pick(boxes, scores, limits, (height, width), candidates=None)


def _unit(width: int, norm: bool) -> nn.Sequential:
    """Named as torchvision does: 0 the convolution, 1 the norm."""
    conv = nn.Conv2d(width, width, 3, padding=1, bias=not norm)
    return nn.Sequential(conv, *([nn.GroupNorm(NORM_GROUPS, width)] if norm else []), nn.ReLU(inplace=True))


def retinanet(n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """RetinaNet in its small form: 1 M parameters with its own encoder, or a zoo encoder."""
    finest, coarsest = strides_for(image_size)
    if backbone:
        body: SmallEncoder | Backbone = zoo_backbone(backbone, channels, image_size)
    else:
        body = SmallEncoder(channels, {s: width for s, width in SMALL_WIDTHS.items() if s <= coarsest})
    pyramid = PyramidBackbone(body, finest, SMALL_WIDTH, norm=True)
    return RetinaNet(n_classes, pyramid, SMALL_CELLS, SMALL_DEPTH, norm=True)
