"""YOLO as in the first paper: a grid of cells, each of which answers for the thing whose centre lies in it.

Redmon et al. 2015, "You Only Look Once" (https://arxiv.org/abs/1506.02640). An S x S grid with 5 B + C numbers a cell:
B boxes of x, y, w, h and confidence, and C classes. It shows where one-stage detectors come from, quirks and all:

- A cell has one class. Of several things whose centres lie in one cell only one can be found: here it learns the first.
- Of the B boxes of a cell the one that overlaps the thing most learns it. So boxes come to differ in size.
- Everything is a squared error, also of classes and confidence. Boxes count 5-fold, confidence where nothing is half.
- Confidence learns the overlap itself, not 1. A class score is confidence times class.
- x and y are shares of the cell, w and h roots of shares of the picture, so that errors of small boxes count more.

It differs in two points. Convolutions read the last map where the paper has two full layers, so that pictures may have
any size; cells are as wide as the stride of that map, a power of 2 that makes 6 to 11 of them (448 px gives the paper's
7 x 7). And sums are divided by the number of cells with a thing, so that rates do not depend on how full pictures are.

Letters: N pictures, C channels or classes, H x W pixels, S x S cells (or h x w), B boxes a cell, M places for things.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.backbones import Backbone
from pellucid.models.backbones import backbone as zoo_backbone
from pellucid.models.backbones.small import SmallEncoder
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.pick import pick
from pellucid.models.detect.truth import Truth
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise, start_small
from pellucid.ops.boxes.iou import paired_iou

WIDTHS = {2: 16, 4: 48, 8: 96, 16: 160, 32: 256, 64: 320}  # stride -> M of the small encoder
HEAD_WIDTH = 256
N_BOXES = 2  # B
LEAST_CELLS = 6  # along the short side
BOX_WEIGHT, NOTHING_WEIGHT = 5.0, 0.5
START_STD = 0.003  # of the last weights: the first class scores are to be near 0
START_SIDES = (0.2, 0.45)  # of the boxes of a cell before training, as shares of the picture


class YoloGrid(nn.Module):
    """An encoder and convolutions down to one map, each cell of which says 5 B + C numbers.

    Args:
        n_classes: C.
        encoder: gives the maps; kept as `backbone`.
        stride: pixels of a cell; the last map of the encoder is pooled until it has so many.
        image_size: height and width that widths and heights of boxes are shares of.
        n_boxes: B.
    """

    def __init__(
        self,
        n_classes: int,
        encoder: SmallEncoder | Backbone,
        stride: int,
        image_size: tuple[int, int],
        n_boxes: int = N_BOXES,
    ) -> None:
        super().__init__()
        self.n_classes, self.n_boxes, self.image_size = n_classes, n_boxes, image_size
        self.notes = encoder.notes
        self.backbone = encoder
        self.name = max((name for name, s in encoder.strides.items() if s <= stride), default=min(encoder.strides))
        self.stride = max(stride, encoder.strides[self.name])
        halvings = int(math.log2(self.stride / encoder.strides[self.name]))
        width = encoder.widths[self.name]
        poolings = [nn.MaxPool2d(2, ceil_mode=True) for _ in range(halvings)]
        mixing = [conv_norm(width, HEAD_WIDTH), conv_norm(HEAD_WIDTH, HEAD_WIDTH)]
        last = nn.Conv2d(HEAD_WIDTH, 5 * n_boxes + n_classes, 1)
        self.head = nn.Sequential(*poolings, *mixing, last)
        initialise(self.head)
        start_small(last, START_STD)
        with torch.no_grad():
            boxes = last.bias[: 5 * n_boxes].view(n_boxes, 5)  # type: ignore[index]
            boxes[:, :2] = 0.5
            boxes[:, 2:4] = torch.linspace(*START_SIDES, n_boxes).sqrt()[:, None]
        self.initial_losses = {"class": 1.0, "box": math.nan, "objectness": math.nan}

    def forward(self, x: Tensor, truth: Truth | None = None) -> dict[str, Tensor]:
        """(N, C, H, W) standardised pixels, any H and W -> `grid` (N, h, w, 5 B + C), `size_hw` (2,) int64."""
        grid = self.head(self.backbone(x)[self.name]).permute(0, 2, 3, 1)
        return {"grid": grid, "size_hw": torch.tensor(x.shape[-2:])}

    def losses(self, outputs: dict[str, Tensor], truth: Truth) -> dict[str, Tensor]:
        """`class`, `box` and `objectness`, (N,) each: squared errors by the number of cells with a thing."""
        grid = outputs["grid"]
        n, h, w, _ = grid.shape
        said, classes = grid[..., : 5 * self.n_boxes].view(n, h, w, self.n_boxes, 5), grid[..., 5 * self.n_boxes :]
        with torch.no_grad():
            wanted = encode_grid(truth, (h, w), self.stride, self.image_size, self.n_boxes, self.n_classes)
            boxes = wanted[..., : 5 * self.n_boxes].view(n, h, w, self.n_boxes, 5)
            there = boxes[..., 0, 4] > 0  # (N, h, w)
            corners = decode_boxes(said[..., :4], self.stride, self.image_size)
            overlap = paired_iou(corners, decode_boxes(boxes[..., :4], self.stride, self.image_size))  # (N, h, w, B)
            apart = (said[..., :4] - boxes[..., :4]).square().sum(-1)
            closest = F.one_hot(torch.where(overlap > 0, overlap, -apart).argmax(-1), self.n_boxes) > 0
            mine = closest & there[..., None]  # (N, h, w, B)
            confidence = overlap * mine
            weight = torch.where(mine, 1.0, NOTHING_WEIGHT * ~_in_crowd(truth, (h, w), self.stride)[..., None])
            total = there.sum((1, 2)).clamp_min(1)  # (N,)
        wrong_class = (classes - wanted[..., 5 * self.n_boxes :]).square().sum(-1) * there
        wrong_box = (said[..., :4] - boxes[..., :4]).square().sum(-1) * mine
        wrong_confidence = (said[..., 4] - confidence).square() * weight
        return {
            "class": wrong_class.flatten(1).sum(1) / total,
            "box": BOX_WEIGHT * wrong_box.flatten(1).sum(1) / total,
            "objectness": wrong_confidence.flatten(1).sum(1) / total,
        }

    def found(self, outputs: dict[str, Tensor], limits: Limits) -> Found:
        """The things, the surest first."""
        boxes, scores = decode_grid(outputs["grid"], self.stride, self.image_size, self.n_boxes)
        height, width = outputs["size_hw"].tolist()
        return pick(boxes, scores, limits, (height, width))


def encode_grid(
    truth: Truth, grid_hw: tuple[int, int], stride: int, image_size: tuple[int, int], n_boxes: int, n_classes: int
) -> Tensor:
    """(N, h, w, 5 B + C): of the cell with a thing's centre B times x, y, root of w, root of h, 1, and its class.

    Of several things in a cell the first has it. Cells without are all 0.
    """
    n, m = truth.labels.shape
    h, w = grid_hw
    centre = (truth.boxes_xyxy[..., :2] + truth.boxes_xyxy[..., 2:]) / 2 / stride  # (N, M, 2) in cells
    column, row = centre[..., 0].long().clamp(0, w - 1), centre[..., 1].long().clamp(0, h - 1)
    cell = torch.where(truth.counts, row * w + column, h * w)  # things that do not count get a cell of their own
    order = torch.arange(m, device=cell.device).expand(n, m)
    owner = torch.full((n, h * w + 1), m, device=cell.device).scatter_reduce(1, cell, order, "amin")
    picture, place = (owner[:, :-1] < m).nonzero(as_tuple=True)
    thing = owner[picture, place]
    size = (truth.boxes_xyxy[..., 2:] - truth.boxes_xyxy[..., :2])[picture, thing]  # (G, 2)
    share = (size / size.new_tensor([image_size[1], image_size[0]])).clamp_min(0).sqrt()
    within = centre[picture, thing] - torch.stack([column, row], -1)[picture, thing]
    box = torch.cat([within, share, torch.ones_like(share[:, :1])], 1)  # (G, 5)
    one_hot = F.one_hot(truth.labels[picture, thing], n_classes).to(box)
    grid = box.new_zeros(n, h * w, 5 * n_boxes + n_classes)
    grid[picture, place] = torch.cat([box.repeat(1, n_boxes), one_hot], 1)
    return grid.view(n, h, w, -1)


def decode_grid(grid: Tensor, stride: int, image_size: tuple[int, int], n_boxes: int) -> tuple[Tensor, Tensor]:
    """(N, h, w, 5 B + C) -> (N, h w B, 4) corners, (N, h w B, C) confidence times class, 0 to 1 each."""
    n, h, w, _ = grid.shape
    boxes = grid[..., : 5 * n_boxes].view(n, h, w, n_boxes, 5)
    classes = grid[..., None, 5 * n_boxes :].clamp(0, 1)
    scores = boxes[..., 4:].clamp(0, 1) * classes  # (N, h, w, B, C)
    return decode_boxes(boxes[..., :4], stride, image_size).flatten(1, 3), scores.flatten(1, 3)


def decode_boxes(boxes: Tensor, stride: int, image_size: tuple[int, int]) -> Tensor:
    """(N, h, w, B, 4) x, y, root of w, root of h -> (N, h, w, B, 4) corners; negative roots count as 0."""
    h, w = boxes.shape[1:3]
    y, x = torch.meshgrid(torch.arange(h, device=boxes.device), torch.arange(w, device=boxes.device), indexing="ij")
    centre = (boxes[..., :2] + torch.stack([x, y], -1)[:, :, None]) * stride
    half = boxes[..., 2:].clamp_min(0).square() * boxes.new_tensor([image_size[1], image_size[0]]) / 2
    return torch.cat([centre - half, centre + half], -1)


def _in_crowd(truth: Truth, grid_hw: tuple[int, int], stride: int) -> Tensor:
    """(N, h, w) bool: the middle of the cell lies in a crowd."""
    h, w = grid_hw
    crowd = truth.boxes_xyxy[:, :, None, None] / stride  # (N, M, 1, 1, 4)
    x = torch.arange(w, device=crowd.device) + 0.5
    y = torch.arange(h, device=crowd.device)[:, None] + 0.5
    inside = (x >= crowd[..., 0]) & (x <= crowd[..., 2]) & (y >= crowd[..., 1]) & (y <= crowd[..., 3])  # (N, M, h, w)
    return (inside & (truth.is_crowd & (truth.labels >= 0))[..., None, None]).any(1)


def cell_side(image_size: tuple[int, int]) -> int:
    """The largest power of 2, from 4 to 64, that leaves six cells along the short side."""
    return max([4, *(side for side in (8, 16, 32, 64) if min(image_size) >= LEAST_CELLS * side)])


def yolo_grid(n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """YOLO's first form, two boxes a cell, with a small encoder of its own or one of the zoo."""
    stride = cell_side(image_size)
    if backbone:
        encoder: SmallEncoder | Backbone = zoo_backbone(backbone, channels, image_size)
    else:
        encoder = SmallEncoder(channels, {s: width for s, width in WIDTHS.items() if s <= stride})
    return YoloGrid(n_classes, encoder, stride, image_size)
