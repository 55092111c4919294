"""Boxes too small to be seen, and boxes that say the same thing twice."""

from collections.abc import Sequence

import numpy as np

from pellucid.core.verdict import Status, Verdict
from pellucid.doctor.finding import Finding
from pellucid.doctor.things.listed import Listed
from pellucid.metrics.detection.detections import overlaps

# T things, k of one picture

THIN = 2.0  # pixels of the network's input: what is thinner has no inside
SOME = 0.05  # share of the boxes from which on it matters
SAME = 0.95  # IoU from which on two boxes of one class are one thing


def judge_tiny(things: Listed, scale: np.ndarray, names: Sequence[str]) -> list[Finding]:
    """Boxes of which the network sees next to nothing.

    Args:
        scale: (N, 2), pixels of the canvas a pixel of each picture, along x and y.
        names: of the pictures, by row.
    """
    sides = (things.boxes[:, 2:] - things.boxes[:, :2]) * scale[things.rows]  # (T, 2)
    thin = np.flatnonzero(sides.min(axis=1, initial=np.inf) < THIN)
    if not len(thin):
        return []
    order = thin[np.argsort(sides[thin].min(axis=1), kind="stable")]
    first = order[0]
    evidence = (
        f"{len(thin):,} of {len(things):,} boxes are thinner than {THIN:.0f} pixels where the network sees them; the "
        f"thinnest, thing {things.numbers[first]} of {names[things.rows[first]]}, is {sides[first, 0]:.1f}x"
        f"{sides[first, 1]:.1f}"
    )
    notes = tuple(f"{sides[i, 0]:.1f}x{sides[i, 1]:.1f} pixels" for i in order)
    status: Status = "info" if len(thin) < SOME * len(things) else "warn"
    cause, cure = ("", "")
    if status == "warn":
        cause = "clicks by accident, things that end at the border, or pictures that are shrunk too much"
        cure = "remove boxes around nothing; for small things take a larger --image-size"
    return [
        Finding(Verdict("tiny-boxes", status, evidence, cause, cure), tuple(things.rows[order].tolist()), (), notes)
    ]


def judge_twice(things: Listed, names: Sequence[str]) -> list[Finding]:
    """Boxes that are there twice: of one class, or of two."""
    rows: list[int] = []
    notes: list[str] = []
    n_same = n_other = 0
    bounds = np.searchsorted(things.rows, np.arange(things.pictures + 1))
    for row in np.flatnonzero(np.diff(bounds) > 1).tolist():
        part = slice(bounds[row], bounds[row + 1])
        single = ~things.crowd[part]
        boxes, labels = things.boxes[part][single], things.labels[part][single]
        iou = overlaps(boxes, boxes, np.zeros(len(boxes), dtype=bool))  # (k, k)
        one, two = np.nonzero(np.triu(iou, 1) >= SAME)
        if not len(one):
            continue
        alike = labels[one] == labels[two]
        n_same, n_other = n_same + int(alike.sum()), n_other + int((~alike).sum())
        rows.append(row)
        notes.append(f"{len(one)} twice" + f", {int((~alike).sum())} as two classes" * bool((~alike).any()))
    if not rows:
        return []
    evidence = (
        f"{n_same + n_other:,} boxes are there twice, {n_other:,} of them as two classes, in {len(rows):,} pictures; "
        f"the first: {names[rows[0]]}"
    )
    cause = "two people drew, or files were joined; of a pair one is always missed or wrong"
    verdict = Verdict("duplicate-boxes", "warn", evidence, cause, "keep one of each pair")
    return [Finding(verdict, tuple(rows), (), tuple(notes))]
