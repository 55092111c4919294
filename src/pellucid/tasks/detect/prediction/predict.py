"""From pictures of any kind and size to the things that a detector finds in them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.data.single import as_batch
from pellucid.models.detect.found import Found, Limits
from pellucid.nn.precision import device_of
from pellucid.tasks.detect.prediction.paste import paste
from pellucid.tasks.detect.prediction.result import DetectResult
from pellucid.tasks.detect.prediction.wishes import DetectWishes


def predict(model: nn.Module, images: Sequence[Any], facts: DataFacts, wishes: DetectWishes) -> list[DetectResult]:
    """Find things in pictures of any kind; all numbers are in the pictures' own pixels, upright. Computes in fp32.

    Args:
        model: a `tasks.detect.model.FromPictures`.

    Raises:
        ImageError: a picture cannot be opened.
        ConfigError: masks were asked of a model that has none.
    """
    limits = Limits(wishes.conf, wishes.iou, wishes.top)
    with torch.inference_mode():
        batch = as_batch(images, facts.preprocess, device_of(model))
        found: Found = model.find(batch["image"], limits)  # type: ignore[operator]
        if wishes.masks == "on" and found.masks is None:
            raise ConfigError(
                "This model finds boxes without outlines: leave masks out, or ask a model such as mask_rcnn."
            )
        return [
            _result(
                found, row, _name(image, row), batch["canvas_affine"][row], batch["original_hw"][row], facts, wishes
            )
            for row, image in enumerate(images)
        ]


def _result(
    found: Found,
    row: int,
    name: str,
    affine: Tensor,
    original_hw: Tensor,
    facts: DataFacts,
    wishes: DetectWishes,
) -> DetectResult:
    """What was found in one picture, in its own pixels."""
    height, width = original_hw.tolist()
    step, offset = affine.cpu().numpy()[[0, 1], [0, 1]], affine.cpu().numpy()[:, 2]
    whole = found.boxes_xyxy[row].float().cpu().numpy().reshape(-1, 2, 2) * step + offset  # (D, 2, 2)
    boxes = whole.clip(0, (width, height)).reshape(-1, 4)
    labels, scores = found.labels[row].cpu().numpy(), found.scores[row].float().cpu().numpy()
    kept = np.flatnonzero((labels >= 0) & (scores >= wishes.conf) & (boxes[:, :2] < boxes[:, 2:]).all(1))[: wishes.top]
    masks = points = None
    if found.masks is not None and wishes.masks != "off":
        places = torch.from_numpy(kept).to(found.masks.device)
        masks = paste(found.masks[row][places].float(), whole.reshape(-1, 4)[kept], (height, width))
    if found.keypoints is not None:
        points = found.keypoints[row].float().cpu().numpy()[kept]
        points[..., :2] = points[..., :2] * step + offset
    return DetectResult(name, (height, width), facts.classes, boxes[kept], labels[kept], scores[kept], masks, points)


def _name(image: Any, row: int) -> str:
    return str(image) if isinstance(image, (str, Path)) else f"picture {row + 1}"


def target_score(outputs: Mapping[str, Tensor], index: int) -> Tensor:
    """(N,): the score of the surest thing of class `index`; 0 where none was found."""
    scores, labels = outputs["found_scores"], outputs["found_labels"]  # (N, D)
    return (scores * (labels == index)).amax(1)
