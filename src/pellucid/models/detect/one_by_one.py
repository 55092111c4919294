"""Published detectors in the form that tasks want: they take pictures of any size and resize them by their own rule.

Letters: N pictures, C channels, H x W pixels, M places for things, D places for what is found.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.preprocess import Preprocess
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.truth import Truth
from pellucid.nn.precision import as_float32
from pellucid.ops.normalise import normalise

LOSS = "loss_"  # before the names of losses among the outputs
MIDDLE = 0.5  # from the number of a pixel to its middle
Losses = dict[str, Tensor]  # name -> (N,)


class OneByOne(nn.Module):
    """A detector that is given each picture by itself, cut out of its canvas and resized by `preprocess.resize`.

    Outputs: `loss_NAME` 0-dim, the mean over pictures, where the batch says what is in them; outside training also
    `found_boxes_xyxy`, `found_scores` ..., see `models.detect.found`. Boxes and outlines of the truth follow the
    picture into the network, and what is found is told in pixels of the canvas. The weights learned COCO's keypoints as
    they stand in its files, as numbers of pixels; here a point in the middle of pixel i is at i + 0.5, as everywhere.

    Args:
        net: a `models.detect.detector.Detector`.
        preprocess: with a rule by which pictures are resized.
        limits: what of all that could be named counts as found; None leaves it to the network.
    """

    def __init__(self, net: nn.Module, preprocess: Preprocess, limits: Limits | None = None) -> None:
        super().__init__()
        self.net = net
        self.preprocess = preprocess
        own: Limits | None = getattr(net, "limits", None)
        self.limits = limits or own or Limits()

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        losses, found = self._each(batch["image"], batch.get("valid_hw"), Truth.of(batch), self.limits)
        things = {} if found is None else found.outputs()
        return {LOSS + name: each.mean() for name, each in losses.items()} | things

    def find(self, image: Tensor, limits: Limits) -> Found:
        """The things in (N, C, H, W) uint8 pictures, outside training, within other limits than those of training."""
        parts = [self._on_canvas(image[row : row + 1], None, limits)[1] for row in range(len(image))]
        return _cat([each for each in parts if each is not None])

    def _run(self, x: Tensor, truth: Truth | None, limits: Limits) -> tuple[Losses, Found | None]:
        """(N, C, H, W) numbers -> each picture's losses, and outside training what is in them."""
        outputs = self.net(x, truth)
        with torch.autocast(x.device.type, enabled=False):
            outputs = as_float32(outputs)
            losses: Losses = {} if truth is None else self.net.losses(outputs, truth)  # type: ignore[operator]
        found: Found | None = None if self.training else self.net.found(outputs, limits)  # type: ignore[operator]
        return losses, found

    def _on_canvas(self, picture: Tensor, truth: Truth | None, limits: Limits) -> tuple[Losses, Found | None]:
        """As `_run`, of (1, C, H, W) uint8 and in its pixels; the truth may know more of the canvas."""
        x, scale_xy = self._resized(picture)
        hw = (picture.shape[-2], picture.shape[-1])
        losses, found = self._run(x, None if truth is None else _scaled(truth, scale_xy, hw, x), limits)
        return losses, None if found is None else _unscaled(found, scale_xy)

    def _each(
        self, image: Tensor, valid_hw: Tensor | None, truth: Truth | None, limits: Limits
    ) -> tuple[Losses, Found | None]:
        """As `_run`, from (N, C, H, W) uint8 and the part of each that is picture (N, 2); None: all of it."""
        sides = [tuple(image.shape[-2:])] * len(image) if valid_hw is None else valid_hw.tolist()
        parts = []
        for row, (height, width) in enumerate(sides):
            one = slice(row, row + 1)
            things = None if truth is None else truth.of_pictures(one)
            parts.append(self._on_canvas(image[one, :, :height, :width], things, limits))
        losses = {name: torch.cat([each[name] for each, _ in parts]) for name in parts[0][0]}
        found = [each for _, each in parts if each is not None]
        return losses, _cat(found) if found else None

    def _resized(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """(1, C, H, W) uint8 -> numbers (1, C, h, w), and how much larger they are, (2,) x and y."""
        rule = self.preprocess.resize
        x = normalise(picture, self.preprocess)
        height, width = x.shape[-2:]
        size = rule.size(height, width) if rule else (height, width)
        if size != (height, width):
            x = F.interpolate(x, size, mode="bilinear", align_corners=False)
        now = torch.tensor([size[1], size[0]], dtype=torch.float32, device=x.device)
        return x, now / torch.tensor([width, height], dtype=torch.float32, device=x.device)


def _scaled(one: Truth, scale_xy: Tensor, part_hw: tuple[int, int], x: Tensor) -> Truth:
    """What is in a picture, where it lies in `x` (1, C, h, w)."""
    masks, keypoints, proposals = one.masks, one.keypoints, one.proposals_xyxy
    if masks is not None:
        shown = masks[..., : part_hw[0], : part_hw[1]].to(torch.uint8)  # (1, M, H, W)
        masks = F.interpolate(shown, x.shape[-2:], mode="nearest-exact").bool()
    if keypoints is not None:
        keypoints = torch.cat([(keypoints[..., :2] - MIDDLE) * scale_xy, keypoints[..., 2:]], -1)
    return replace(
        one,
        boxes_xyxy=one.boxes_xyxy * scale_xy.repeat(2),
        masks=masks,
        keypoints=keypoints,
        proposals_xyxy=None if proposals is None else proposals * scale_xy.repeat(2),
    )


def _unscaled(found: Found, scale_xy: Tensor) -> Found:
    """Back in pixels of the picture before it was resized."""
    points = found.keypoints
    if points is not None:
        points = torch.cat([points[..., :2] / scale_xy + MIDDLE, points[..., 2:]], -1)
    return replace(found, boxes_xyxy=found.boxes_xyxy / scale_xy.repeat(2), keypoints=points)


def _cat(found: list[Found]) -> Found:
    """What was found in several pictures."""
    parts = {field.name: [getattr(each, field.name) for each in found] for field in fields(Found)}
    joined: dict[str, Any] = {name: None if each[0] is None else torch.cat(each) for name, each in parts.items()}
    return Found(**joined)
