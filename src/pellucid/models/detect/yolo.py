"""A small one-stage detector without anchors, in the manner of the later YOLOs, made to be trained on a processor.

Every cell of a few maps says for each class whether such a thing is there, and how far the four sides of its box are
away, as in FCOS (Tian et al. 2019, https://arxiv.org/abs/1904.01355). Which cells learn which thing follows from what
they say already, see `align.py`; scores learn by cross-entropy against how well the box fits, boxes by complete IoU
(Zheng et al. 2019, https://arxiv.org/abs/1911.08287).

It is made for small pictures and little time, so it differs from YOLOs that one can download: the encoder and the way
up are those of `models/segment/unet.py`, one 3x3 convolution and one of 1x1 make scores and sides together, sides are
powers of e, not a distribution, and the classes are not told apart by a branch of their own.

Letters: N pictures, C channels, H x W pixels, K classes, s a stride, M feature maps, h x w cells of a map, A cells of
all maps together.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.backbones import Backbone
from pellucid.models.backbones import backbone as zoo_backbone
from pellucid.models.backbones.small import SmallEncoder
from pellucid.models.detect.align import align
from pellucid.models.detect.cells import cell_centres, strides_for
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.pick import pick
from pellucid.models.detect.truth import Truth
from pellucid.models.necks.up import Up
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise, start_small
from pellucid.ops.boxes.iou import paired_complete_iou

WIDTHS = {2: 16, 4: 48, 8: 96, 16: 160, 32: 256}  # stride -> M of the small encoder
UP_WIDTHS = {1: 48, 2: 48, 4: 64, 8: 96, 16: 160, 32: 256}  # of the maps that heads read, for any encoder
PRIOR = 0.01  # score of every class before training
SIDE = 1.5  # distance of every side before training, in cells
MOST_CELLS = 7.0  # ln of the largest distance in cells
CLASS_WEIGHT, BOX_WEIGHT = 1.0, 2.0


class Yolo(nn.Module):
    """Encoder, steps up, and a head on each map that is fine enough.

    Args:
        n_classes: K.
        encoder: gives the maps; kept as `backbone`.
        finest: true stride of the finest map that has a head; the coarser ones have one, too.
    """

    def __init__(self, n_classes: int, encoder: SmallEncoder | Backbone, finest: int) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.backbone = encoder
        self.notes = encoder.notes
        named = {name: stride for name, stride in encoder.strides.items() if stride >= finest}
        self.strides = named or {max(encoder.strides): max(encoder.strides.values())}  # name -> true stride
        coarsest, *upwards = sorted(self.strides, reverse=True)
        self.ups, self.heads = nn.ModuleDict(), nn.ModuleDict()
        width = UP_WIDTHS[self.strides[coarsest]]
        wide = encoder.widths[coarsest]
        self.narrow = nn.Identity() if wide == width else conv_norm(wide, width, 1)
        self.heads[str(coarsest)] = _head(width, n_classes)
        for name in upwards:
            wide, width = width, UP_WIDTHS[self.strides[name]]
            self.ups[str(name)] = Up(wide, encoder.widths[name], width, skip=True)
            self.heads[str(name)] = _head(width, n_classes)
        self.initial_losses = {"class": math.nan, "box": math.nan}  # how many cells learn depends on the pictures

    def forward(self, x: Tensor, truth: Truth | None = None) -> dict[str, Tensor]:
        """(N, C, H, W) standardised pixels, any H and W -> what losses and things are made from.

        Returns:
            `logits` (N, A, K), `boxes_xyxy` (N, A, 4) float32, `centres` (A, 2), `strides` (A,), `size_hw` (2,) int64.
        """
        maps = self._maps(self.backbone(x))
        raw = {self.strides[s]: self.heads[str(s)](y) for s, y in maps.items()}  # (N, K + 4, h, w)
        centres, strides = cell_centres(raw)
        flat = torch.cat([each.flatten(2) for each in raw.values()], 2).transpose(1, 2)  # (N, A, K + 4)
        logits, sides = flat.split([self.n_classes, 4], 2)
        sides = sides.float().clamp_max(MOST_CELLS).exp() * strides[:, None]  # (N, A, 4) left, top, right, bottom
        boxes = torch.cat([centres - sides[..., :2], centres + sides[..., 2:]], 2)
        size = torch.tensor(x.shape[-2:])
        return {"logits": logits, "boxes_xyxy": boxes, "centres": centres, "strides": strides, "size_hw": size}

    def _maps(self, maps: Mapping[int, Tensor]) -> dict[int, Tensor]:
        """Coarsest first."""
        coarsest = max(self.strides)
        y = self.narrow(maps[coarsest])
        out = {coarsest: y}
        for stride, up in self.ups.items():
            y = up(y, maps[int(stride)])
            out[int(stride)] = y
        return out

    def losses(self, outputs: dict[str, Tensor], truth: Truth) -> dict[str, Tensor]:
        """`class` and `box`, (N,) each: sums over cells by the sum of their targets, at least 1."""
        logits, boxes = outputs["logits"], outputs["boxes_xyxy"]
        aligned = align(logits.sigmoid(), boxes, outputs["centres"], outputs["strides"], truth)
        total = aligned.target.sum(1).clamp_min(1)  # (N,)
        wanted = _one_hot(aligned.target, truth.labels.gather(1, aligned.thing), self.n_classes)  # (N, A, K)
        cross_entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(2)  # (N, A)
        class_loss = cross_entropy.masked_fill(aligned.ignored, 0).sum(1) / total
        things = truth.boxes_xyxy.gather(1, aligned.thing[..., None].expand(-1, -1, 4))  # (N, A, 4)
        picture, cell = aligned.target.nonzero(as_tuple=True)
        miss = (1 - paired_complete_iou(boxes[picture, cell], things[picture, cell])) * aligned.target[picture, cell]
        box_loss = (0 * boxes[:, 0, 0]).index_add(0, picture, miss) / total
        return {"class": CLASS_WEIGHT * class_loss, "box": BOX_WEIGHT * box_loss}

    def found(self, outputs: dict[str, Tensor], limits: Limits) -> Found:
        """The things, the surest first."""
        height, width = outputs["size_hw"].tolist()
        return pick(outputs["boxes_xyxy"], outputs["logits"].sigmoid(), limits, (height, width))


def _one_hot(target: Tensor, labels: Tensor, n_classes: int) -> Tensor:
    """(N, A) and (N, A) -> (N, A, K): the target at the label, 0 elsewhere."""
    zeros = torch.zeros(*labels.shape, n_classes, dtype=target.dtype, device=target.device)
    return zeros.scatter(2, labels.clamp_min(0)[..., None], target[..., None])


def _head(width: int, n_classes: int) -> nn.Sequential:
    """K scores and four sides a cell, all of which start the same everywhere."""
    last = nn.Conv2d(width, n_classes + 4, 1)
    head = nn.Sequential(conv_norm(width, width), last)
    initialise(head)
    start_small(last)
    with torch.no_grad():
        last.bias[:n_classes] = math.log(PRIOR / (1 - PRIOR))  # type: ignore[index]
        last.bias[n_classes:] = math.log(SIDE)  # type: ignore[index]
    return head


def yolo(n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """An anchor-free one-stage detector for a processor, 1 M parameters with its own encoder, or a zoo encoder."""
    finest, coarsest = strides_for(image_size)
    if backbone:
        encoder: SmallEncoder | Backbone = zoo_backbone(backbone, channels, image_size)
    else:
        encoder = SmallEncoder(channels, {s: width for s, width in WIDTHS.items() if s <= coarsest})
    return Yolo(n_classes, encoder, finest)
