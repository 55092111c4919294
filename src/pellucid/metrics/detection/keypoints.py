"""Object keypoint similarity: what IoU is to boxes. Letters: D found things, M true ones, P keypoints.

https://cocodataset.org/#keypoints-eval: the mean over the marked points of exp(-d^2 / (2 s^2 k^2)), where d is how far
a point is off, s^2 the area of the thing, and k twice how much people differ in placing that point.
"""

import numpy as np

from pellucid.core.errors import DataError

# Of nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles: cocoeval.py of https://github.com/cocodataset
PERSON = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
USUAL = 0.06  # for points that nobody measured: about the mean of those of persons


def keypoint_similarity(
    found: np.ndarray,
    true: np.ndarray,
    true_area: np.ndarray,
    true_boxes_xyxy: np.ndarray,
    sigmas: np.ndarray | None = None,
) -> np.ndarray:
    """(..., D, M) float64 in 0..1: how near each found thing's points are to each true one's.

    Args:
        found: (..., D, P, 2 or more) x, y.
        true: (..., M, P, 3) x, y, and 0 = not marked, which does not count. Of a thing without a marked point, points
            within a box twice as large in each direction are no distance away.
        true_area: (..., M) pixels.
        true_boxes_xyxy: (..., M, 4).
        sigmas: (P,) how much people differ; None takes those of COCO for 17 points, else 0.06 for all.

    Raises:
        DataError: there is not one number for each point.
    """
    points = true.shape[-2]
    if sigmas is None:
        sigmas = PERSON if points == len(PERSON) else np.full(points, USUAL)
    if np.shape(sigmas) != (points,) or found.shape[-2] != points:
        raise DataError(
            f"There are {points} points a thing, got {found.shape[-2]} found ones and {np.size(sigmas)} sigmas."
        )
    xy, at = found[..., :, None, :, :2].astype(np.float64), true[..., None, :, :, :2]
    marked = true[..., 2] > 0
    some = np.asarray(marked.any(-1))  # (..., M)
    low, high = true_boxes_xyxy[..., None, :, None, :2], true_boxes_xyxy[..., None, :, None, 2:]
    side = high - low
    outside = np.maximum(low - side - xy, 0) + np.maximum(xy - high - side, 0)
    off = np.where(some[..., None, :, None, None], xy - at, outside)  # (..., D, M, P, 2)
    scaled = np.square(off).sum(-1) / np.square(2 * np.asarray(sigmas)) / 2
    near = np.exp(-scaled / (true_area[..., None, :, None] + np.spacing(1)))  # (..., D, M, P)
    counts = np.asarray(marked | ~some[..., None])[..., None, :, :]
    total: np.ndarray = (near * counts).sum(-1) / counts.sum(-1)
    return total
