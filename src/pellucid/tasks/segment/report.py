"""The sections of the report that only a segmenter has."""

from collections.abc import Callable, Mapping
from typing import Any

from PIL.Image import Image
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.metrics.segmentation import iou
from pellucid.report.blocks import Bar, Matrix, Picture, Pictures, Section, Table

WORST = 12


def sections(
    summary: Mapping[str, Any],
    records: Mapping[str, Tensor],
    facts: DataFacts,
    picture: Callable[[int], Image],
) -> list[Section]:
    """Classes, confusion of pixels, the pictures with the lowest mean IoU."""
    return [_classes(summary, facts), _worst(records, picture)]


def _classes(summary: Mapping[str, Any], facts: DataFacts) -> Section:
    each = summary["per_class"]
    columns = (each["class"], each["iou"], each["recall"], each["precision"], each["pixels"])
    rows = [(name, Bar(u), Bar(r), Bar(p), n) for name, u, r, p, n in zip(*columns, strict=True)]
    table = Table(
        ("class", "IoU", "recall", "precision", "pixels"),
        [row for _, row in sorted(zip(_ranks(each["iou"]), rows, strict=True), key=lambda pair: pair[0])],
        note="IoU: pixels that are this class and were called so, among those that are or were. Weakest class first.",
    )
    matrix = Matrix(summary["confusion"], facts.classes, facts.classes, "Confusion of pixels")
    lead = f"Mean IoU {summary['miou']:.3f}; {summary['pixel_accuracy']:.1%} of all pixels are right."
    return Section("Class by class", lead, [table, matrix])


def _worst(records: Mapping[str, Tensor], picture: Callable[[int], Image]) -> Section:
    each = iou(records["confusion"]).nanmean(1)  # (N,)
    order = each.nan_to_num(2.0).argsort(stable=True)[:WORST].tolist()
    items = [Picture(picture(int(records["index"][row])), f"mean IoU {float(each[row]):.2f}", "bad") for row in order]
    lead = "The pictures in which the least is right, worst first. Look here for wrong masks and for confused classes."
    return Section("Where it is wrong", lead, [Pictures(items, "Lowest mean IoU")])


def _ranks(values: list[float]) -> list[float]:
    """Keys that sort the lowest first and absent classes (NaN) last."""
    return [value if value == value else 2.0 for value in values]
