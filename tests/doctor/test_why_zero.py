"""Ten broken sets of answers, each named by its rule, and ten healthy ones, of which nothing is said."""

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.doctor.rules import RULES
from pellucid.doctor.why_zero import Answers, area_under_curve, judge_input, why_zero

NAMES = [f"class {k}" for k in range(6)]


def counts(truth: np.ndarray, called: np.ndarray, k: int = 6) -> np.ndarray:
    matrix = np.zeros((k, k), dtype=np.int64)
    np.add.at(matrix, (truth, called), 1)
    return matrix


def answers(truth: np.ndarray, called: np.ndarray, k: int = 6, **more: object) -> Answers:
    more.setdefault("train_counts", [100] * k)
    return Answers(counts(truth, called, k), NAMES[:k], **more)  # type: ignore[arg-type]


def mostly(right: np.ndarray, share: float, k: int = 6, seed: int = 0) -> np.ndarray:
    """The same, but for some answers drawn at random."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(right)) < share, right, rng.integers(0, k, len(right)))


TRUTH = np.random.default_rng(1).integers(0, 6, 3000)
ONE_LESS = TRUTH[TRUTH > 0]
GROUND = np.random.default_rng(2).choice(3, 5000, p=[0.93, 0.05, 0.02])
ORDER = np.array([3, 5, 0, 1, 2, 4])

BROKEN = {
    "labels one too high": ("zero-metric-label-offset", answers(ONE_LESS, ONE_LESS - 1)),
    "labels one too low, four of five right": (
        "zero-metric-label-offset",
        answers(TRUTH[TRUTH < 5], mostly(TRUTH[TRUTH < 5] + 1, 0.8)),
    ),
    "alphabetical order": ("zero-metric-class-map", answers(TRUTH, mostly(ORDER[TRUTH], 0.85))),
    "two classes swapped": ("zero-metric-class-map", answers(TRUTH % 2, mostly(1 - TRUTH % 2, 0.9, 2), 2)),
    "masks of 0 and 255": ("zero-metric-ignored-everything", answers(TRUTH[:20], TRUTH[:20], ignored=9980)),
    "masks of 0 and 255, and much background": (
        "zero-metric-ignored-everything",
        answers(GROUND[GROUND == 0], GROUND[GROUND == 0], 3, ignored=350, train_counts=[930, 50, 20]),
    ),
    "masks without an object, and some pixels ignored": (
        "zero-metric-empty-targets",
        answers(np.zeros(900, int), TRUTH[:900], ignored=90),
    ),
    "no label has a class": ("zero-metric-ignored-everything", answers(TRUTH[:0], TRUTH[:0], ignored=500)),
    "no labels at all": ("zero-metric-empty-targets", answers(TRUTH[:0], TRUTH[:0])),
    "masks without an object": ("zero-metric-empty-targets", answers(np.zeros(900, int), TRUTH[:900])),
    "never above the threshold": (
        "zero-metric-threshold",
        answers(GROUND, np.zeros_like(GROUND), 3, ranking=[0.9, 0.95, 0.85]),
    ),
    "background everywhere": ("zero-metric-collapsed-to-one-class", answers(GROUND, np.zeros_like(GROUND), 3)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_data_are_named(name: str) -> None:
    rule, found = BROKEN[name]
    verdicts = why_zero(found)
    assert [verdict.rule for verdict in verdicts] == [rule]
    assert verdicts[0].status in ("warn", "fail")
    assert verdicts[0].cause and verdicts[0].cure
    assert rule in RULES


NO_GOOD = np.random.default_rng(3).integers(0, 6, 3000)
PAIR = np.where((TRUTH < 2) & (np.arange(3000) % 5 < 3), 1 - TRUTH, TRUTH)
HEALTHY = {
    "two look-alikes mistaken more often than not": answers(TRUTH, np.where(TRUTH < 2, PAIR, mostly(TRUTH, 0.65))),
    "all right": answers(TRUTH, TRUTH),
    "nine of ten right": answers(TRUTH, mostly(TRUTH, 0.9)),
    "a third right": answers(TRUTH, mostly(TRUTH, 0.2)),
    "nothing learned yet": answers(TRUTH, NO_GOOD),
    "background found, the rest half": answers(GROUND, np.where(GROUND > 0, mostly(GROUND, 0.5, 3), 0), 3),
    "half the pixels ignored": answers(TRUTH, mostly(TRUTH, 0.5), ignored=3000),
    "a class that is missing here": answers(TRUTH[TRUTH != 2], mostly(TRUTH[TRUTH != 2], 0.7)),
    "neighbours mistaken": answers(TRUTH, np.where(np.arange(3000) % 3 == 0, np.minimum(TRUTH + 1, 5), TRUTH)),
    "two classes mixed up, the others right": answers(TRUTH, np.where(TRUTH == 1, mostly(TRUTH, 0.5), TRUTH)),
    "too few to tell": answers(TRUTH[:50], np.zeros(50, int)),
    "pictures all of the one class that is known": answers(TRUTH * 0, TRUTH * 0, 1),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_said_of_healthy_ones(name: str) -> None:
    assert why_zero(HEALTHY[name]) == []


def test_evidence_has_the_numbers_and_the_cure_the_direction() -> None:
    (high,) = why_zero(BROKEN["labels one too high"][1])
    assert (
        "100% of each class is answered with a class number 1 less than the label, 0% with the label" in high.evidence
    )
    assert high.cure.startswith("subtract 1 from the class numbers")
    (order,) = why_zero(BROKEN["alphabetical order"][1])
    assert "'class 0' is answered 'class 3'" in order.evidence and "and 1 more" in order.evidence
    (ignored,) = why_zero(BROKEN["masks of 0 and 255"][1])
    assert "9,980 of 10,000 pixels do not count (99.8%)" in ignored.evidence
    (ground,) = why_zero(BROKEN["background everywhere"][1])
    assert "100.0% of all pixels are answered 'class 0', which 92.8% are" in ground.evidence


@pytest.mark.parametrize("order", [np.roll(np.arange(6), 2), np.array([1, 0, 2, 3, 5, 4])[::-1]])
def test_any_order_of_the_classes_is_found(order: np.ndarray) -> None:
    (verdict,) = why_zero(answers(TRUTH, order[TRUTH]))
    assert verdict.rule == "zero-metric-class-map"


@pytest.mark.parametrize(
    ("mean", "deviation"),
    [((-2.1,), (0.01,)), ((3.0, 2.9, 3.2), (1, 1, 1)), ((0.0,), (4.0,)), ((0, 0, 0), (1, 1, 0.2))],
)
def test_other_input_is_named(mean: tuple[float, ...], deviation: tuple[float, ...]) -> None:
    (verdict,) = judge_input(mean, deviation)
    assert verdict.rule == "zero-metric-preprocessing" and verdict.status == "fail"
    assert f"{mean[0]:+.2f} and {deviation[0]:.2f}" in verdict.evidence


def test_like_input_is_not() -> None:
    assert judge_input((0.6, -0.4, 0.1), (1.3, 0.8, 0.5)) == []


def test_area_is_the_share_of_pairs_in_order() -> None:
    rng = np.random.default_rng(4)
    scores, positive = rng.integers(0, 5, 60).astype(float), rng.random(60) < 0.4
    pairs = scores[positive][:, None] - scores[~positive][None]
    assert area_under_curve(scores, positive) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    assert np.isnan(area_under_curve(scores, np.zeros(60, bool)))


def test_matrix_must_fit_the_classes() -> None:
    with pytest.raises(DataError, match=r"matrix must have shape \(K, K\) = \(2, 2\), got \(3, 3\)"):
        Answers(np.eye(3), ["a", "b"])
