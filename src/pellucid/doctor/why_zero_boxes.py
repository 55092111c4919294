"""Why is my AP zero? From what a detector found and what is said to be there, the one mistake that explains it.

Boxes can be written, read and scaled wrongly in a few well-known ways. Each is tried on what was found: if found boxes
spoilt in that way lie where the true ones are, and as they are they do not, then the true ones were spoilt so. Of
classes, found things that lie on true ones are counted by both names, as `why_zero` reads them. Where nothing explains
the number, nothing is said: then the model has not learned yet.

Letters: N pictures, D places for found things, M for true ones, K classes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pellucid.core.shapes import require_shape
from pellucid.core.verdict import Verdict
from pellucid.doctor.why_zero import Answers, why_zero
from pellucid.metrics.detection.detections import NOTHING, Detections, overlaps
from pellucid.metrics.detection.matching import NONE, match

HIT = 0.5  # IoU of a box that lies where it should
EXPLAINS = 0.5  # share of true things that are hit under another reading, from which on it is believed
GAIN = 0.3  # by which that must be more than as they are
ENOUGH = 10  # true things, below which nothing is read into them
LOOKED_AT = 256  # pictures
SPARE = 2  # more of the surest found things in a picture are looked at than are true there; and half as many again
FEW = 0.1  # found things for each true one, below which a threshold hides them
PRECISE, LITTLE, STRICT = 0.7, 0.35, 0.5  # right share of found things, share of true ones found, least score
WHOLE = 0.95  # of the picture
SURE = 0.5
OF_CLASSES = ("zero-metric-label-offset", "zero-metric-class-map", "zero-metric-collapsed-to-one-class")
BACKGROUND = ("background", "bg", "nothing", "void", "none")

Boxes = np.ndarray  # (M, 4) left, top, right, bottom in pixels
Misread = Callable[[Boxes, float, float], Boxes]  # right boxes, width and height of the picture -> wrong ones


@dataclass(frozen=True)
class Mistake:
    """A way in which boxes go wrong.

    Attributes:
        rule: id of its verdict.
        cause, cure: words of its verdict.
        spoil: right boxes, width, height -> what the mistake makes of them.
    """

    rule: str
    cause: str
    cure: str
    spoil: Misread


def _as_corners(b: Boxes, w: float, h: float) -> Boxes:
    return np.stack([b[:, 0], b[:, 1], b[:, 2] - b[:, 0], b[:, 3] - b[:, 1]], 1)


def _as_size(b: Boxes, w: float, h: float) -> Boxes:
    return np.stack([b[:, 0], b[:, 1], b[:, 0] + b[:, 2], b[:, 1] + b[:, 3]], 1)


def _by(across: float, down: float) -> Misread:
    """Moved by so many of their own widths and heights."""

    def move(b: Boxes, w: float, h: float) -> Boxes:
        step = (b[:, 2:] - b[:, :2]) * (across, down)
        return b + np.concatenate([step, step], 1)

    return move


FORMAT, SCALE, AXES = "zero-metric-box-format", "zero-metric-box-scale", "zero-metric-box-axes"
MIRRORED = "zero-metric-box-mirrored"
FORMATS = "say which format the boxes have, or convert them: boxes_xyxy are left, top, right, bottom in pixels"
MISTAKES: tuple[Mistake, ...] = (
    Mistake(FORMAT, "left, top, width, height were read as left, top, right, bottom", FORMATS, _as_corners),
    Mistake(FORMAT, "left, top, right, bottom were read as left, top, width, height", FORMATS, _as_size),
    Mistake(FORMAT, "the middle of each box was read as its left top corner", FORMATS, _by(0.5, 0.5)),
    Mistake(FORMAT, "the left top corner of each box was read as its middle", FORMATS, _by(-0.5, -0.5)),
    Mistake(
        SCALE,
        "boxes are shares of width and height, 0 to 1, and were read as pixels",
        "multiply them by width and height of their pictures, or say that they are normalised",
        lambda b, w, h: b / (w, h, w, h),
    ),
    Mistake(
        AXES,
        "x and y were swapped: boxes were written as top, left, bottom, right",
        "swap the columns of the boxes",
        lambda b, w, h: b[:, [1, 0, 3, 2]],
    ),
    Mistake(
        MIRRORED,
        "y was counted from the bottom of the picture, or the pictures were turned over and the boxes were not",
        "count y from the top: top = height - bottom",
        lambda b, w, h: np.stack([b[:, 0], h - b[:, 3], b[:, 2], h - b[:, 1]], 1),
    ),
    Mistake(
        MIRRORED,
        "the pictures were mirrored and the boxes were not, or x was counted from the right",
        "mirror both or neither: left = width - right",
        lambda b, w, h: np.stack([w - b[:, 2], b[:, 1], w - b[:, 0], b[:, 3]], 1),
    ),
)


def why_zero_boxes(
    given: Detections, size_hw: np.ndarray, classes: Sequence[str], train_counts: Sequence[int] = ()
) -> list[Verdict]:
    """The likely cause of an AP near 0: one verdict, or none.

    Args:
        given: found and true things in pixels of the files.
        size_hw: (N, 2) height and width of the files' pictures.
        classes: K names.
        train_counts: (K,) how often each class occurs in the training split; empty where that is not known.

    Raises:
        DataError: there is not one size for each picture.
    """
    require_shape(np.asarray(size_hw), "N two", "size_hw", N=len(given), two=2)
    given, size = given.of_pictures(slice(LOOKED_AT)), np.asarray(size_hw, np.float64)[:LOOKED_AT]
    for rule in (_nothing_true, _background_class, _nothing_found):
        if verdict := rule(given, size, classes):
            return [verdict]
    true = int(_counted(given).sum())
    if true < ENOUGH:
        return []
    if verdict := _boxes(given, size) or _strict(given):
        return [verdict]
    return _classes(given, classes, train_counts)


def _counted(given: Detections) -> np.ndarray:
    counted: np.ndarray = given.true & ~given.truth_crowd
    return counted


def _nothing_true(given: Detections, size: np.ndarray, classes: Sequence[str]) -> Verdict | None:
    true, crowds = int(_counted(given).sum()), int((given.true & given.truth_crowd).sum())
    if crowds and true <= 0.01 * (true + crowds):
        return Verdict(
            "zero-metric-ignored-everything",
            "fail",
            f"{crowds:,} of {true + crowds:,} things are marked as crowds or difficult, which do not count",
            "the mark (iscrowd, difficult) was set for all things",
            "set it only for groups that were not told apart",
        )
    empty = ~np.asarray(_counted(given).any(1))
    sure = np.asarray((given.found & (given.scores >= SURE)).any(1))
    if true and not (empty.mean() >= 0.9 and sure[empty].mean() >= 0.5):
        return None
    if not len(given):
        return None
    found = f", and in {sure[empty].mean():.0%} of those the detector is sure to have found something" * bool(true)
    return Verdict(
        "zero-metric-empty-targets",
        "fail",
        f"{int(empty.sum()):,} of {len(given):,} pictures are said to have nothing in them{found}",
        "annotation files are empty, or belong to pictures of other names",
        "look at the annotations of the split that is measured: pellucid check DATA",
    )


def _background_class(given: Detections, size: np.ndarray, classes: Sequence[str]) -> Verdict | None:
    named = [k for k, name in enumerate(classes) if name.strip().lower().strip("_") in BACKGROUND]
    true, found = given.truth_label[_counted(given)], given.labels[given.found & (given.scores >= SURE)]
    shares = [float(np.isin(labels, named).mean()) if len(labels) else 0.0 for labels in (true, found)]
    sides = given.truth_xyxy[..., 2:] - given.truth_xyxy[..., :2]
    share = sides.prod(-1) / size.prod(-1)[:, None]
    whole = ((share >= WHOLE) & _counted(given)).any(1).mean() if len(given) else 0.0
    if max(shares) < 0.3 and (whole < 0.5 or len(classes) < 2):
        return None
    if max(shares) >= 0.3:
        evidence = f"{shares[0]:.0%} of the true and {shares[1]:.0%} of the found things are of class "
        evidence += repr(classes[named[0]])
    else:
        evidence = f"{whole:.0%} of the pictures have a box that covers all of them"
    return Verdict(
        "zero-metric-background-class",
        "fail",
        evidence,
        "background was written down as a thing; detectors know it without being told, as what no box is around",
        "leave boxes of the background out, and its name out of the classes",
    )


def _nothing_found(given: Detections, size: np.ndarray, classes: Sequence[str]) -> Verdict | None:
    true, found = int(_counted(given).sum()), int(given.found.sum())
    if true < ENOUGH or found >= FEW * true:
        return None
    return Verdict(
        "zero-metric-threshold",
        "fail",
        f"{found:,} things were found where {true:,} are",
        "no score reaches the least one that is asked for: the threshold is too high, or training was too short",
        "lower --conf; if the training loss still falls, train longer",
    )


def _strict(given: Detections) -> Verdict | None:
    """What is found is right, and nothing with a low score is ever named."""
    matches = match(given, np.array([HIT]))
    counted = ~matches.ignored[:, 0, 0]
    right = (matches.truth[:, 0, 0] != NONE) & counted
    precision, recall = right.sum() / max(counted.sum(), 1), right.sum() / _counted(given).sum()
    least = float(matches.score.min(initial=1.0))
    if precision < PRECISE or recall > LITTLE or least < STRICT:
        return None
    return Verdict(
        "zero-metric-threshold",
        "fail",
        f"{precision:.0%} of what is found is right, and only {recall:.0%} of what is there is found; no score is "
        f"below {least:.2f}",
        "found things were cut off at a high score, so that most that are right never count",
        "measure everything down to a score of 0.01: leave the threshold to those who look at pictures",
    )


def _boxes(given: Detections, size: np.ndarray) -> Verdict | None:
    """Whether the true boxes are right ones that went wrong in a known way."""
    own = _agreement(given, size, lambda b, w, h: b)
    if own >= EXPLAINS:
        return None
    tried: Mapping[Mistake, float] = {
        mistake: _agreement(given, size, mistake.spoil) for mistake in (*MISTAKES, _scaled(given))
    }
    best = max(tried, key=lambda mistake: tried[mistake])
    if tried[best] >= max(EXPLAINS, own + GAIN):
        return Verdict(
            best.rule,
            "fail",
            f"{own:.0%} of the true boxes lie where something was found; if found boxes are spoilt in this way, "
            f"{tried[best]:.0%}",
            best.cause,
            best.cure,
        )
    for step in (1, -1):
        moved = replace(given, **{name: np.roll(getattr(given, name), step, 0) for name in ("boxes_xyxy", "labels")})
        moved = replace(moved, scores=np.roll(given.scores, step, 0), overlap=None)
        agreed = _agreement(moved, size, lambda b, w, h: b) if len(given) > 2 else 0.0
        if agreed >= max(EXPLAINS, own + GAIN):
            return Verdict(
                "zero-metric-wrong-pictures",
                "fail",
                f"{own:.0%} of the true boxes lie where something was found in their picture, and {agreed:.0%} where "
                f"something was found in the {'one before' if step > 0 else 'next one'}",
                "pictures and annotations were listed in different orders, or one list lacks its first entry",
                "match them by name, not by place",
            )
    return None


def _scaled(given: Detections) -> Mistake:
    """Boxes of pictures of another size: by how much, the far corners say."""
    found = given.boxes_xyxy[given.found & (given.scores >= min(SURE, np.median(given.scores[given.found])))]
    true = given.truth_xyxy[_counted(given)]
    factors = np.quantile(true[:, 2:], 0.8, axis=0) / np.maximum(np.quantile(found[:, 2:], 0.8, axis=0), 1e-9)
    across, down = (float(factor) for factor in factors)
    return Mistake(
        SCALE,
        f"boxes are {across:.2g} times as far to the right and {down:.2g} times as far down as they should be: they "
        "were made for pictures of another size",
        "scale the boxes with the pictures",
        lambda b, w, h: b * (across, down, across, down),
    )


def _agreement(given: Detections, size: np.ndarray, spoil: Misread) -> float:
    """Share of true things on which one of the surest found ones of their picture lies, once it is spoilt."""
    hits = total = 0
    counted = _counted(given)
    for i in range(len(given)):
        true = np.flatnonzero(counted[i])
        if not len(true):
            continue
        total += len(true)
        found = np.flatnonzero(given.found[i])
        surest = found[np.argsort(-given.scores[i, found], kind="stable")][: len(true) + len(true) // 2 + SPARE]
        h, w = size[i]
        boxes = spoil(given.boxes_xyxy[i, surest], w, h)
        boxes = boxes.clip(0, (w, h, w, h))  # as readers do
        boxes = boxes[(boxes[:, :2] < boxes[:, 2:]).all(1)]
        iou = overlaps(boxes, given.truth_xyxy[i, true], np.zeros(len(true), bool))
        hits += int((iou >= HIT).any(0).sum())
    return hits / max(total, 1)


def _classes(given: Detections, classes: Sequence[str], train_counts: Sequence[int]) -> list[Verdict]:
    """By what name things are called that were found where they are."""
    sure = np.sort(given.scores[given.found])[-int(1.5 * _counted(given).sum()) :].min(initial=1.0)
    kept = replace(given, labels=np.where(given.scores >= sure, given.labels, NOTHING), overlap=None)
    matches = match(kept, np.array([HIT]), by_class=False)
    took = matches.truth[:, 0, 0]
    right = (took != NONE) & ~matches.ignored[:, 0, 0]
    matrix = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(matrix, (given.truth_label[matches.picture[right], took[right]], matches.label[right]), 1)
    if matrix.sum() < 0.3 * _counted(given).sum():  # too few lie where things are
        return []
    said = why_zero(Answers(matrix, classes, 0, tuple(train_counts), unit="things"))
    return [verdict for verdict in said if verdict.rule in OF_CLASSES]
