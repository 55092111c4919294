"""A cell that a search found is a network like any other.

Each search chose a cell. The table has their accuracy on validation pictures after a short training, as the mean of
five seeds, of which one chose the cell and four did not, and what a network of them costs (32, 64 and 128 maps, two
cells a stage). The best one is what `cell_net` is made of: `pellucid train fashion-mnist-mini --model cell_net` trains
it, `pellucid summary cell_net` opens it up, and `CellNet("conv3(0)+skip(0)", n_classes=10, channels=1)` makes the
network of any other cell. How little a short training says of a longer one is told
[with the search](architecture_search.md).

    python recipes/architectures/found_cell.py
"""

from pathlib import Path

import torch

from pellucid.models.classify.cell_net import CellNet
from pellucid.nn.geometry import describe
from pellucid.plots.networks.cell import cell
from pellucid.training.architecture_search.journal import Journal
from pellucid.training.architecture_search.study import Study

JOURNAL = Path(__file__).resolve().parents[2] / "docs" / "architectures" / "measured" / "architecture_search.jsonl"
SIDE = 28


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Every cell that a search chose: validation accuracy over all seeds, and what its network of usual width costs."""
    study, journal = Study(), Journal(JOURNAL)
    finalists = study.finalists(journal)
    found_by: dict[str, list[str]] = {}
    for seed in study.seeds:
        for name, chosen in list(study.chosen(journal, seed).items())[1:]:
            found_by.setdefault(str(chosen), []).append(f"{name} {seed}")
    rows = []
    for one in finalists:
        with torch.device("meta"):  # sizes and costs need no numbers
            size = describe(CellNet(one.cell, 10, 1, small_stem=True), 1, (SIDE, SIDE))
        text = str(one.cell)
        rows.append(
            [
                f"`{text}`",
                ", ".join(found_by[text]),
                f"{100 * one.accuracy:.1f}",
                f"{size.parameters:,}",
                f"{size.macs / 1e6:.0f} M",
            ]
        )
    best = finalists[0].cell
    header = ["cell", "found by, seed", "validation, mean of 5 seeds, %", "parameters", f"multiply-adds, {SIDE} px"]
    return header, rows, cell(best.nodes, "The cell that was found")


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell_.ljust(32) for cell_ in row))
