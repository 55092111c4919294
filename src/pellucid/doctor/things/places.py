"""Boxes that lie where no thing can be: written in another form than they were read in, or for other pictures."""

from collections.abc import Sequence

import numpy as np

from pellucid.core.verdict import Status, Verdict
from pellucid.doctor.finding import Finding
from pellucid.doctor.things.listed import Listed
from pellucid.metrics.detection.detections import overlaps_of_pairs

# T things, S of them that are told about

SLACK = 1.0  # pixels by which boxes of good data reach beyond their pictures: what rounding makes
MANY = 0.25  # share of boxes from which on it is the form that is wrong, not some boxes
ONE = 1.05  # shares of sides may be a little above 1
SEEN = 8  # pixels: in smaller pictures boxes of one pixel are boxes
ENOUGH, CORNER = 30, 0.6  # so many boxes that all end within this share of both sides leave too much empty
BESIDE = 0.5  # IoU of a box with the one around its mask, below which they do not belong together


def judge_places(things: Listed, names: Sequence[str]) -> list[Finding]:
    """Boxes beyond their pictures, all in one corner, in shares of the sides, or beside their masks.

    Args:
        names: of the pictures, by row.
    """
    if not len(things):
        return []
    if things.boxes.max() <= ONE and np.median(things.size) >= SEEN:
        return [_shares(things)]
    return [*_outside(things, names), *_corner(things), *_beside(things, names)]


def _shares(things: Listed) -> Finding:
    low, high, size = things.boxes.min(), things.boxes.max(), np.median(things.size, axis=0)
    evidence = (
        f"all {len(things):,} boxes lie between {low:.2g} and {high:.2g}, in pictures of about "
        f"{size[0]:.0f}x{size[1]:.0f} pixels"
    )
    cause = "numbers are shares of width and height, and were read as pixels"
    cure = "multiply x by the width and y by the height of each picture, or name the form (YOLO has shares)"
    return Finding(Verdict("boxes-normalised", "fail", evidence, cause, cure))


def _outside(things: Listed, names: Sequence[str]) -> list[Finding]:
    beyond = _beyond(things.boxes, things.size)
    wrong = np.flatnonzero(beyond > SLACK)
    if not len(wrong):
        return []
    order = wrong[np.argsort(-beyond[wrong], kind="stable")]
    share, first = len(wrong) / len(things), order[0]
    evidence = (
        f"{len(wrong):,} of {len(things):,} boxes reach beyond their pictures, the furthest by {beyond[first]:.0f} "
        f"pixels: {_told(things, int(first), names)}"
    )
    cause, cure = "boxes drawn over the border, or pictures that were cut or resized after", "clip them, or draw anew"
    status: Status = "warn"
    if share >= MANY:
        status, (cause, cure) = "fail", _form(things)
    notes = tuple(f"{beyond[i]:.0f} pixels beyond" for i in order)
    return [
        Finding(Verdict("boxes-outside", status, evidence, cause, cure), tuple(things.rows[order].tolist()), (), notes)
    ]


def _form(things: Listed) -> tuple[str, str]:
    """Which other reading of the four numbers would bring nearly all boxes into their pictures: cause and cure."""
    x1, y1, x2, y2 = things.boxes.T
    right = 1 - MANY / 5

    def fits(boxes: np.ndarray) -> bool:
        is_box = (boxes[:, :2] < boxes[:, 2:]).all(axis=1)
        return float((is_box & (_beyond(boxes, things.size) <= SLACK)).mean()) >= right

    if fits(np.stack([x1, y1, x2 - x1, y2 - y1], axis=1)):
        return "two corners were read as a corner and a size", "name the form: x1 y1 x2 y2, not x y width height"
    if fits(np.stack([y1, x1, y2, x2], axis=1)):
        return "x and y are swapped", "write x before y, columns before rows"
    if fits(things.boxes - (things.boxes[:, [2, 3, 2, 3]] - things.boxes[:, [0, 1, 0, 1]]) / 2):
        return "middle and size were read as corner and size", "name the form: the middle stands first"
    return (
        "boxes were drawn on pictures of another size, or belong to other pictures",
        "bring pictures and boxes to one size, and see that their names agree",
    )


def _corner(things: Listed) -> list[Finding]:
    if len(things) < ENOUGH:
        return []
    ends = (things.boxes[:, 2:] / things.size).max(axis=0)
    if ends.max() > CORNER:
        return []
    evidence = (
        f"none of {len(things):,} boxes reaches beyond {ends[0]:.0%} of the width and {ends[1]:.0%} of the height of "
        "its picture"
    )
    cause = "boxes were drawn on smaller copies of the pictures"
    cure = "multiply them by how much larger the pictures are, or use the pictures they were drawn on"
    return [Finding(Verdict("boxes-in-corner", "warn", evidence, cause, cure))]


def _beside(things: Listed, names: Sequence[str]) -> list[Finding]:
    """Boxes that are not around their masks. Crowds have rough ones."""
    masked = np.flatnonzero(np.isfinite(things.mask_boxes).all(axis=1) & ~things.crowd)
    if not len(masked):
        return []
    boxes, around = things.boxes[masked], things.mask_boxes[masked]
    iou = overlaps_of_pairs(boxes, around, np.zeros(len(boxes), dtype=bool))
    slack = (np.abs(boxes - around) <= 2 * SLACK).all(axis=1)  # of things of few pixels rounding is much
    wrong = np.flatnonzero((iou < BESIDE) & ~slack)
    if not len(wrong):
        return []
    order = wrong[np.argsort(iou[wrong], kind="stable")]
    first = int(masked[order[0]])
    evidence = (
        f"{len(wrong):,} of {len(masked):,} boxes are not around their masks, the worst with an IoU of "
        f"{iou[order[0]]:.2f}: {_told(things, first, names)}"
    )
    status: Status = "fail" if len(wrong) >= MANY * len(masked) else "warn"
    cause = "boxes and masks come from different sources, in another order, or one of them has x and y swapped"
    verdict = Verdict("boxes-beside-masks", status, evidence, cause, "make the boxes from the masks, or draw anew")
    return [Finding(verdict, tuple(things.rows[masked[order]].tolist()), (), tuple(f"IoU {iou[i]:.2f}" for i in order))]


def _beyond(boxes: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(T,) by how many pixels each box reaches beyond its picture; 0 or less where it does not."""
    return np.concatenate([-boxes[:, :2], boxes[:, 2:] - size], axis=1).max(axis=1)


def _told(things: Listed, i: int, names: Sequence[str]) -> str:
    box = ", ".join(f"{side:g}" for side in things.boxes[i].round(1))
    width, height = things.size[i]
    return f"thing {things.numbers[i]} of {names[things.rows[i]]} at {box} in {width:.0f}x{height:.0f} pixels"
