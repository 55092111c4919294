"""The sections of the report that only a classifier has."""

from collections.abc import Callable, Mapping
from typing import Any

from PIL.Image import Image
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.metrics.classification import confident_errors, confusion_matrix, most_confused
from pellucid.plots.reliability import reliability
from pellucid.report.blocks import Bar, Figure, Matrix, Picture, Pictures, Section, Table

WORST = 16
PAIRS = 4
EACH = 4


def sections(
    summary: Mapping[str, Any],
    records: Mapping[str, Tensor],
    facts: DataFacts,
    picture: Callable[[int], Image],
    look: Any = None,
) -> list[Section]:
    """Classes, confusion, the most confident errors, the most confused pairs, calibration.

    The records hold all of it: no second look.
    """
    return [
        _classes(summary, facts),
        _errors(records, facts, picture),
        _calibration(summary),
    ]


def _classes(summary: Mapping[str, Any], facts: DataFacts) -> Section:
    each = summary["per_class"]
    rows = [
        (name, Bar(recall), Bar(precision), Bar(f1), support)
        for name, recall, precision, f1, support in zip(
            each["class"], each["recall"], each["precision"], each["f1"], each["support"], strict=True
        )
    ]
    table = Table(
        ("class", "recall", "precision", "F1", "pictures"),
        [row for _, row in sorted(zip(_ranks(each["recall"]), rows, strict=True), key=lambda pair: pair[0])],
        note="Recall: share of the pictures of this class that were found. Precision: share of the pictures called "
        "this that are. Weakest class first.",
    )
    matrix = Matrix(summary["confusion"], facts.classes, facts.classes, "Confusion matrix")
    recalls = {name: r for name, r in zip(each["class"], each["recall"], strict=True) if r == r}
    weakest = min(recalls, key=lambda name: recalls[name], default="")
    differ = len(set(recalls.values())) > 1
    lead = f"Weakest class: {weakest}, of which {recalls[weakest]:.1%} are found." if differ else ""
    return Section("Class by class", lead, [table, matrix])


def _errors(records: Mapping[str, Tensor], facts: DataFacts, picture: Callable[[int], Image]) -> Section:
    probabilities, truth, index = records["probabilities"], records["truth"], records["index"]
    confidence, called = probabilities.max(1)

    def shown(row: int) -> Picture:
        said, is_ = facts.classes[int(called[row])], facts.classes[int(truth[row])]
        return Picture(picture(int(index[row])), f"{said}, {float(confidence[row]):.0%}", "bad", f"is: {is_}")

    errors = confident_errors(probabilities, truth)
    blocks: list[Any] = [Pictures([shown(int(row)) for row in errors[:WORST]], "Most confident errors")]
    matrix = confusion_matrix(probabilities, truth)
    for pair in most_confused(matrix, PAIRS):
        rows = [row for row in errors.tolist() if (int(truth[row]), int(called[row])) == (pair.true, pair.predicted)]
        names = f"{facts.classes[pair.true]} taken for {facts.classes[pair.predicted]}"
        blocks.append(
            Pictures([shown(row) for row in rows[:EACH]], f"{names}: {pair.count} ({pair.share:.0%} of them)")
        )
    n = int((truth >= 0).sum())
    lead = (
        f"{len(errors)} of {n} pictures are wrong. The ones the model was surest of come first: "
        "look here for wrong labels and for what it has not understood."
    )
    return Section("Where it is wrong", lead, blocks)


def _calibration(summary: Mapping[str, Any]) -> Section:
    bins = summary["reliability"]
    figure = Figure(reliability(bins["edges"], bins["confidence"], bins["accuracy"], bins["count"]))
    mean = sum(c * n for c, n in zip(bins["confidence"], bins["count"], strict=True) if n) / max(sum(bins["count"]), 1)
    gap = mean - summary["accuracy"]
    way = "surer than it should be" if gap > 0 else "less sure than it could be"
    if abs(gap) <= 0.01:
        way = "about as sure as it is right"
    lead = (
        f"On average it says {mean:.1%} and is right {summary['accuracy']:.1%} of the time: {way}. "
        f"ECE {summary['ece']:.3f}."
    )
    return Section("Can its probabilities be believed?", lead, [figure])


def _ranks(values: list[float]) -> list[float]:
    """Keys that sort the lowest first and absent classes (NaN) last."""
    return [value if value == value else 2.0 for value in values]
