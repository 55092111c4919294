"""Sets whose boxes or classes were spoilt, each named by its rule, and healthy ones, of which nothing is said."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.doctor.rules import RULES
from pellucid.doctor.why_zero_boxes import why_zero_boxes
from pellucid.metrics.detection.detections import Detections

K, N, M = 5, 60, 6
NAMES = [f"class {k}" for k in range(K)]


@dataclass(frozen=True)
class Set:
    """Pictures, what a detector found in them, and what is said to be there."""

    given: Detections
    size: np.ndarray
    names: list[str]


def good(seed: int = 0, shake: float = 0.05, miss: float = 0.1, side: float = 1.0, names: bool = True) -> Set:
    """A good detector on right annotations: things anywhere, of many sizes; some false ones with low scores."""
    rng = np.random.default_rng(seed)
    size = rng.integers(120, 260, (N, 2)).astype(float)
    wh = size[:, None, ::-1]
    extent = wh * rng.uniform(0.12, 0.45, (N, M, 2)) * side
    corner = rng.random((N, M, 2)) * (wh - extent)
    truth = np.concatenate([corner, corner + extent], -1)
    count = rng.integers(1, M + 1, N)
    labels = np.where(np.arange(M) < count[:, None], rng.integers(0, K, (N, M)), -1)
    near = truth + rng.normal(0, shake, truth.shape) * np.concatenate([extent, extent], -1)
    near[..., 2:] = np.maximum(near[..., 2:], near[..., :2] + 1)
    called = np.where(rng.random(labels.shape) < miss, -1, labels)
    false = np.concatenate([corner[::-1], corner[::-1] + extent], -1)
    boxes = np.concatenate([near, false], 1)
    scores = np.concatenate([rng.uniform(0.6, 0.95, (N, M)), rng.uniform(0.02, 0.3, (N, M))], 1)
    found = np.concatenate([called, rng.integers(0, K, (N, M))], 1)
    return Set(Detections(boxes, scores, found, truth, labels), size, list(NAMES) if names else [])


def with_truth(one: Set, boxes: np.ndarray) -> Set:
    """With other true boxes, as readers take them: within the picture, and left out where they are none."""
    wh = np.concatenate([one.size[:, ::-1]] * 2, 1)[:, None]
    boxes = np.clip(boxes, 0, wh)
    fine = (boxes[..., :2] < boxes[..., 2:]).all(-1)
    labels = np.where(fine, one.given.truth_label, -1)
    return replace(one, given=replace(one.given, truth_xyxy=boxes, truth_label=labels, truth_area=None))


def misread(how: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Set:
    """With boxes that went wrong: `how(boxes, w, h)`, widths and heights of the pictures being (N, 1)."""
    one = good()
    return with_truth(one, how(one.given.truth_xyxy, one.size[:, 1:], one.size[:, :1]))


def corners(left: np.ndarray, top: np.ndarray, right: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return np.stack([left, top, right, bottom], -1)


def sides(b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return b[..., 2] - b[..., 0], b[..., 3] - b[..., 1]


def labelled(how: Callable[[np.ndarray], np.ndarray]) -> Set:
    one = good()
    labels = one.given.truth_label
    return replace(one, given=replace(one.given, truth_label=np.where(labels >= 0, how(labels), -1)))


def changed(one: Set, **values: np.ndarray) -> Set:
    return replace(one, given=replace(one.given, **values))


def whole_pictures() -> Set:
    one = good()
    truth, labels = one.given.truth_xyxy.copy(), one.given.truth_label.copy()
    truth[:, 0] = np.concatenate([np.zeros((N, 2)), one.size[:, ::-1]], 1)
    labels[:, 0] = 0
    return changed(one, truth_xyxy=truth, truth_label=labels, truth_area=None)


def every_second_lost() -> Set:
    one = good()
    labels = one.given.truth_label.copy()
    labels[N // 15 :] = -1
    return changed(one, truth_label=labels)


NONE_FOUND = np.full((N, 2 * M), -1)
BROKEN: dict[str, tuple[str, Set]] = {
    "left, top, width, height read as corners": (
        "zero-metric-box-format",
        misread(lambda b, w, h: corners(b[..., 0], b[..., 1], *sides(b))),
    ),
    "corners read as left, top, width, height": (
        "zero-metric-box-format",
        misread(lambda b, w, h: corners(b[..., 0], b[..., 1], b[..., 0] + b[..., 2], b[..., 1] + b[..., 3])),
    ),
    "middles read as corners": (
        "zero-metric-box-format",
        misread(lambda b, w, h: b + np.stack([*sides(b)] * 2, -1) / 2),
    ),
    "corners read as middles": (
        "zero-metric-box-format",
        misread(lambda b, w, h: b - np.stack([*sides(b)] * 2, -1) / 2),
    ),
    "shares of the picture read as pixels": (
        "zero-metric-box-scale",
        misread(lambda b, w, h: b / np.stack([w, h, w, h], -1)),
    ),
    "boxes of pictures half as large": ("zero-metric-box-scale", misread(lambda b, w, h: b / 2)),
    "x and y swapped": ("zero-metric-box-axes", misread(lambda b, w, h: b[..., [1, 0, 3, 2]])),
    "y from the bottom": (
        "zero-metric-box-mirrored",
        misread(lambda b, w, h: corners(b[..., 0], h - b[..., 3], b[..., 2], h - b[..., 1])),
    ),
    "pictures mirrored, boxes not": (
        "zero-metric-box-mirrored",
        misread(lambda b, w, h: corners(w - b[..., 2], b[..., 1], w - b[..., 0], b[..., 3])),
    ),
    "one picture later": ("zero-metric-wrong-pictures", changed(
        good(), truth_xyxy=np.roll(good().given.truth_xyxy, 1, 0), truth_label=np.roll(good().given.truth_label, 1, 0)
    )),
    "one picture earlier": ("zero-metric-wrong-pictures", changed(
        good(), truth_xyxy=np.roll(good().given.truth_xyxy, -1, 0), truth_label=np.roll(good().given.truth_label, -1, 0)
    )),
    "classes counted from 1": ("zero-metric-label-offset", labelled(lambda k: np.minimum(k + 1, K - 1))),
    "classes in another order": ("zero-metric-class-map", labelled(lambda k: np.array([3, 0, 4, 1, 2])[k])),
    "no annotations": ("zero-metric-empty-targets", changed(good(), truth_label=np.full((N, M), -1))),
    "nearly all annotations lost": ("zero-metric-empty-targets", every_second_lost()),
    "everything marked as a crowd": (
        "zero-metric-ignored-everything",
        changed(good(), truth_crowd=np.ones((N, M), bool)),
    ),
    "threshold above every score": ("zero-metric-threshold", changed(good(), labels=NONE_FOUND)),
    "threshold of 0.9": (
        "zero-metric-threshold",
        changed(good(), labels=np.where(good().given.scores >= 0.87, good().given.labels, -1)),
    ),
    "background as a box around everything": ("zero-metric-background-class", whole_pictures()),
    "background as a class": (
        "zero-metric-background-class",
        replace(
            changed(good(), labels=np.where(good().given.labels >= 0, 0, -1)), names=["background", *NAMES[1:]]
        ),
    ),
    "one class is the answer": (
        "zero-metric-collapsed-to-one-class",
        changed(good(), labels=np.where(good().given.labels >= 0, 2, -1)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_data_are_named(name: str) -> None:
    rule, one = BROKEN[name]
    verdicts = why_zero_boxes(one.given, one.size, one.names, [100] * K)
    assert [verdict.rule for verdict in verdicts] == [rule]
    assert verdicts[0].cause and verdicts[0].cure and rule in RULES


def noise(seed: int) -> Set:
    """A detector that has learned nothing: boxes and classes at random."""
    one, other = good(seed), good(seed + 1)
    return changed(one, boxes_xyxy=other.given.boxes_xyxy, labels=other.given.labels, area=None)


def middle() -> Set:
    """Square pictures with one thing in the middle, as wide as high: swapped or mirrored boxes are the same."""
    one = good(3)
    size = np.full((N, 2), 200.0)
    truth = np.broadcast_to(np.array([60.0, 60, 140, 140]), (N, M, 4)).copy()
    labels = np.full((N, M), -1)
    labels[:, 0] = np.arange(N) % K
    boxes = np.concatenate([truth + 40, truth], 1)
    scores = np.concatenate([np.full((N, M), 0.5), np.full((N, M), 0.02)], 1)
    given = Detections(boxes, scores, np.tile(labels, 2), truth, labels)
    return replace(one, given=given, size=size)


def few() -> Set:
    one = good(5)
    return replace(
        one, given=Detections(**{k: v[:2] for k, v in vars(one.given).items() if v is not None}), size=one.size[:2]
    )


FRESH = np.random.default_rng(11)
HEALTHY: dict[str, Set] = {
    "a good detector": good(),
    "a good detector of other pictures": good(7),
    "boxes somewhat off": good(1, shake=0.15),
    "boxes far off": good(2, shake=0.35),
    "half of the things missed": good(3, miss=0.5),
    "nothing learned": noise(4),
    "nothing learned, another seed": noise(9),
    "tiny things": good(4, side=0.15),
    "large things": good(4, side=2.0),
    "classes at random": changed(good(5), labels=FRESH.integers(0, K, (N, 2 * M))),
    "all things of one class": changed(
        good(6),
        labels=np.where(good(6).given.labels >= 0, 1, -1),
        truth_label=np.where(good(6).given.truth_label >= 0, 1, -1),
    ),
    "some crowds": changed(good(8), truth_crowd=FRESH.random((N, M)) < 0.4),
    "things in the middle of square pictures": middle(),
    "hardly any things": few(),
    "half of the pictures empty": changed(
        good(8), truth_label=np.where(np.arange(N)[:, None] % 2, good(8).given.truth_label, -1)
    ),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_of_healthy_data_nothing_is_said(name: str) -> None:
    one = HEALTHY[name]
    assert why_zero_boxes(one.given, one.size, one.names, [100] * K) == []


def test_there_are_enough_of_both() -> None:
    assert len(BROKEN) >= 10 and len(HEALTHY) >= 10
    assert len({rule for rule, _ in BROKEN.values()}) >= 10


def test_sizes_must_fit() -> None:
    with pytest.raises(DataError, match=r"size_hw must have shape \(N, two\) = \(60, 2\), got \(3, 2\)"):
        why_zero_boxes(good().given, np.ones((3, 2)), NAMES)
