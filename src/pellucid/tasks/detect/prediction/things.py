"""What was found in one picture, in pixels of what the network saw of it. S x S a mask, P keypoints, H x W the file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pellucid.models.detect.found import Found
from pellucid.tasks.detect.prediction.paste import paste, united
from pellucid.tasks.detect.prediction.result import DetectResult


@dataclass(frozen=True)
class View:
    """What one look at a picture says of a thing.

    Attributes:
        box_xyxy: (4,) float64, which the mask fills.
        mask: (S, S) probabilities, or None.
        keypoints: (P, 3) float64: x, y, score; or None.
    """

    box_xyxy: np.ndarray
    mask: Tensor | None
    keypoints: np.ndarray | None


def view(found: Found, row: int, place: int, corner: Sequence[float] = (0, 0, 0, 0)) -> View:
    """One of what was found in the picture `row`, moved to where its left, top, left, top are in the whole."""
    box = found.boxes_xyxy[row, place].cpu().double().numpy() + corner
    points = None
    if found.keypoints is not None:
        points = found.keypoints[row, place].cpu().double().numpy()
        points[:, :2] += corner[:2]
    return View(box, None if found.masks is None else found.masks[row, place], points)


@dataclass(frozen=True)
class Thing:
    """One thing.

    Attributes:
        box_xyxy: (4,) float64.
        score, label: of the surest view of it.
        views: one where it is seen whole, else all of its parts, the surest first.
    """

    box_xyxy: np.ndarray
    score: float
    label: int
    views: Sequence[View]


@dataclass(frozen=True)
class Things:
    """All things of a picture, the surest first.

    Attributes:
        has_masks: whether the network gives masks, even where there is no thing.
        n_keypoints: P; 0 where the network gives none.
    """

    things: Sequence[Thing]
    has_masks: bool
    n_keypoints: int


def on_file(
    found: Things,
    name: str,
    size: tuple[int, int],
    classes: tuple[str, ...],
    step: np.ndarray,
    offset: np.ndarray,
    most: int,
    masks: bool,
) -> DetectResult:
    """The things in pixels of the file: boxes clipped to it, those left out of which nothing is in it.

    Args:
        name, size, classes: as in the result.
        step: (2,) pixels of the file for one of what the network saw, along x and y.
        offset: (2,) x and y in the file where that begins.
        most: how many things at most.
        masks: whether outlines are wanted, where there are any.
    """
    scale, shift = np.tile(step, 2), np.tile(offset, 2)
    limit = np.array([size[1], size[0], size[1], size[0]])
    placed = [((thing.box_xyxy * scale + shift).clip(0, limit), thing) for thing in found.things]
    kept = [(box, thing) for box, thing in placed if (box[:2] < box[2:]).all()][:most]
    codes = points = None
    if masks and found.has_masks:
        codes = tuple(
            united(
                [
                    paste(view.mask.float(), (view.box_xyxy * scale + shift).tolist(), size)
                    for view in thing.views
                    if view.mask is not None
                ],
                size,
            )
            for _, thing in kept
        )
    if found.n_keypoints:
        points = np.zeros((len(kept), found.n_keypoints, 3), dtype=np.float32)
        for row, (_, thing) in enumerate(kept):
            points[row] = _surest([view.keypoints for view in thing.views if view.keypoints is not None])
        points[..., :2] = points[..., :2] * step + offset
    return DetectResult(
        name,
        size,
        classes,
        np.array([box for box, _ in kept], dtype=np.float32).reshape(-1, 4),
        np.array([thing.label for _, thing in kept], dtype=np.int64),
        np.array([thing.score for _, thing in kept], dtype=np.float32),
        codes,
        points,
    )


def _surest(views: Sequence[np.ndarray]) -> np.ndarray:
    """(P, 3) each keypoint as in the view that is surest of it."""
    each = np.stack(views)  # (views, P, 3)
    best: np.ndarray = each[each[..., 2].argmax(axis=0), np.arange(each.shape[1])]
    return best
