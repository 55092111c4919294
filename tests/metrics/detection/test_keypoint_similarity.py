"""Object keypoint similarity: by hand, and average precision by it as pycocotools has it."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from coco_cases import by_pycocotools, random_detections

from pellucid.core.errors import DataError
from pellucid.metrics.detection.average_precision import average_precision
from pellucid.metrics.detection.detections import Detections
from pellucid.metrics.detection.keypoints import PERSON, keypoint_similarity


def test_by_hand() -> None:
    """Two marked points of three: one hit, one off by twice s k, so exp(-2) ... and the unmarked one does not count."""
    true = np.array([[[10.0, 10, 2], [20.0, 10, 1], [99.0, 99, 0]]])
    found = np.array([[[10.0, 10], [20.0 + 2 * 30 * 0.2, 10], [0.0, 0]]])  # s = sqrt(900), k = 2 * 0.1
    got = keypoint_similarity(found, true, np.array([900.0]), np.array([[0.0, 0, 30, 30]]), np.full(3, 0.1))
    assert got[0, 0] == pytest.approx((1 + np.exp(-2)) / 2)


def test_numbers_of_points_must_agree() -> None:
    with pytest.raises(DataError, match="There are 3 points a thing, got 2 found ones and 3 sigmas"):
        keypoint_similarity(np.zeros((1, 2, 2)), np.zeros((1, 3, 3)), np.ones(1), np.ones((1, 4)))


def test_as_pycocotools_has_it() -> None:
    p, most = len(PERSON), (1, 10, 20)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        given = random_detections(rng, 3, 24, 5, 1, 120, crowd=0.1)
        n, d, m = 3, 24, 5
        at = given.truth_xyxy[:, :, None, :2] + rng.random((n, m, p, 2)) * 40
        marks = rng.integers(0, 3, (n, m, p)) * (rng.random((n, m, 1)) < 0.8)
        true = np.concatenate([at, marks[..., None]], -1)
        of = rng.integers(0, m, (n, d))
        found = np.take_along_axis(at, of[..., None, None], 1) + rng.normal(0, 3, (n, d, p, 2))
        similarity = keypoint_similarity(found, true, given.truth_area, given.truth_xyxy)
        extent = (found.max(2) - found.min(2)).prod(-1)
        truth_area = np.where((marks > 0).any(-1), given.truth_area, -1.0)
        judged = Detections(**{**vars(given), "area": extent, "truth_area": truth_area, "overlap": similarity})
        got = average_precision(judged, 1, most)

        def answer(i: int, j: int, found: np.ndarray = found) -> dict[str, object]:
            return {"keypoints": np.concatenate([found[i, j], np.ones((p, 1))], -1).ravel().tolist()}

        def thing(i: int, j: int, true: np.ndarray = true) -> dict[str, object]:
            marked = int((true[i, j, :, 2] > 0).sum())
            return {"keypoints": true[i, j].ravel().tolist(), "num_keypoints": marked}

        want = by_pycocotools(given, 1, "keypoints", answer, thing)
        # pycocotools' ranges of sizes are all, medium and large; it looks at 20 things a picture
        np.testing.assert_allclose(got.precision[..., [0, 2, 3]], want["precision"], atol=1e-9, rtol=0)
        np.testing.assert_allclose(got.recall[..., [0, 2, 3], 2], want["recall"][..., -1], atol=1e-9, rtol=0)
