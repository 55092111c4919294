"""A search finds cells that are better at what it measures, and no better at what it does not.

A cell is three nodes of two operations each; there are 180,943 different ones. Random search draws 24 and keeps the
best. Regularised evolution begins with 8 of the same, and then changes, sixteen times, the best of three of its eight
youngest. Both judge a cell by a network of three cells, trained for 62 steps on 2,000 pictures of clothes, and by its
accuracy on 2,000 validation pictures. Five pairs, each with other pictures.

Tested after that same short training, what both choose beats the median random cell, that of evolution in all five
pairs; evolution is ahead of random search, but not by more than chance could do in five pairs.

Tested after five times as many steps on other pictures, the gain is gone: over the five pairs neither search's choice
is better than the median random cell. That was so when the search's own numbers chose. Then a second look was added:
the three best cells of each search are trained for longer, and validation chooses among them. The right half of the
table is with it, and it did not help. A search has to pay for a training that ranks cells as the long one does.

    python recipes/architectures/architecture_search.py  # half a minute
"""

import os
from dataclasses import replace
from pathlib import Path
from statistics import mean

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from pellucid.data.load import load
from pellucid.models.classify.genotype import parse
from pellucid.plots.curves import curves
from pellucid.training.architecture_search.journal import Journal
from pellucid.training.architecture_search.study import Study

JOURNAL = Path(__file__).resolve().parents[2] / "docs" / "architectures" / "measured" / "architecture_search.jsonl"
AGAIN = 3  # evaluations that are made again, to see that the journal is true


def again(study: Study, journal: Journal, number: int = AGAIN) -> float:
    """The largest difference between the journal and so many of its short evaluations, made anew."""
    lines = [line for line in journal.lines if line["role"] == "val"]
    differences = []
    for line in lines[:: -(-len(lines) // number)]:
        accuracy = journal.again(parse(line["cell"]), study.short, line["seed"])
        differences.append(abs(accuracy - line["accuracy"]))
    return max(differences)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """What each search chose, on test pictures; and the best cell so far, means over the seeds."""
    torch.set_num_threads(1)
    study, journal = Study(), Journal(JOURNAL, load("fashion-mnist-mini"))
    searches = [study.searches(journal, seed) for seed in study.seeds]
    alone = replace(study, second_look=0)
    short = [alone.tested(journal, seed, study.short) for seed in study.seeds]
    long = [study.tested(journal, seed) for seed in study.seeds]
    values = np.array([[list(part.values()) for part in pair] for pair in zip(short, long, strict=True)])
    over = (values - values[:, :, :1]).reshape(-1, 6)  # over the median random cell
    values = values.reshape(-1, 6)  # (seeds, trainings * cells)
    error = over.std(0, ddof=1) / len(over) ** 0.5
    rows = [[f"seed {seed}", *(f"{100 * x:.1f}" for x in row)] for seed, row in zip(study.seeds, values, strict=True)]
    rows.append(["mean", *(f"{100 * x:.1f}" for x in values.mean(0))])
    rows.append(
        ["over the median", *(f"{100 * m:+.1f} ± {100 * e:.1f}" for m, e in zip(over.mean(0), error, strict=True))]
    )
    rows.append(["seeds above it", *(f"{n} of {len(over)}" for n in (over > 0).sum(0))])
    for row in rows[-2:]:
        row[1] = row[4] = ""  # the median against itself
    rows.append([f"{AGAIN} lines made again", f"{100 * again(study, journal):.1f} off at most", *[""] * 5])
    steps = range(1, study.budget + 1)
    lines = {
        name: (steps, [100 * mean(x) for x in zip(*(found[name].best_so_far for found in searches), strict=True)])
        for name in searches[0]
    }
    middle = 100 * mean(found["random search"].median.accuracy for found in searches)
    lines["median random cell"] = (steps, [middle] * study.budget)
    title = f"The best cell so far, mean of {len(searches)} searches"
    picture = curves(lines, title, "cells evaluated", "validation accuracy, %")
    header = [f"{name}, {training}" for training in ("short", "long") for name in short[0]]
    return ["test accuracy, %", *header], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(30) for cell in row))
