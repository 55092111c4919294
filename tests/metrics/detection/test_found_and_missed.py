"""Curves, confusion with nothing, kinds of errors, certainty: answers that can be seen with the naked eye."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from coco_cases import random_detections

from pellucid.core.errors import ConfigError
from pellucid.metrics.detection.average_precision import average_precision
from pellucid.metrics.detection.certainty import found_calibration_error, found_reliability
from pellucid.metrics.detection.confusion import confusion_with_nothing
from pellucid.metrics.detection.curves import precision_recall
from pellucid.metrics.detection.detections import Detections
from pellucid.metrics.detection.errors import KINDS, errors
from pellucid.metrics.detection.matching import match

BOX = np.array([0.0, 0.0, 10.0, 10.0])


def at(left: float) -> np.ndarray:
    return BOX + np.array([left, 0, left, 0])


def picture(found: list[tuple[float, float, int]], true: list[tuple[float, int]], **more: np.ndarray) -> Detections:
    """Squares of 10 px along x. Found: left, score, class. True: left, class."""
    boxes = np.array([at(left) for left, _, _ in found]).reshape(1, -1, 4)
    scores = np.array([score for _, score, _ in found])[None]
    labels = np.array([label for _, _, label in found], int)[None]
    truth = np.array([at(left) for left, _ in true]).reshape(1, -1, 4)
    return Detections(boxes, scores, labels, truth, np.array([label for _, label in true], int)[None], **more)


# One of each: right; wrong name; right name, IoU 1/3; wrong name, IoU 1/3; found twice; on nothing. The last is missed.
EACH = picture(
    [(0, 0.9, 0), (100, 0.8, 1), (205, 0.7, 0), (305, 0.6, 1), (1, 0.5, 0), (900, 0.4, 0)],
    [(0, 0), (100, 0), (200, 0), (300, 0), (400, 0), (500, 1)],
)


def test_one_error_of_each_kind() -> None:
    found = errors(EACH)
    order = ["right" if k == -1 else KINDS[k] for k in found.kind]
    by_place = dict(zip(found.matches.place.tolist(), order, strict=True))
    assert by_place == {0: "right", 1: "class", 2: "location", 3: "both", 4: "duplicate", 5: "background"}
    assert found.counts() == dict.fromkeys(KINDS[:-1], 1) | {"missed": 3}
    assert found.counts(0.55)["duplicate"] == 0
    assert np.flatnonzero(found.missed[0]).tolist() == [3, 4, 5], (
        "a thing with a wrong name or a poor box is not missed"
    )


def test_borders_between_kinds() -> None:
    """Squares of 10 px that are moved by s share (10 - s) / (10 + s)."""
    kinds = {}
    for moved in (5.4, 7.5, 8.5):  # 0.30, 0.14, 0.08
        kinds[moved] = KINDS[errors(picture([(moved, 0.9, 0)], [(0, 0)])).kind[0]]
    assert kinds == {5.4: "location", 7.5: "location", 8.5: "background"}
    # on a thing of another class (IoU 2/3), and beside one of its own (0.30): it is its own that it misses
    both = errors(picture([(0, 0.9, 0)], [(2, 1), (5.4, 0)]))
    assert KINDS[both.kind[0]] == "location" and both.about.tolist() == [1]
    assert both.missed.tolist() == [[True, False]]


def test_a_wrong_name_for_what_is_found_already_gains_nothing() -> None:
    """Mended, it would be a second answer for the first thing, and the second thing is still missed."""
    given = picture([(0, 0.9, 0), (0, 0.8, 1)], [(0, 0), (100, 0)])
    found = errors(given)
    assert KINDS[found.kind[found.matches.place.tolist().index(1)]] == "class"
    assert found.costs(2)["class"] == pytest.approx(0)


def test_costs_of_errors() -> None:
    """What AP50 becomes when a kind is mended, by hand: class 1 has one thing, never found, so its AP is 0."""
    costs = errors(EACH).costs(2)
    # class 0 as it is: right first of 5 things: precision 1 up to recall 0.2, 21 of 101 points
    now = (21 / 101 + 0) / 2
    assert average_precision(EACH, 2).numbers["ap50"] == pytest.approx(now)
    assert costs["class"] == pytest.approx((41 / 101) / 2 - now), "now two of five are right, the surest two"
    # location: right 0.9, right 0.7 at the second place of class 0 (the others of its class come later)
    assert costs["location"] == pytest.approx((41 / 101) / 2 - now)
    assert costs["duplicate"] == costs["background"] == costs["both"] == pytest.approx(0)
    # missed: two of class 0 are no longer asked for (300 and 400), and class 1 has nothing to find
    assert costs["missed"] == pytest.approx(34 / 101 - now), "one of three: recall 1/3 has 34 points"


def test_duplicates_and_background_cost_what_they_push_down() -> None:
    given = picture([(900, 0.9, 0), (0, 0.8, 0)], [(0, 0)])
    assert errors(given).costs(1)["background"] == pytest.approx(0.5)
    twice = picture([(0, 0.9, 0), (1, 0.8, 0), (100, 0.7, 0)], [(0, 0), (100, 0)])
    assert errors(twice).costs(1)["duplicate"] == pytest.approx(1 - (51 + 50 * 2 / 3) / 101)


def test_errors_add_up() -> None:
    for seed in range(10):
        given = random_detections(np.random.default_rng(seed), 5, 20, 6, 3, 50)
        found = errors(given)
        assert sum(found.counts().values()) - found.counts()["missed"] == int((found.kind >= 0).sum())
        right = int((found.kind == -1).sum())
        true = int((given.true & ~given.truth_crowd).sum())
        assert right + found.counts()["missed"] <= true
        assert found._ap50(3, found.kind, found.matches.label) == pytest.approx(
            average_precision(given, 3).numbers["ap50"], nan_ok=True
        )
        assert all(value >= -1e-12 or np.isnan(value) for name, value in found.costs(3).items() if name != "missed")


def test_confusion_with_nothing() -> None:
    got = confusion_with_nothing(EACH, 2, score=0.0)
    # class 0: one found, one called 1, three missed; class 1: missed; of nothing: 205, 1 and 900 as 0, 305 as 1
    assert got.tolist() == [[1, 1, 3], [0, 0, 1], [3, 1, 0]]
    sure = confusion_with_nothing(EACH, 2, score=0.75)
    assert sure.tolist() == [[1, 1, 3], [0, 0, 1], [0, 0, 0]]
    assert np.array_equal(confusion_with_nothing(EACH, 2, score=0.8), sure), "the least score itself counts"


def test_a_wrong_name_never_takes_a_thing_from_the_right_one() -> None:
    given = picture([(0, 0.9, 1), (0, 0.2, 0)], [(0, 0)])
    assert confusion_with_nothing(given, 2, 0.0).tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_crowds_are_neither_right_nor_wrong() -> None:
    crowd = {"truth_crowd": np.array([[True]])}
    given = picture([(0, 0.9, 0), (1, 0.8, 1)], [(0, 0)], **crowd)
    assert confusion_with_nothing(given, 2, 0.0).sum() == 0
    found = errors(picture([(0, 0.9, 0)], [(0, 0)], **crowd))
    assert found.kind.tolist() == [-2] and not found.missed.any()
    assert len(precision_recall(picture([(0, 0.9, 0)], [(0, 0)], **crowd), 1)[0].score) == 0


def test_rows_of_the_confusion_are_the_true_things() -> None:
    for seed in range(10):
        given = random_detections(np.random.default_rng(seed), 5, 20, 6, 3, 50)
        matrix = confusion_with_nothing(given, 3, 0.35)
        true = np.bincount(given.truth_label[given.true & ~given.truth_crowd], minlength=3)
        assert matrix[:3].sum(1).tolist() == true.tolist()
        assert matrix[3, 3] == 0 and (matrix >= 0).all()
        if not given.truth_crowd.any():
            sure = given.found & (given.scores >= 0.35)
            assert matrix[:, :3].sum(0).tolist() == np.bincount(given.labels[sure], minlength=3).tolist()


def test_precision_and_recall() -> None:
    given = picture([(0, 0.9, 0), (900, 0.8, 0), (100, 0.7, 0)], [(0, 0), (100, 0), (200, 1)])
    first, second, both = precision_recall(given, 2)
    np.testing.assert_allclose(first.precision, [1, 1 / 2, 2 / 3])
    np.testing.assert_allclose(first.recall, [1 / 2, 1 / 2, 1])
    np.testing.assert_allclose(first.f1, [2 / 3, 1 / 2, 4 / 5])
    assert first.best == 2 and first.at(0.85) == (1.0, 0.5) and first.at(0.8) == (0.5, 0.5)
    assert np.isnan(first.at(0.95)[0]) and first.at(0.95)[1] == 0.0
    assert len(second.score) == 0 and second.best == -1 and second.at(0.1)[1] == 0.0
    np.testing.assert_allclose(both.recall, [1 / 3, 1 / 3, 2 / 3])


def test_reliability_of_what_is_found() -> None:
    """Of ten things with score 0.8, eight are right; of five with 0.3, none."""
    found = [(100.0 * i, 0.8, 0) for i in range(10)] + [(5000.0 + 100 * i, 0.3, 0) for i in range(5)]
    given = picture(found, [(100.0 * i, 0) for i in range(8)])
    matches = match(given, np.array([0.5]))
    bins = found_reliability(matches)
    assert bins.count.tolist() == [0, 0, 5, 0, 0, 0, 0, 10, 0, 0]
    torch.testing.assert_close(bins.accuracy[[2, 7]], torch.tensor([0.0, 0.8], dtype=torch.float64))
    assert found_calibration_error(matches) == pytest.approx(5 * 0.3 / 15)
    crowded = picture([(0, 0.8, 0), (500, 0.8, 0)], [(0, 0)], truth_crowd=np.array([[True]]))
    assert found_reliability(match(crowded, np.array([0.5]))).count.sum() == 1, "what a crowd takes says nothing"
    nothing = match(picture([], [(0, 0)]), np.array([0.5]))
    assert np.isnan(found_calibration_error(nothing))
    with pytest.raises(ConfigError, match="n_bins must be 1 or more, got 0"):
        found_reliability(matches, 0)
