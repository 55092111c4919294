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
) -> list[Section]:
    """Classes, confusion, the most confident errors, the most confused pairs, calibration."""
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
        sorted(rows, key=lambda row: row[1].value if row[1].value == row[1].value else 2),
        note="Recall: share of the pictures of this class that were found. Precision: share of the pictures called "
        "this that are. Weakest class first.",
    )
    matrix = Matrix(summary["confusion"], facts.classes, facts.classes, "Confusion matrix")
    recalls = {name: r for name, r in zip(each["class"], each["recall"], strict=True) if r == r}
    weakest = min(recalls, key=lambda name: recalls[name], default="")
    lead = f"Weakest class: {weakest}, of which {recalls[weakest]:.1%} are found." if weakest else ""
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
        rows = [int(row) for row in errors if int(truth[row]) == pair.true and int(called[row]) == pair.predicted][:EACH]
        title = f"{facts.classes[pair.true]} taken for {facts.classes[pair.predicted]}: {pair.count} ({pair.share:.0%} of them)"
        blocks.append(Pictures([shown(row) for row in rows], title))
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
    way = "surer than it should be" if gap > 0.01 else "less sure than it could be" if gap < -0.01 else "about as sure as it is right"
    lead = f"On average it says {mean:.1%} and is right {summary['accuracy']:.1%} of the time: {way}. ECE {summary['ece']:.3f}."
    return Section("Can its probabilities be believed?", lead, [figure])
