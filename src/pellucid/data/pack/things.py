"""The things in packed pictures as arrays of one shape. Letters: N pictures, M places for things, the most in any, P
keypoints.
"""

from collections.abc import Sequence

import numpy as np

from pellucid.core.errors import DataError
from pellucid.data.objects import Objects

NO_THING = -1  # label of a place that holds none


def thing_targets(
    objects: Sequence[Objects], affine: np.ndarray, valid_hw: np.ndarray, original_hw: np.ndarray
) -> dict[str, np.ndarray]:
    """Boxes, classes, keypoints, and what is counted how.

    Boxes end where the picture does. Where the canvas shows but a part of the picture, a thing counts if the middle of
    its box is seen, and its box ends at the border of that part.

    Args:
        objects: of N pictures, in pixels of their files.
        affine: (N, 2, 3), from the canvas to the file's pixels.
        valid_hw: (N, 2), the part of the canvas that is picture.
        original_hw: (N, 2), sizes of the files' pictures.

    Returns:
        `boxes_xyxy` (N, M, 4) float32 in pixels of the canvas, `box_label` (N, M) int64 (-1 = no thing), `is_crowd`
        (N, M) bool, `box_area` (N, M) float32 in pixels of the file, by which things are called small or large; and
        `keypoints` (N, M, P, 3) float32 where any thing has some, with 0 as last number of a point that is not seen.

    Raises:
        DataError: things have different numbers of keypoints.
    """
    all_things = list(objects)
    n, m, p = len(all_things), max([1, *map(len, all_things)]), count_keypoints(all_things)
    boxes, labels = np.zeros((n, m, 4), np.float32), np.full((n, m), NO_THING, np.int64)
    crowd, area = np.zeros((n, m), bool), np.zeros((n, m), np.float32)
    points = np.zeros((n, m, p, 3), np.float32)
    for row, things in enumerate(all_things):
        k = len(things)
        boxes[row, :k], labels[row, :k] = things.boxes_xyxy, things.labels
        crowd[row, :k], area[row, :k] = things.is_crowd, things.area
        if things.keypoints is not None and k:
            points[row, :k] = things.keypoints
    scale, offset = affine[:, [0, 1], [0, 1]], affine[:, :, 2]  # (N, 2), file pixels a canvas pixel, along x and y
    corners = boxes.reshape(n, m, 2, 2).clip(0, original_hw[:, None, None, ::-1])  # (N, M, corner, axis)
    corners = (corners - offset[:, None, None]) / scale[:, None, None]
    size = valid_hw[:, None, ::-1]  # (N, 1, axis)
    middle = corners.mean(axis=2)  # (N, M, axis)
    corners = corners.clip(0, size[:, None])
    seen = ((middle >= 0) & (middle <= size) & (corners[:, :, 1] > corners[:, :, 0])).all(axis=2) & (labels >= 0)
    targets = {
        "boxes_xyxy": (corners.reshape(n, m, 4) * seen[..., None]).astype(np.float32),
        "box_label": np.where(seen, labels, NO_THING),
        "is_crowd": crowd & seen,
        "box_area": area * seen,
    }
    if not p:
        return targets
    xy = (points[..., :2] - offset[:, None, None]) / scale[:, None, None]  # (N, M, P, axis)
    shown = ((xy >= 0) & (xy < size[:, None])).all(axis=-1) & seen[..., None]
    points = np.concatenate([xy, (points[..., 2] * shown)[..., None]], axis=-1)
    return {**targets, "keypoints": (points * seen[..., None, None]).astype(np.float32)}


def count_keypoints(objects: Sequence[Objects]) -> int:
    """How many keypoints each thing has; 0 where none has any.

    Raises:
        DataError: things have different numbers of them.
    """
    found = {things.keypoints.shape[1] for things in objects if things.keypoints is not None and len(things)}
    if len(found) > 1:
        raise DataError(
            f"Things have {' or '.join(map(str, sorted(found)))} keypoints, and all must have as many. Mark those that "
            "are missing with 0, or leave out the things without."
        )
    return max(found, default=0)


def have_outlines(objects: Sequence[Objects]) -> bool:
    """Whether there are things, and all have masks."""
    return any(map(len, objects)) and all(things.masks is not None for things in objects if len(things))
