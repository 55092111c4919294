"""Kinds of errors with examples, the worst pictures, and outlines that were found."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.metrics.detection.detections import Detections
from pellucid.metrics.detection.errors import KINDS, Errors
from pellucid.report.blocks import Bar, Legend, Picture, Pictures, Section, Table
from pellucid.tasks.detect.report import words
from pellucid.tasks.detect.report.draw import KEY, MISSED, RIGHT, TRUE, WRONG, Drawn, boxes_on, masks_on
from pellucid.tasks.detect.report.seen import Seen

EXAMPLES = 3  # of each kind
WORST = 9
WITH_MASKS = 6
KINDS_TITLE, WORST_TITLE = "What kinds of errors", "Where it is wrong"


def error_kinds(
    every: Errors,
    sure: Errors,
    given: Detections,
    classes: Sequence[str],
    index: Sequence[int],
    seen: Seen,
) -> Section:
    """How many errors of each kind, what they cost, and pictures of some.

    Args:
        every: errors of all that was found, for the costs.
        sure, given: of what was found with the best least score or more.
        index: position of each picture in the split.
    """
    costs, counts = every.costs(len(classes)), sure.counts()
    total = sum(counts.values())
    if not total:
        return Section(KINDS_TITLE, "There are no errors." if given.true.any() else "There is nothing to find.")
    order = sorted(KINDS, key=lambda kind: -np.nan_to_num(costs[kind]))
    rows = [
        (
            kind,
            words.KINDS[kind],
            counts[kind],
            Bar(max(0.0, costs[kind])),
            words.CURES[kind],
        )
        for kind in order
    ]
    table = Table(
        ("kind", "what is wrong", "how many", "AP50 to gain", "what helps"),
        rows,
        align="llrrl",
        note="How many: at the best least score. AP50 to gain: how much it would rise if errors of this kind alone "
        "were mended, counted over all scores; the gains do not add up. Kinds as in TIDE (Bolya et al. 2020).",
    )
    gain = max(0.0, costs[order[0]])
    lead = f"Most would be gained by mending this: {words.KINDS[order[0]]} ({order[0]}, +{gain:.2f} AP50)."
    pictures = [_example(*each, sure, given, classes, index, seen) for each in _examples(sure, given)]
    key = Legend([KEY[1], KEY[2], KEY[3]])
    return Section(KINDS_TITLE, lead, [table, key, Pictures(pictures, "The surest errors of each kind")])


def _examples(sure: Errors, given: Detections) -> list[tuple[str, int, int]]:
    """Kind, and number of a found thing (of `matches`) with the highest score; of missed things, the largest."""
    found = []
    for number, kind in enumerate(KINDS[:-1]):
        rows = np.flatnonzero(sure.kind == number)
        best = rows[np.argsort(-sure.matches.score[rows], kind="stable")][:EXAMPLES]
        found += [(kind, int(row), -1) for row in best]
    picture, place = np.nonzero(sure.missed)
    largest = np.argsort(-given.truth_area[picture, place], kind="stable")[:EXAMPLES]
    return [*found, *(("missed", int(picture[row]), int(place[row])) for row in largest)]


def _example(
    kind: str,
    row: int,
    place: int,
    sure: Errors,
    given: Detections,
    classes: Sequence[str],
    index: Sequence[int],
    seen: Seen,
) -> Picture:
    if kind == "missed":
        drawn = [_true(given, classes, row, place, "missed", MISSED)]
        name = classes[given.truth_label[row, place]]
        (view,) = seen([index[row]])
        return Picture(boxes_on(view, drawn), f"{name} is missed", "bad", seen.name(index[row]))
    i, j, about = int(sure.matches.picture[row]), int(sure.matches.place[row]), int(sure.about[row])
    drawn = [] if about < 0 else [_true(given, classes, i, about, "", TRUE)]
    drawn.append(_found(given, classes, i, j, WRONG))
    (view,) = seen([index[i]])
    return Picture(boxes_on(view, drawn), f"{kind}: {words.KINDS[kind]}", "bad", seen.name(index[i]))


def _found(given: Detections, classes: Sequence[str], i: int, j: int, colour: tuple[int, int, int]) -> Drawn:
    return Drawn(given.boxes_xyxy[i, j], f"{classes[given.labels[i, j]]} {given.scores[i, j]:.2f}", colour)


def _true(given: Detections, classes: Sequence[str], i: int, j: int, note: str, colour: tuple[int, int, int]) -> Drawn:
    return Drawn(given.truth_xyxy[i, j], f"{classes[given.truth_label[i, j]]} {note}".strip(), colour)


def worst_pictures(
    sure: Errors, given: Detections, classes: Sequence[str], index: Sequence[int], seen: Seen, conf: float
) -> Section:
    """Pictures with the most wrong and missed things, all boxes drawn."""
    wrong = np.bincount(sure.matches.picture[sure.kind >= 0], minlength=len(given))
    missed = sure.missed.sum(1)
    order = np.argsort(-(wrong + missed), kind="stable")[:WORST]
    order = order[(wrong + missed)[order] > 0]
    if not len(order):
        return Section(WORST_TITLE, "No picture has an error.")
    pictures = []
    for row, view in zip(order.tolist(), seen([index[row] for row in order.tolist()]), strict=True):
        things = [_true(given, classes, row, int(j), "missed", MISSED) for j in np.flatnonzero(sure.missed[row])]
        mine = np.flatnonzero(sure.matches.picture == row)
        for each in mine[np.argsort(sure.matches.score[mine], kind="stable")]:
            if sure.kind[each] >= -1:
                colour = RIGHT if sure.kind[each] == -1 else WRONG
                things.append(_found(given, classes, row, int(sure.matches.place[each]), colour))
        said = f"{wrong[row]} wrong, {missed[row]} missed"
        pictures.append(Picture(boxes_on(view, things), said, "bad", seen.name(index[row])))
    perfect = int(((wrong + missed) == 0).sum())
    lead = (
        f"{perfect:,} of {len(given):,} pictures have no error at a least score of {conf:.2f}. These have the most. "
        "Look here for things that nobody marked, and for what the model has not understood."
    )
    return Section(WORST_TITLE, lead, [Legend(KEY[:3]), Pictures(pictures, "Most errors")])


def outlines(
    summary: Mapping[str, Any], given: Detections, classes: Sequence[str], index: Sequence[int], seen: Seen, conf: float
) -> Section:
    """Pictures with the outlines that were found, where the network has such."""
    title = "Outlines"
    if "mask_ap" not in summary:
        return Section(title, "", [Pictures([])])
    full = np.argsort(-((given.labels >= 0) & (given.scores >= conf)).sum(1), kind="stable")[:WITH_MASKS].tolist()
    views = seen([index[row] for row in full])
    pictures = [Picture(masks_on(view, conf), seen.name(index[row])) for row, view in zip(full, views, strict=True)]
    lead = (
        f"Mask AP {summary['mask_ap']:.3f}, mask AP50 {summary['mask_ap50']:.3f}: as for boxes, with IoU of outlines."
    )
    return Section(title, lead, [Pictures(pictures, "Found outlines")])
