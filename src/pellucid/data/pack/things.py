"""The things in packed pictures as arrays of one shape. Letters: N pictures, M places for things, the most in any."""

from collections.abc import Sequence

import numpy as np

from pellucid.data.objects import Objects

NO_THING = -1  # label of a place that holds none


def thing_targets(objects: Sequence[Objects], affine: np.ndarray) -> dict[str, np.ndarray]:
    """Boxes, classes, and what is counted how.

    Args:
        objects: of N pictures, in pixels of their files.
        affine: (N, 2, 3), from the canvas to the file's pixels.

    Returns:
        `boxes_xyxy` (N, M, 4) float32 in pixels of the canvas, `box_label` (N, M) int64 (-1 = no thing), `is_crowd`
        (N, M) bool, and `box_area` (N, M) float32 in pixels of the file, by which things are called small or large.
    """
    all_things = list(objects)
    n, m = len(all_things), max([1, *map(len, all_things)])
    boxes, labels = np.zeros((n, m, 4), np.float32), np.full((n, m), NO_THING, np.int64)
    crowd, area = np.zeros((n, m), bool), np.zeros((n, m), np.float32)
    for row, things in enumerate(all_things):
        k = len(things)
        boxes[row, :k], labels[row, :k], crowd[row, :k], area[row, :k] = (
            things.boxes_xyxy,
            things.labels,
            things.is_crowd,
            things.area,
        )
    scale = affine[:, [0, 1], [0, 1]]  # (N, 2), file pixels a canvas pixel, along x and y
    offset = affine[:, :, 2]
    there = (labels >= 0)[..., None]
    corners = (boxes.reshape(n, m, 2, 2) - offset[:, None, None]) / scale[:, None, None]
    targets = {"boxes_xyxy": corners.reshape(n, m, 4) * there, "box_label": labels, "is_crowd": crowd}
    return {**targets, "box_area": area}
