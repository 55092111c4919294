"""Every window of the picture is classified, and most of them are background: detection before proposals.

The course's second step: a classifier of K classes and one more, for "nothing here", looks at windows of several sizes
and shapes all over the picture. It names as many things as there are, and it has to look a thousand times. A window
that names a thing is its box: nothing makes it fit better than the grid allows.

Each window is brought to 32 x 32 pixels, whatever its shape.

Letters: N pictures, C channels, H x W pixels, K classes, W windows, S windows that are learned from, B windows in all.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.classify.convnet import convnet
from pellucid.models.detect.detector import Outputs
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.pick import pick
from pellucid.models.detect.region_sampling import Matching, ask
from pellucid.models.detect.truth import Truth
from pellucid.ops.regions.roi_align import roi_align

SIDE = 32  # px that a window is brought to
SHARES = (0.2, 0.3, 0.45, 0.65)  # side of a square window, of the picture's shorter side
SHAPES = (0.5, 1.0, 2.0)  # height by width, at equal area
STEP = 0.25  # of a window's side, from one to the next
TOGETHER = 512  # windows that are judged at once
# A window that shares half with a thing need not look like it, and the grid has few that share more.
MATCHING = Matching(low=0.4, high=0.5, sampled=32, positive_share=0.5)


def windows(size_hw: tuple[int, int], shares: Sequence[float] = SHARES, shapes: Sequence[float] = SHAPES) -> Tensor:
    """(W, 4) float32 x1, y1, x2, y2: all that lie in a picture of this size, in even steps, the first at the border."""
    height, width = size_hw
    found = []
    for share in shares:
        for shape in shapes:
            h = min(share * min(size_hw) * math.sqrt(shape), height)
            w = min(share * min(size_hw) / math.sqrt(shape), width)
            tops, lefts = _starts(height, h), _starts(width, w)
            top, left = torch.meshgrid(tops, lefts, indexing="ij")
            found.append(torch.stack([left, top, left + w, top + h], -1).reshape(-1, 4))
    return torch.cat(found)


def _starts(room: float, side: float) -> Tensor:
    """Where windows of a side begin: from 0 to the last that fits, no further apart than a fourth of the side."""
    n = 1 + math.ceil((room - side) / (STEP * side) - 1e-6)
    return torch.linspace(0, room - side, n)


class SlidingWindow(nn.Module):
    """See above. Outputs: `asked_logits` (N, S, K + 1) of the windows that are learned from, the first of background,
    and `asked_label` (N, S), 0 for background, -1 for no window; outside training `logits` (N, W, K + 1), `windows`
    (1, W, 4) and `image_hw` (2,).

    Args:
        n_classes: K.
        classifier: (B, C, 32, 32) -> (B, K + 1).
        image_size: of the pictures, to say how many windows there are; others may be looked at.
    """

    def __init__(self, n_classes: int, classifier: nn.Module, image_size: tuple[int, int]) -> None:
        super().__init__()
        self.n_classes, self.classifier = n_classes, classifier
        self.initial_losses = {"class": math.log(n_classes + 1)}
        self.notes = (f"{len(windows(image_size)):,} windows of each picture are classified, one by one",)

    def forward(self, x: Tensor, truth: Truth | None = None) -> Outputs:
        """(N, C, H, W) standardised pixels -> see above."""
        hw = (x.shape[-2], x.shape[-1])
        every = windows(hw).to(x.device)
        outputs: Outputs = {}
        if truth is not None:
            there = torch.ones(len(x), len(every), dtype=torch.bool, device=x.device)
            asked = ask(every.expand(len(x), -1, -1), there, truth, MATCHING, at_random=self.training)
            labels = truth.labels.gather(1, asked.thing.clamp(min=0)) + 1
            outputs["asked_label"] = torch.where(asked.thing < 0, asked.thing + 1, labels)  # -2 is no window: -1
            outputs["asked_logits"] = self._judge(x, asked.boxes_xyxy, asked.thing > -2)
        if not self.training:
            boxes = every.expand(len(x), -1, -1)
            outputs["logits"] = self._judge(x, boxes, torch.ones(boxes.shape[:2], dtype=torch.bool, device=x.device))
            outputs |= {"windows": every[None], "image_hw": torch.tensor(hw)}
        return outputs

    def _judge(self, x: Tensor, boxes_xyxy: Tensor, there: Tensor) -> Tensor:
        """(N, S, K + 1) logits of boxes (N, S, 4), 0 where none is."""
        picture, place = there.nonzero(as_tuple=True)  # (B,), (B,)
        logits = x.new_zeros(*there.shape, self.n_classes + 1, dtype=torch.float32)
        step = max(len(picture), 1) if self.training else TOGETHER  # batch norm looks at all of a step
        for start in range(0, len(picture), step):
            some = slice(start, start + step)
            cut = roi_align(x, boxes_xyxy[picture[some], place[some]], picture[some], SIDE, 1.0)
            cut = cut.contiguous(memory_format=torch.channels_last)
            logits = logits.index_put((picture[some], place[some]), self.classifier(cut).float())
        if not len(picture):  # crowds everywhere: a loss of 0 has a gradient, too
            logits = logits + sum(weight.flatten()[:0].sum() for weight in self.classifier.parameters())
        return logits

    def losses(self, outputs: Outputs, truth: Truth) -> dict[str, Tensor]:
        """`class` (N,): cross-entropy of the windows that are learned from, a picture's mean."""
        labels = outputs["asked_label"]
        each = F.cross_entropy(outputs["asked_logits"].movedim(2, 1), labels, ignore_index=-1, reduction="none")
        return {"class": each.sum(1) / (labels >= 0).sum(1).clamp(min=1)}

    def found(self, outputs: Outputs, limits: Limits) -> Found:
        """The surest windows, the window being the box."""
        height, width = outputs["image_hw"].tolist()
        scores = outputs["logits"].softmax(-1)[..., 1:]  # (N, W, K)
        boxes = outputs["windows"].expand(len(scores), -1, -1)
        return pick(boxes, scores, limits, (height, width))


def sliding_window(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """Windows of four sizes and three shapes, judged by the small convolutional network of the zoo."""
    return SlidingWindow(n_classes, convnet(n_classes + 1, channels, (SIDE, SIDE)), image_size)
