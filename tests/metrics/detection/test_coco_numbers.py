"""The twelve numbers: by hand, as pycocotools and faster-coco-eval have them, and what must not change them."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_masks

sys.path.insert(0, str(Path(__file__).parent))
from coco_cases import by_pycocotools, random_detections

from pellucid.core.errors import DataError
from pellucid.metrics.detection import matching
from pellucid.metrics.detection.average_precision import average_precision
from pellucid.metrics.detection.coco import NUMBERS
from pellucid.metrics.detection.detections import Detections, overlaps
from pellucid.metrics.detection.matching import match
from pellucid.metrics.detection.second_opinion import by_faster_coco_eval

CLOSE = 1e-9


def one_picture(found: list[tuple[float, ...]], true: list[tuple[float, ...]]) -> Detections:
    """Found: left, top, right, bottom, score, class. True: the same without a score."""
    f, t = np.array(found).reshape(-1, 6), np.array(true).reshape(-1, 5)
    return Detections(
        f[None, :, :4], f[None, :, 4], f[None, :, 5].astype(int), t[None, :, :4], t[None, :, 4].astype(int)
    )


def numbers(given: Detections, k: int = 1) -> dict[str, float]:
    return average_precision(given, k).numbers


def test_a_hand_example() -> None:
    """Two true things; right, wrong, right by falling score: precision 1 up to recall 1/2, then 2/3."""
    true = [(0.0, 0.0, 10.0, 10.0, 0), (20.0, 0.0, 30.0, 10.0, 0)]
    found = [(0.0, 0.0, 10.0, 10.0, 0.9, 0), (50.0, 0.0, 60.0, 10.0, 0.8, 0), (20.0, 0.0, 30.0, 10.0, 0.7, 0)]
    got = numbers(one_picture(found, true))
    assert got["ap50"] == pytest.approx((51 * 1 + 50 * 2 / 3) / 101, abs=1e-12)  # recalls 0 .. 0.50 are 51 points
    for name in ("ap", "ap75", "ap_small"):
        assert got[name] == pytest.approx(got["ap50"])
    assert got["ar1"] == 0.5 and got["ar10"] == got["ar100"] == 1.0
    assert np.isnan(got["ap_large"])


def test_thresholds_of_iou() -> None:
    """A box shifted by a quarter of its side has IoU 3/5: right at 0.50, 0.55 and, as it is no less, 0.60."""
    got = numbers(one_picture([(2.5, 0.0, 12.5, 10.0, 1.0, 0)], [(0.0, 0.0, 10.0, 10.0, 0)]))
    assert got["ap50"] == pytest.approx(1.0) and got["ap75"] == 0.0
    assert got["ap"] == pytest.approx(0.3) and got["ar100"] == pytest.approx(0.3)


def test_twice_found_counts_once() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    got = numbers(one_picture([(*box, 0.9, 0), (*box, 0.8, 0)], [(*box, 0), (20.0, 0.0, 30.0, 10.0, 0)]))
    assert got["ap50"] == pytest.approx(51 / 101)
    first_wrong = one_picture([(50.0, 50.0, 60.0, 60.0, 0.9, 0), (*box, 0.8, 0)], [(*box, 0)])
    assert numbers(first_wrong)["ap50"] == pytest.approx(0.5)


def test_a_thing_that_counts_goes_before_one_that_does_not() -> None:
    """The found box lies in a crowd, and on the thing by 3/5: it takes the thing. The next ones take the crowd."""
    true = [(0.0, 0.0, 10.0, 10.0, 0), (-50.0, -50.0, 50.0, 50.0, 0)]
    found = [(2.5, 0.0, 12.5, 10.0, 0.9, 0), (2.5, 0.0, 12.5, 10.0, 0.8, 0), (3.0, 0.0, 13.0, 10.0, 0.7, 0)]
    given = one_picture(found, true)
    given = Detections(**{**vars(given), "truth_crowd": np.array([[False, True]])})
    matches = match(given, np.array([0.5]))
    assert matches.truth[:, 0, 0].tolist() == [0, 1, 1] and matches.ignored[:, 0, 0].tolist() == [False, True, True]
    assert numbers(given)["ap50"] == pytest.approx(1.0)
    assert_equal(given, 1)


def test_ends_of_sizes_belong_to_both() -> None:
    """32 x 32 px is small and medium, as COCO has it."""
    given = one_picture([(0.0, 0.0, 32.0, 32.0, 0.9, 0)], [(0.0, 0.0, 32.0, 32.0, 0)])
    got = numbers(given)
    assert got["ap_small"] == got["ap_medium"] == pytest.approx(1.0) and np.isnan(got["ap_large"])
    assert_equal(given, 1)


def test_a_hundred_things_a_picture_and_class_and_no_more() -> None:
    """One right answer behind 99 surer ones on nothing has precision 1/100; behind 100 it does not count."""
    for wrong, expected in ((99, 0.01), (100, 0.0)):
        boxes = np.tile([900.0, 900, 910, 910], (1, wrong + 1, 1))
        boxes[0, -1] = [0, 0, 10, 10]
        scores = np.linspace(0.9, 0.1, wrong + 1)[None]
        given = Detections(boxes, scores, np.zeros((1, wrong + 1), int), boxes[:, -1:], np.zeros((1, 1), int))
        assert average_precision(given, 1).numbers["ap50"] == pytest.approx(expected)


def test_an_overlap_of_one_that_was_rounded_is_one() -> None:
    given = one_picture([(0.0, 0.0, 10.0, 10.0, 1.0, 0)], [(0.0, 0.0, 10.0, 10.0, 0)])
    given = replace(given, overlap=np.full((1, 1, 1), 1 - 1e-11))
    assert match(given, np.array([1.0])).truth.ravel().tolist() == [0]


def test_things_on_top_of_each_other() -> None:
    """Boxes that reach several true ones, of sizes that count and that do not, and crowds."""
    for seed in range(12):
        given = random_detections(np.random.default_rng(seed), 2, 12, 8, k=1, side=30, crowd=0.3)
        close = 20 + given.truth_xyxy % 6 + np.array([0, 0, 25, 25])
        boxes = 20 + given.boxes_xyxy % 6 + np.array([0, 0, 25, 25])
        assert_equal(Detections(boxes, given.scores, given.labels, close, given.truth_label, given.truth_crowd), 1)


def test_nothing_at_all() -> None:
    none = np.zeros((0, 3))
    empty = Detections(np.zeros((0, 3, 4)), none, none.astype(int), np.zeros((0, 3, 4)), none.astype(int))
    assert all(np.isnan(value) for value in numbers(empty, 2).values())
    missed = one_picture([], [(0.0, 0.0, 10.0, 10.0, 0)])
    assert numbers(missed)["ap"] == numbers(missed)["ar100"] == 0.0
    no_truth = one_picture([(0.0, 0.0, 10.0, 10.0, 0.5, 0)], [])
    assert np.isnan(numbers(no_truth)["ap"])


def cases() -> list[dict[str, float]]:
    """Two hundred sets: tiny and full pictures, many ties, crowds, none found, none true, far more than 100 found."""
    rng = np.random.default_rng(7)
    found = []
    for number in range(200):
        d = int(rng.choice([1, 4, 8, 12])) if number % 20 else 130
        n, m = int(rng.integers(1, 5)) if d < 100 else 2, int(rng.integers(1, 9))
        found.append({"seed": number, "n": n, "d": d, "m": m, "side": int(rng.choice([8, 40, 250]))})
    return found


def assert_equal(given: Detections, k: int, **more: object) -> None:
    want = by_pycocotools(given, k, **more)  # type: ignore[arg-type]
    for judge in (average_precision, by_faster_coco_eval):
        got = judge(given, k)
        np.testing.assert_allclose(list(got.numbers.values()), want["stats"], atol=CLOSE, rtol=0, err_msg=str(judge))
        np.testing.assert_allclose(got.precision, want["precision"], atol=CLOSE, rtol=0)
        np.testing.assert_allclose(got.recall, want["recall"], atol=CLOSE, rtol=0)


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_equal_to_pycocotools_on_200_sets(step: int) -> None:
    """Every fifth of them each time, all with the slow tests."""
    for case in cases()[::step]:
        rng = np.random.default_rng(case["seed"])
        n, d, m, side = (int(case[name]) for name in ("n", "d", "m", "side"))
        given = random_detections(rng, n, d, m, k=3, side=side, crowd=[0.0, 0.15, 1.0][case["seed"] % 3])
        if case["seed"] % 17 == 0:
            given = Detections(**{**vars(given), "labels": np.full_like(given.labels, -1)})
        if case["seed"] % 19 == 0:
            given = Detections(**{**vars(given), "truth_label": np.full_like(given.truth_label, -1)})
        if case["seed"] % 2:  # numbers that no float holds exactly
            shift = rng.random(4) / 3
            given = Detections(**{**vars(given), "boxes_xyxy": given.boxes_xyxy + shift, "area": None})
        assert_equal(given, 3)


def test_masks_are_judged_as_pycocotools_does() -> None:
    rng = np.random.default_rng(3)
    for _ in range(25):
        n, d, m, side = 2, 12, 5, 48
        given = random_detections(rng, n, d, m, 2, side - 16, crowd=0.15)
        found, true = _masks(rng, given.boxes_xyxy, side), _masks(rng, given.truth_xyxy, side)
        iou = np.zeros((n, d, m))
        for i in range(n):
            crowd = given.truth_crowd[i].astype(int).tolist()
            iou[i] = coco_masks.iou(found[i], true[i], crowd)
        area = np.array([[coco_masks.area(code) for code in row] for row in found], np.float64)
        truth_area = np.array([[coco_masks.area(code) for code in row] for row in true], np.float64)
        given = Detections(**{**vars(given), "overlap": iou, "area": area, "truth_area": truth_area})
        assert_equal(
            given,
            2,
            kind="segm",
            found=lambda i, j, codes=found: {"segmentation": codes[i][j]},
            truth=lambda i, j, codes=true: {"segmentation": codes[i][j]},
        )


def _masks(rng: np.random.Generator, boxes: np.ndarray, side: int) -> list[list[dict[str, object]]]:
    """Boxes with holes as run-length codes."""
    y, x = np.mgrid[:side, :side]
    rows = []
    for boxes_of_one in boxes:
        row = []
        for left, top, right, bottom in boxes_of_one:
            mask = (x >= left) & (x < right) & (y >= top) & (y < bottom) & (rng.random((side, side)) < 0.9)
            row.append(coco_masks.encode(np.asfortranarray(mask.astype(np.uint8))))
        rows.append(row)
    return rows


def test_order_of_pictures_and_places_does_not_matter_without_ties() -> None:
    rng = np.random.default_rng(0)
    given = random_detections(rng, 6, 20, 6, 3, 80, ties=False)
    want = numbers(given, 3)
    pictures, found = rng.permutation(6), rng.permutation(20)
    mixed = Detections(
        given.boxes_xyxy[pictures][:, found],
        given.scores[pictures][:, found],
        given.labels[pictures][:, found],
        given.truth_xyxy[pictures],
        given.truth_label[pictures],
        given.truth_crowd[pictures],
    )
    assert numbers(mixed, 3) == pytest.approx(want, nan_ok=True)


def test_only_the_order_of_scores_counts_and_sizes_scale() -> None:
    given = random_detections(np.random.default_rng(1), 6, 20, 6, 3, 80)
    want = numbers(given, 3)
    squeezed = Detections(**{**vars(given), "scores": given.scores**3 / 7})
    assert numbers(squeezed, 3) == pytest.approx(want, nan_ok=True)
    larger = Detections(given.boxes_xyxy * 64, given.scores, given.labels, given.truth_xyxy * 64, given.truth_label)
    plain = Detections(given.boxes_xyxy, given.scores, given.labels, given.truth_xyxy, given.truth_label)
    assert numbers(larger, 3)["ap"] == pytest.approx(numbers(plain, 3)["ap"])
    assert numbers(larger, 3)["ap_large"] == pytest.approx(numbers(plain, 3)["ap"])


def test_per_class_averages_to_the_whole() -> None:
    found = average_precision(random_detections(np.random.default_rng(2), 8, 20, 6, 3, 80), 4)
    assert np.isnan(found.per_class()[3]), "a class that does not occur has no AP"
    assert np.nanmean(found.per_class()) == pytest.approx(found.numbers["ap"])
    assert np.nanmean(found.per_class(0)) == pytest.approx(found.numbers["ap50"])
    assert np.nanmean(found.per_class(size=1)) == pytest.approx(found.numbers["ap_small"])
    assert np.nanmean(found.recall_per_class()) == pytest.approx(found.numbers["ar100"])
    assert set(found.numbers) == set(NUMBERS) and len(NUMBERS) == 12


def test_overlap_of_boxes() -> None:
    a, b = (
        np.array([[0.0, 0.0, 4.0, 2.0], [1.0, 1.0, 1.0, 5.0]]),
        np.array([[2.0, 0.0, 6.0, 2.0], [9.0, 9.0, 10.0, 10.0]]),
    )
    none = np.zeros(2, bool)
    np.testing.assert_allclose(overlaps(a, b, none), [[4 / 12, 0], [0, 0]])
    np.testing.assert_allclose(overlaps(a, b, ~none), [[4 / 8, 0], [0, 0]])  # of a crowd: over the found box
    np.testing.assert_allclose(overlaps(b, b, none), np.eye(2))


def test_wrong_input_is_told() -> None:
    box, score, label = np.zeros((1, 2, 4)), np.zeros((1, 2)), np.zeros((1, 2), int)
    with pytest.raises(DataError, match=r"boxes_xyxy must have shape \(1, 2, 4\) to fit the labels, got \(1, 3, 4\)"):
        Detections(np.zeros((1, 3, 4)), score, label, box, label)
    with pytest.raises(DataError, match="scores of picture 0, thing 1, is nan: give finite numbers, or the label -1"):
        Detections(box, np.array([[0.0, np.nan]]), label, box, label)
    Detections(box, np.array([[0.0, np.nan]]), np.array([[0, -1]]), box, label)


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_pairs_are_the_same_however_many_are_looked_at_together(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    given = random_detections(np.random.default_rng(3), 6, 9, 7, 3, 60)
    for by_class in (True, False):
        monkeypatch.setattr(matching, "AT_ONCE", 1 << 20)
        whole = match(given, np.array([0.3, 0.5]), by_class=by_class)
        monkeypatch.setattr(matching, "AT_ONCE", at_once)
        parts = match(given, np.array([0.3, 0.5]), by_class=by_class)
        assert (whole.truth >= 0).any()
        assert all(np.array_equal(value, getattr(parts, name)) for name, value in vars(whole).items())
