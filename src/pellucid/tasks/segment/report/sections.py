"""What the report says of a segmenter: classes, confusions, wrong regions, outlines, shares, what masks leave open."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL.Image import Image
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.metrics.segmentation import iou
from pellucid.plots.palette import palette
from pellucid.report.blocks import Bar, Block, Legend, Matrix, Note, Picture, Pictures, Section, Table
from pellucid.tasks.segment.report.draw import clear_classes, patch_side_by_side, side_by_side
from pellucid.tasks.segment.report.regions import largest_wrong_regions, share_of_errors
from pellucid.tasks.segment.report.seen import Seen, View
from pellucid.tasks.segment.report.touching import count_regions, necks
from pellucid.tasks.segment.report.words import called_instead, confusions, instead_of, percent

WORST = 6
REGIONS = 9
TOUCHING = 3
SELDOM = 0.8  # of what there is, below which a class is called too seldom
MISSED = 0.05  # of the pixels away from borders, from which on errors there are more than a few
SEARCHED = 64  # pictures in which touching things are sought
HOW_MANY = "What masks cannot tell: how many"


def sections(
    summary: Mapping[str, Any],
    records: Mapping[str, Tensor],
    facts: DataFacts,
    picture: Callable[[int], Image],
    look: Callable[[Sequence[int]], tuple[Any, Any]],
) -> list[Section]:
    """Every section, in the order in which a reader wants to know. Pictures are shown as the network sees them."""
    seen = Seen(look)
    return [
        _classes(summary, facts),
        _confusion(summary, facts),
        _worst(summary, records, facts, seen),
        _borders(summary, records),
        _shares(summary, facts),
        _touching(records, facts, seen),
    ]


def _classes(summary: Mapping[str, Any], facts: DataFacts) -> Section:
    each = summary["per_class"]
    columns = (each["class"], each["iou"], each["recall"], each["precision"], each["boundary_f1"])
    rows = [(name, *map(Bar, numbers)) for name, *numbers in zip(*columns, strict=True)]
    table = Table(
        ("class", "IoU", "recall", "precision", "boundary F1"),
        [row for _, row in sorted(zip(_ranks(each["iou"]), rows, strict=True), key=lambda pair: pair[0])],
        note="IoU: pixels that are this class and were called so, among those that are or were. Recall: share of its "
        "pixels that are found. Precision: share of the pixels called so that are. Boundary F1: how much of its "
        "outlines, true and predicted, has its like within 0.75 % of the picture's diagonal (at least 1 px). Weakest "
        "class first; a dash where there is nothing to measure. Mean IoU, mean accuracy and the boundary F1 above are "
        "means of IoU, recall and boundary F1; frequency-weighted IoU is that of IoU, by how many pixels a class has.",
    )
    lead = f"Mean IoU {summary['miou']:.3f}; {summary['pixel_accuracy']:.1%} of all pixels are right."
    return Section("Class by class", lead, [table])


def _confusion(summary: Mapping[str, Any], facts: DataFacts) -> Section:
    matrix, classes = np.asarray(summary["confusion"]), facts.classes
    said = confusions(matrix, classes, 3)
    lead = f"Of all that is wrong, most is this: {'; '.join(said)}." if said else "Nothing is taken for anything else."
    wrong = matrix.sum(1) - matrix.diagonal() + matrix.sum(0) - matrix.diagonal()
    rows = [
        (
            classes[k],
            Bar(float(matrix[k, k] / matrix[k].sum())) if matrix[k].sum() else None,
            called_instead(matrix, classes, k) or "–",
            instead_of(matrix, classes, k) or "–",
        )
        for k in np.argsort(-wrong, kind="stable").tolist()
        if wrong[k]
    ]
    table = Table(
        ("class", "called so", "its pixels are also called", "what is called so is also"),
        rows,
        note="Read a row from left to right: how many of the pixels of this class are called so, what the others are "
        "called, and what the pixels that are called so by mistake are in truth. The class with most errors first.",
        align="llll",
    )
    return Section("What is taken for what", lead, [table, Matrix(matrix, classes, classes, "Confusion of pixels")])


def _worst(summary: Mapping[str, Any], records: Mapping[str, Tensor], facts: DataFacts, seen: Seen) -> Section:
    matrix = np.asarray(summary["confusion"])
    wrong = int(matrix.sum() - matrix.trace())
    found = largest_wrong_regions(records["confusion"], records["index"], seen, REGIONS)
    worst = [
        Picture(
            patch_side_by_side(region.patch, facts.classes),
            f"{facts.classes[region.true]} taken for {facts.classes[region.called]}",
            "bad",
            f"{region.patch.area:,} px in one piece, {percent(region.patch.area / max(wrong, 1))} of all that is "
            f"wrong; {seen.name(region.patch.view.index)}",
        )
        for region in found
    ]
    each = iou(records["confusion"]).nanmean(1)  # (N,)
    order = each.nan_to_num(2.0).argsort(stable=True)[:WORST]
    lowest = [row for row in order.tolist() if each[row] < 1]
    views = seen([int(records["index"][row]) for row in lowest])
    whole = [
        Picture(side_by_side(view, facts.classes), f"mean IoU {float(each[row]):.2f}", "bad", seen.name(view.index))
        for row, view in zip(lowest, views, strict=True)
    ]
    if not found:
        return Section(
            "Where it is wrong", "No pixel is wrong." if matrix.sum() else "There are no pixels to measure on."
        )
    lead = (
        f"{wrong:,} of {int(matrix.sum()):,} pixels are wrong. The {len(found)} largest patches in one piece hold "
        f"{percent(share_of_errors(found, wrong))} of them. Look here for wrong masks and for what the model has not "
        "understood: left the picture with the patch in a white outline, then what is true, then what the model says."
    )
    shown = [k for k in range(facts.n_classes) if k not in clear_classes(facts.classes)]
    key = Legend([(facts.classes[k], palette(facts.n_classes)[k].tolist()) for k in shown])
    blocks: list[Block] = [
        key,
        Pictures(worst, "Largest wrong regions", wide=True),
        Pictures(whole, "Lowest mean IoU", wide=True),
    ]
    return Section("Where it is wrong", lead, blocks)


def _borders(summary: Mapping[str, Any], records: Mapping[str, Tensor]) -> Section:
    (near, near_wrong), (inside, inside_wrong) = records["border_errors"].sum(0).tolist()
    wrong = near_wrong + inside_wrong
    if not near:
        lead = (
            "The masks show no border between two classes: there is only one class in each picture, or a band of "
            "pixels that do not count lies around everything. So nothing can be said about outlines."
        )
        return Section("Outlines", lead)
    rows = [
        (
            name,
            n,
            *(Bar(share, text=percent(share)) for share in (n / (near + inside), bad / max(n, 1), bad / max(wrong, 1))),
        )
        for name, n, bad in (("within 2 px of a true border", near, near_wrong), ("inside", inside, inside_wrong))
    ]
    table = Table(
        ("pixels", "how many", "share of all", "of them wrong", "of all that is wrong"),
        rows,
        note="A border is where two classes meet; a pixel beside it has distance 0. Trimap accuracy, above, is the "
        "share of right pixels near a border.",
    )
    share = near_wrong / max(wrong, 1)
    lead = (
        f"{percent(share)} of all wrong pixels lie within 2 px of a true border, as "
        f"{percent(near / (near + inside))} of all pixels do. Boundary F1 "
        f"{summary['boundary_f1']:.3f}: that is how well outlines are met, from 0 to 1."
    )
    if wrong:
        lead += _where(share, inside_wrong / max(inside, 1))
    return Section("Outlines", lead, [table])


def _where(near_share: float, inside_rate: float) -> str:
    """What the place of errors says.

    Args:
        near_share: of all that is wrong, how much lies near a border.
        inside_rate: of what lies inside, how much is wrong.
    """
    if inside_rate > MISSED:
        return (
            f" Inside, {percent(inside_rate)} of the pixels are wrong: there no outline is at fault, but classes are "
            "confused and things are missed or made up. More training or more pictures come before finer outlines."
        )
    if near_share > 0.5:
        return (
            " Most errors are imprecise outlines: masks may be drawn inexactly, or the network works on a coarse grid; "
            "larger pictures or finer maps help."
        )
    return " What is wrong lies inside, in few places: the largest patches above show them."


def _shares(summary: Mapping[str, Any], facts: DataFacts) -> Section:
    each = summary["per_class"]
    true, called = (np.asarray(each[name], dtype=np.float64) for name in ("pixels", "called"))
    total = max(true.sum(), 1)
    top = float(max(true.max(), called.max()) / total) or 1.0
    rows = [
        (name, Bar(t / total, top, percent(t / total)), Bar(c / total, top, percent(c / total)), c / t if t else None)
        for name, t, c in zip(each["class"], true, called, strict=True)
    ]
    table = Table(
        ("class", "true share", "predicted share", "predicted / true"),
        rows,
        note="Shares of all pixels that count. A ratio of 1 does not mean that the right pixels are called so, only as "
        "many.",
    )
    known = [k for k in range(len(true)) if true[k]]
    far = sorted(known, key=lambda k: called[k] / true[k])
    lead = ""
    if len(far) > 1:
        few, many = far[0], far[-1]
        lead = "Every class is called about as often as it is there."
        if called[few] < SELDOM * true[few] or SELDOM * called[many] > true[many]:
            lead = (
                f"Called least for what there is: {each['class'][few]} ({percent(called[few] / true[few])} of its true "
                f"share); most: {each['class'][many]} ({percent(called[many] / true[many])}). Classes that are called "
                "too seldom gain by --balance or --loss cross-entropy+dice."
            )
    return Section("How much of each class", lead, [table])


def _touching(records: Mapping[str, Tensor], facts: DataFacts, seen: Seen) -> Section:
    views, clear = seen(records["index"][:SEARCHED].tolist()), clear_classes(facts.classes)
    true, called = ([count_regions(getattr(view, part), clear) for view in views] for part in ("true", "called"))
    lead = (
        "A mask says of every pixel which class it is, not which thing. Where two things of one class touch, their "
        "pixels make one region, in the truth as in the answer, and nothing in either tells that there are two. So "
        "regions are not a count of things; to tell things apart, or to count them, takes instance masks and --model "
        "mask_rcnn (--task detect)."
    )
    if not views:
        return Section(HOW_MANY, lead)
    lead += (
        f"\n\nIn the first {len(views)} pictures the masks show {sum(true):,} unbroken regions and the answers "
        f"{sum(called):,}: more where things break into pieces or specks are made up, fewer where they merge or are "
        "missed."
    )
    things = [view.things for view in views if view.things is not None]
    items = _merged(views, true, called, facts, seen.name) if things else _necks(views, facts, clear, seen.name)
    if things:
        lead += f" The data tells things apart: there are {sum(things):,}."
        said = "These pictures show more things than their masks have regions: what touches has become one."
    else:
        said = (
            "These regions of the masks hang together by a narrow neck, as two things that touch do, and also one "
            "thing with a waist. The masks do not know which."
        )
    if not items:
        lead += " None of them touch." if things else " No region has a narrow neck, as two things that touch would."
    return Section(HOW_MANY, lead, [Note(said), Pictures(items, wide=True)] if items else ())


def _merged(
    views: Sequence[View], true: Sequence[int], called: Sequence[int], facts: DataFacts, name: Callable[[int], str]
) -> list[Picture]:
    """The pictures in which things outnumber the regions of their masks by most."""
    rows = zip(views, true, called, strict=True)
    lost = [((view.things or 0) - count, view, count, answered) for view, count, answered in rows]
    return [
        Picture(
            side_by_side(view, facts.classes),
            f"{view.things} things, {count} region{'s' * (count != 1)}",
            detail=f"{answered} in the answer; {name(view.index)}",
        )
        for n, view, count, answered in sorted(lost, key=lambda each: -each[0])[:TOUCHING]
        if n > 0
    ]


def _necks(views: Sequence[View], facts: DataFacts, clear: Sequence[int], name: Callable[[int], str]) -> list[Picture]:
    found = sorted((n for view in views for n in necks(view, clear)), key=lambda n: -n.evenness * n.patch.area)
    return [
        Picture(
            patch_side_by_side(neck.patch, facts.classes),
            f"{facts.classes[neck.label]}: one thing, or {neck.parts} that touch?",
            detail=f"{neck.patch.area:,} px in one piece, in {neck.parts} pieces without its outermost 2 px; "
            f"{name(neck.patch.view.index)}",
        )
        for neck in found[:TOUCHING]
    ]


def _ranks(values: list[float]) -> list[float]:
    """Keys that sort the lowest first and absent classes (NaN) last."""
    return [value if value == value else 2.0 for value in values]
