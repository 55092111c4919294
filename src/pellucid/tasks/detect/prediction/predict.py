"""From pictures of any kind and size to the things that a detector finds in them.

| size | what the network sees |
|---|---|
| `fit` | the whole picture on the canvas of training; what is found there is brought back to the picture's size |
| `native` | the picture at the scale that the training pictures had, in overlapping tiles of their size (see `tiles`) |
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError, is_out_of_memory
from pellucid.core.facts import DataFacts
from pellucid.data.single import as_batch
from pellucid.data.tiles.native import at_scale, require_any_size
from pellucid.models.detect.found import Found, Limits
from pellucid.nn.precision import device_of
from pellucid.ops.colour import LUMA
from pellucid.tasks.detect.prediction.result import DetectResult
from pellucid.tasks.detect.prediction.things import Thing, Things, on_file, view
from pellucid.tasks.detect.prediction.tiles import tiled
from pellucid.tasks.detect.prediction.wishes import DetectWishes

PIXELS = {"cpu": 1 << 18}  # of pictures that a network is given at once, by kind of device
PIXELS_ELSEWHERE = 1 << 22


def predict(model: nn.Module, images: Sequence[Any], facts: DataFacts, wishes: DetectWishes) -> list[DetectResult]:
    """Find things in pictures of any kind; all numbers are in the pictures' own pixels, upright. Computes in fp32.

    Args:
        model: a `tasks.detect.model.FromPictures`.

    Raises:
        ImageError: a picture cannot be opened, or is too large at this scale.
        ConfigError: masks were asked of a model that has none, or tiles of one that knows one size only.
    """
    find = partial(_find, model, facts, wishes)
    with torch.inference_mode():
        if wishes.size == "native":
            require_any_size(facts.preprocess)
            return [_by_tiles(find, image, number, facts, wishes) for number, image in enumerate(images)]
        height, width = facts.preprocess.size
        at_once = max(1, _pixels(model) // (height * width))
        if facts.preprocess.resize is not None:
            at_once = 1  # each on a canvas of its own size
        return [
            result
            for start in range(0, len(images), at_once)
            for result in _fitted(find, images[start : start + at_once], start, facts, wishes)
        ]


def _find(model: nn.Module, facts: DataFacts, wishes: DetectWishes, image: Tensor) -> Found:
    """What the network finds in (N, C, H, W) uint8.

    Raises:
        ConfigError: masks were asked for, and it has none; or it does not take pictures of this size.
    """
    limits = Limits(wishes.conf, wishes.iou, wishes.top)
    try:
        found: Found = model.find(image.to(device_of(model)), limits)  # type: ignore[operator]
    except RuntimeError as error:
        any_size = facts.preprocess.resize is not None
        if any_size or tuple(image.shape[2:]) == facts.preprocess.size or is_out_of_memory(error):
            raise
        height, width = facts.preprocess.size
        raise ConfigError(
            f"This network takes no tiles of {wishes.tile} pixels: leave tile out, so that they have its own "
            f"{height}x{width}."
        ) from error
    if wishes.masks == "on" and found.masks is None:
        raise ConfigError("This model finds boxes without outlines: leave masks out, or ask a model such as mask_rcnn.")
    return found


def _fitted(
    find: partial[Found], images: Sequence[Any], first: int, facts: DataFacts, wishes: DetectWishes
) -> list[DetectResult]:
    """Of pictures that are seen all at once."""
    batch = as_batch(images, facts.preprocess)
    found = find(batch["image"])
    scores, labels = found.scores.cpu(), found.labels.cpu()
    points = 0 if found.keypoints is None else found.keypoints.shape[2]
    results = []
    for row, (image, affine, hw) in enumerate(
        zip(images, batch["canvas_affine"].double().numpy(), batch["original_hw"].tolist(), strict=True)
    ):
        things = []
        for place in (labels[row] >= 0).nonzero()[:, 0].tolist():
            one = view(found, row, place)
            things.append(Thing(one.box_xyxy, float(scores[row, place]), int(labels[row, place]), [one]))
        results.append(
            on_file(
                Things(things, found.masks is not None, points),
                _name(image, first + row),
                (hw[0], hw[1]),
                facts.classes,
                affine[[0, 1], [0, 1]],
                affine[:, 2],
                wishes.top,
                wishes.masks != "off",
            )
        )
    return results


def _by_tiles(find: partial[Found], image: Any, number: int, facts: DataFacts, wishes: DetectWishes) -> DetectResult:
    """Of a picture that is seen tile by tile."""
    preprocess = facts.preprocess
    shown = at_scale(image, preprocess, wishes.scale or facts.zoom)
    height, width = shown.pixels.shape[1:]
    tile = (wishes.tile, wishes.tile) if wishes.tile else preprocess.size
    beyond: tuple[int, ...] = preprocess.background
    if preprocess.channels == 1:
        beyond = (round(sum(weight * value for weight, value in zip(LUMA, beyond, strict=True))),)
    things = tiled(find, shown.pixels, tile, wishes.overlap, _pixels(find.args[0]), beyond, wishes.iou)
    step = np.array([shown.size[1] / width, shown.size[0] / height])
    name, wanted = _name(image, number), wishes.masks != "off"
    return on_file(things, name, shown.size, facts.classes, step, np.zeros(2), wishes.top, wanted)


def _pixels(model: nn.Module) -> int:
    return PIXELS.get(device_of(model).type, PIXELS_ELSEWHERE)


def _name(image: Any, number: int) -> str:
    return str(image) if isinstance(image, (str, Path)) else f"picture {number + 1}"


def target_score(outputs: Mapping[str, Tensor], index: int) -> Tensor:
    """(N,): the score of the surest thing of class `index`; 0 where none was found.

    Raises:
        ConfigError: it has no gradient.
    """
    scores, labels = outputs["found_scores"], outputs["found_labels"]  # (N, D)
    if not scores.requires_grad:
        raise ConfigError(
            "These scores have no gradient that could explain them: the model is fitted to features of a network that "
            "stands still (rcnn), or gradients are off. Take a detector that is trained, such as fast_rcnn."
        )
    return (scores * (labels == index)).amax(1)
