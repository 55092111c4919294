"""The ladder as a picture and a page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pellucid import __version__
from pellucid.core.facts import DataFacts
from pellucid.plots.ladder import Step
from pellucid.plots.ladder import ladder as drawn
from pellucid.report.blocks import Bar, Block, Facts, Figure, Number, Section, Table, Verdicts
from pellucid.report.page import page
from pellucid.runs.comparing.climbing.ledger import Ledger

if TYPE_CHECKING:
    from pellucid.runs.comparing.ladder import Ladder

SHORT = {
    "knn": "kNN, pixels",
    "softmax": "softmax, pixels",
    "svm": "SVM, pixels",
    "features": "SVM, features",
    "mlp": "MLP",
    "cnn": "small CNN",
    "resnet": "ResNet",
    "transfer": "transfer",
    "strong": "strong small net",
    "ensemble": "ensemble",
}


def picture(rows: Sequence[dict[str, Any]]) -> str:
    """Test accuracy against CPU seconds, as SVG."""
    steps = [Step(SHORT[row["rung"]], max(row["cpu_seconds"], 0.1), 100 * row["test"], row["model"]) for row in rows]
    return drawn(steps, "What each rung reaches, and what it costs", "CPU seconds", "test accuracy, %")


def page_of(made: "Ladder", facts: DataFacts, ledger: Ledger) -> str:
    """The page: the rungs, the picture, what all of them share, and what was left out."""
    best = max(made.rows, key=lambda row: row["test"])
    numbers = [
        Number("highest rung", f"{best['test']:.2%}", f"{best['what']}, on the test split", "good"),
        Number("rungs", str(len(made.rows)), "same split, same metric"),
        Number("CPU time", f"{made.cpu_seconds:,.0f} s", f"of {ledger.asked['budget']:,.0f} s"),
    ]
    floor = max(0.0, min(row["test"] for row in made.rows) - 0.05)
    rows = [
        [
            row["what"],
            row["model"],
            row["parameters"],
            row["epochs"],
            f"{row['validation']:.2%}",
            Bar(row["test"] - floor, 1 - floor, f"{row['test']:.2%}"),
            f"{row['cpu_seconds']:,.1f}",
            f"{row['wall_seconds']:,.1f}",
        ]
        for row in made.rows
    ]
    header = ("rung", "model", "parameters", "epochs", "validation", "test", "CPU s", "wall s")
    table = Table(header, rows, "llrrrlrr", note=f"Accuracy; the bars begin at {floor:.0%}.")
    size = "x".join(map(str, facts.preprocess.size))
    blocks: list[Block] = [Figure(picture(made.rows), wide=True), table]
    shared = Facts(
        [
            ("data", facts.source, f"{facts.n_classes} classes, {size} px"),
            ("training pictures", facts.n_train),
            ("validation pictures", facts.n_val, "k, penalties, best epochs were chosen on these"),
            ("test pictures", facts.n_test, "opened once, after all rungs were trained"),
            ("checksum of the split", facts.split_hash[:16]),
            ("seed", ledger.asked["split_seed"]),
        ]
    )
    left_out = Table(("rung", "why it was left out"), list(made.left_out.items()), "ll")
    sections = [
        Section("The ladder", "From pixels to deep nets: every rung on the same pictures.", blocks),
        Section("What all rungs share", "", [shared]),
        Section("Left out", "", [left_out]),
        Section("Verdicts", "", [Verdicts(made.verdicts)]),
    ]
    lead = f"Every kind of classifier on {facts.source}, and what it costs."
    return page(f"Ladder: {facts.source}", lead, numbers, sections, f"pellucid {__version__}")
