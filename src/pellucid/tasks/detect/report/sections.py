"""What the report says of a detector: numbers, classes, confusions, errors, worst pictures, sizes, certainty."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL.Image import Image
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.metrics.detection.average_precision import average_precision
from pellucid.metrics.detection.coco import IOUS, NUMBERS
from pellucid.metrics.detection.detections import NOTHING, Detections
from pellucid.metrics.detection.errors import errors
from pellucid.metrics.detection.matching import match
from pellucid.metrics.detection.second_opinion import by_faster_coco_eval
from pellucid.report.blocks import Bar, Block, Cell, Facts, Matrix, Section, Table
from pellucid.tasks.detect.metrics import detections
from pellucid.tasks.detect.report import words
from pellucid.tasks.detect.report.figures import certainty_figures, precision_figures
from pellucid.tasks.detect.report.mistakes import error_kinds, outlines, worst_pictures
from pellucid.tasks.detect.report.seen import Seen

NO_THING = "nothing"
TOLD = 5  # confusions that are told in words
NOTHING_TO_FIND = "There is nothing to find in these pictures."
SIZES = (("small", "below 32 x 32 px"), ("medium", "32 x 32 to 96 x 96 px"), ("large", "above 96 x 96 px"))


def sections(
    summary: Mapping[str, Any],
    records: Mapping[str, Tensor],
    facts: DataFacts,
    picture: Callable[[int], Image],
    look: Callable[[Sequence[int]], tuple[Any, Any]],
) -> list[Section]:
    """Every section, in the order in which a reader wants to know. Pictures are shown as the network sees them."""
    given, seen = detections(records), Seen(look)
    conf = summary["best_conf"]
    sure = at_least(given, conf)
    index = records["index"].tolist()
    wrong = errors(sure)
    return [
        _numbers(summary, given, facts),
        _classes(summary, given, facts),
        _confusion(summary, facts),
        error_kinds(errors(given), wrong, sure, facts.classes, index, seen),
        worst_pictures(wrong, sure, facts.classes, index, seen, conf),
        outlines(summary, given, facts.classes, index, seen, conf),
        _sizes(summary, given),
        _certainty(summary, given),
    ]


def at_least(given: Detections, score: float) -> Detections:
    """Only what was found with such a score; of a score that is no number, nothing."""
    kept = given.scores >= (np.inf if np.isnan(score) else score)
    return Detections(**{**vars(given), "labels": np.where(kept, given.labels, NOTHING)})


def _numbers(summary: Mapping[str, Any], given: Detections, facts: DataFacts) -> Section:
    by = [("boxes", ""), *((kind, f"{kind[:-1]}_") for kind in ("masks", "keypoints") if f"{kind[:-1]}_ap" in summary)]
    rows: list[list[Cell]] = []
    for name in NUMBERS:
        short, meaning = words.NUMBERS[name]
        values = [summary.get(f"{prefix}{name}", float("nan")) for _, prefix in by]
        rows.append([short, *(Bar(value) for value in values), meaning])
    note = "A dash: there is nothing of that kind to measure. All numbers are from 0 to 1."
    table = Table(
        ("number", *(kind for kind, _ in by), "what it says"), rows, align="l" + "r" * len(by) + "l", note=note
    )
    true = int((given.true & ~given.truth_crowd).sum())
    lead = (
        f"AP {_number(summary['ap'])}, AP50 {_number(summary['ap50'])}. {true:,} things are there. With a least score "
        f"of {_number(summary['best_conf'], 2)} (--conf) as many of them as possible are found with as little else: "
        f"{_share(summary['recall'])} are found, and {_share(summary['precision'])} of what is found is right."
    )
    if np.isnan(summary["best_conf"]):
        lead = f"{true:,} things are there, and none was found." if true else NOTHING_TO_FIND
    return Section("How much is found", lead, [table, _second_opinion(given, facts)])


def _second_opinion(given: Detections, facts: DataFacts) -> Facts:
    """The twelve numbers by the field's own code."""
    ours, theirs = (judge(given, facts.n_classes).numbers for judge in (average_precision, by_faster_coco_eval))
    gaps = [abs(ours[name] - theirs[name]) for name in NUMBERS if not np.isnan(ours[name])]
    same = "none" if max(gaps, default=0.0) == 0 else f"{max(gaps):.0e}"
    return Facts(
        [("difference to faster-coco-eval", same, "largest of the twelve numbers of boxes, computed again by it")]
    )


def _classes(summary: Mapping[str, Any], given: Detections, facts: DataFacts) -> Section:
    each = summary["per_class"]
    masks = [("mask AP", each["mask_ap"])] if "mask_ap" in each else []
    plain = [each["ap75"], *(values for _, values in masks), each["recall50"], each["things"], each["found"]]
    full = [
        (name, Bar(ap), Bar(ap50), *others)
        for name, ap, ap50, *others in zip(each["class"], each["ap"], each["ap50"], *plain, strict=True)
    ]
    ranks = [2.0 if np.isnan(value) else value for value in each["ap"]]
    order = np.argsort(ranks, kind="stable")
    table = Table(
        ("class", "AP", "AP50", "AP75", *(name for name, _ in masks), "recall", "there", "found"),
        [full[k] for k in order],
        note="Weakest class first. Recall: the largest share that is found at IoU 0.50, however low the score. There: "
        "how many things there are; found: how many are named at the best least score. A dash: the class does not "
        "occur.",
    )
    blocks: list[Block] = [table, *precision_figures(given, facts.classes, [int(k) for k in order])]
    return Section("Class by class", "", blocks)


def _confusion(summary: Mapping[str, Any], facts: DataFacts) -> Section:
    matrix, names = np.asarray(summary["confusion"]), [*facts.classes, NO_THING]
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    if not matrix.any():
        return Section("What is taken for what", "Nothing is there and nothing was found.")
    rows, columns = np.unravel_index(np.argsort(-wrong, axis=None)[:TOLD], wrong.shape)
    most = zip(rows.tolist(), columns.tolist(), strict=True)
    told = [_told(names, row, column, int(wrong[row, column])) for row, column in most if wrong[row, column]]
    missed, false = int(matrix[:-1, -1].sum()), int(matrix[-1].sum())
    mixed = int(wrong[:-1, :-1].sum())
    lead = (
        f"Of {int(matrix[:-1].sum()):,} things, {int(matrix.trace()):,} are found under their name, {mixed:,} under "
        f"another, and {missed:,} are missed; {false:,} times something is found where nothing is."
    )
    lead += f" Most often: {'; '.join(told)}." if told else ""
    shown = Matrix(matrix, names, names, "What is there, and what it is called", "true", "found")
    return Section("What is taken for what", lead, [shown])


def _told(names: Sequence[str], row: int, column: int, count: int) -> str:
    if column == len(names) - 1:
        return f"{names[row]} is missed ({count:,})"
    if row == len(names) - 1:
        return f"{names[column]} is found where nothing is ({count:,})"
    return f"{names[row]} is called {names[column]} ({count:,})"


def _sizes(summary: Mapping[str, Any], given: Detections) -> Section:
    area = given.truth_area[given.true & ~given.truth_crowd]
    edges = np.searchsorted([32.0**2, 96.0**2], area, side="left")
    counts = np.bincount(edges, minlength=3)
    rows = [
        (name, size, int(count), Bar(summary[f"ap_{name}"]), Bar(summary[f"ar_{name}"]))
        for (name, size), count in zip(SIZES, counts, strict=True)
    ]
    if not len(area):
        return Section("Small and large things", NOTHING_TO_FIND)
    known = [(summary[f"ap_{name}"], name) for name, _ in SIZES if not np.isnan(summary[f"ap_{name}"])]
    side = np.sqrt(np.median(area))
    lead = f"Of the {len(area):,} things, half are smaller than a square of {side:.0f} px a side."
    if len(known) > 1 and min(known)[0] < 0.5 * max(known)[0]:
        lead += f" {min(known)[1].capitalize()} things are found much worse: "
        lead += (
            "larger pictures (--image-size) help." if min(known)[1] == "small" else "more pictures of such would help."
        )
    table = Table(("things", "area in the file", "how many", "AP", "recall"), rows, align="llrrr")
    return Section("Small and large things", lead, [table])


def _certainty(summary: Mapping[str, Any], given: Detections) -> Section:
    matches = match(given, IOUS[:1])
    if not len(matches.score):
        return Section("How sure it is", "Nothing was found.")
    error = summary["calibration_error"]
    lead = (
        f"A score should be the chance that a found thing is right (IoU 0.50, right name). On average it is off by "
        f"{_number(error, 2)}. AP asks only for the order of scores; who sets a threshold reads them as chances."
    )
    return Section("How sure it is", lead, certainty_figures(matches))


def _number(value: float, digits: int = 3) -> str:
    return "none" if np.isnan(value) else f"{value:.{digits}f}"


def _share(value: float) -> str:
    return "none" if np.isnan(value) else words.percent(value)
