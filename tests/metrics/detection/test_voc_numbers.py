"""VOC's average precision: by hand, and as a loop written after the development kit has it."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from coco_cases import random_detections

from pellucid.metrics.detection.average_precision import average_precision
from pellucid.metrics.detection.detections import Detections, overlaps
from pellucid.metrics.detection.voc import voc_average_precision


def loop(given: Detections, k: int, difficult: np.ndarray, eleven: bool) -> float:
    """One class, thing by thing."""
    answers = [(given.scores[i, j], i, j) for i, j in np.argwhere(given.labels == k)]
    answers.sort(key=lambda answer: -answer[0])
    taken = np.zeros(given.truth_label.shape, bool)
    n_true = int(((given.truth_label == k) & ~difficult).sum())
    tp, fp = [], []
    for _, i, j in answers:
        mine = np.flatnonzero(given.truth_label[i] == k)
        iou = overlaps(given.boxes_xyxy[i, [j]], given.truth_xyxy[i, mine], np.zeros(len(mine), bool))[0]
        if len(mine) and iou.max() >= 0.5:
            best = mine[iou.argmax()]
            if not difficult[i, best]:
                tp.append(not taken[i, best])
                fp.append(bool(taken[i, best]))
                taken[i, best] = True
        else:
            tp.append(False)
            fp.append(True)
    if not n_true:
        return float("nan")
    rec, prec = np.cumsum(tp) / n_true, np.cumsum(tp) / np.maximum(np.cumsum(tp) + np.cumsum(fp), 1)
    if eleven:
        tenths = [t / 10 for t in range(11)]
        return float(np.mean([max(prec[rec >= t - 1e-12], default=0.0) for t in tenths]))
    rec, prec = np.concatenate([[0], rec, [1]]), np.concatenate([[0], prec, [0]])
    for i in range(len(prec) - 1, 0, -1):
        prec[i - 1] = max(prec[i - 1], prec[i])
    steps = np.flatnonzero(rec[1:] != rec[:-1])
    return float(((rec[steps + 1] - rec[steps]) * prec[steps + 1]).sum())


@pytest.mark.parametrize("points", ["all", "11"])
def test_equal_to_the_loop(points: str) -> None:
    for seed in range(25):
        rng = np.random.default_rng(seed)
        given = random_detections(rng, 4, 15, 6, 3, int(rng.choice([12, 60])), ties=False)
        difficult = rng.random(given.truth_label.shape) < 0.2
        got = voc_average_precision(given, 3, difficult, points=points)  # type: ignore[arg-type]
        want = [loop(given, k, difficult, points == "11") for k in range(3)]
        np.testing.assert_allclose(got, want, atol=1e-12)


def row(*boxes: tuple[float, float], size: float = 10.0) -> np.ndarray:
    """Squares at places along x: (left, score) each."""
    return np.array([[[left, 0.0, left + size, size] for left, _ in boxes]])


def test_a_hand_example() -> None:
    """Right, wrong, right of three: precision 1 to recall 1/3, then 2/3 to recall 2/3, then nothing."""
    found = [(0.0, 0.9), (500.0, 0.8), (20.0, 0.7)]
    given = Detections(
        row(*found),
        np.array([[s for _, s in found]]),
        np.zeros((1, 3), int),
        row((0, 1), (20, 1), (40, 1)),
        np.zeros((1, 3), int),
    )
    assert voc_average_precision(given, 1)[0] == pytest.approx(1 / 3 + 1 / 3 * 2 / 3)
    # recalls 0, 0.1, 0.2, 0.3 have 1; 0.4, 0.5, 0.6 have 2/3
    assert voc_average_precision(given, 1, points="11")[0] == pytest.approx((4 + 3 * 2 / 3) / 11)


def test_what_finds_a_difficult_thing_does_not_count_however_often() -> None:
    found = row((0, 0), (0, 0), (20, 0))
    true, labels = row((0, 1), (20, 1)), np.zeros((1, 2), int)
    given = Detections(found, np.array([[0.9, 0.8, 0.7]]), np.zeros((1, 3), int), true, labels)
    hard = np.array([[True, False]])
    assert voc_average_precision(given, 1, hard)[0] == 1.0
    assert voc_average_precision(given, 1)[0] == pytest.approx(0.5 + 0.5 * 2 / 3)
    marked = Detections(**{**vars(given), "truth_crowd": hard})
    assert voc_average_precision(marked, 1)[0] == 1.0, "marks of the data are those of the data set"


def test_a_found_thing_looks_at_the_best_one_only() -> None:
    """Both found things lie best on the first true one, the second would reach the other too: COCO lets it, VOC not."""
    true = np.array([[[0.0, 0.0, 10.0, 10.0], [3.0, 0.0, 13.0, 10.0]]])
    found = np.array([[[0.0, 0.0, 10.0, 10.0], [1.0, 0.0, 11.0, 10.0]]])
    given = Detections(found, np.array([[0.9, 0.8]]), np.zeros((1, 2), int), true, np.zeros((1, 2), int))
    assert voc_average_precision(given, 1)[0] == pytest.approx(0.5)
    assert average_precision(given, 1).numbers["ap50"] == pytest.approx(1.0)


def test_classes_without_things() -> None:
    given = random_detections(np.random.default_rng(0), 3, 5, 4, 2, 40)
    got = voc_average_precision(given, 4)
    assert np.isnan(got[2:]).all() and np.isfinite(got[:2]).all()
    nothing = Detections(**{**vars(given), "labels": np.full_like(given.labels, -1)})
    assert (voc_average_precision(nothing, 2) == 0).all()


def test_the_best_one_is_the_one_it_overlaps_most() -> None:
    """It lies on the first altogether, and reaches the second, which is difficult and would not count."""
    true = np.array([[[0.0, 0.0, 10.0, 10.0], [3.0, 0.0, 13.0, 10.0]]])
    given = Detections(true[:, :1], np.array([[0.9]]), np.zeros((1, 1), int), true, np.zeros((1, 2), int))
    assert voc_average_precision(given, 1, np.array([[False, True]]))[0] == 1.0
