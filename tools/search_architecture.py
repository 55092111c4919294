"""Search for a cell on Fashion-MNIST mini: the journal that docs/architectures/architecture_search.md is made from.

make cell-search          # goes on where it was stopped; some ten minutes of one core for all of it

For each of five seeds: random search and regularised evolution, at equal budget, and the choice of a cell, once by the
short training of the search alone and once after a second look by a longer one. The chosen cells are then compared on
test pictures. The one of the highest validation accuracy over all seeds belongs into `FOUND` of
models/classify/cell_net.py. `make questions` writes the page.
"""

import os
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import torch

from pellucid.data.load import load
from pellucid.ops.memory import freed_memory_kept
from pellucid.training.architecture_search.journal import Journal
from pellucid.training.architecture_search.study import Study

JOURNAL = Path(__file__).resolve().parents[1] / "docs" / "architectures" / "measured" / "architecture_search.jsonl"


def main() -> None:
    torch.set_num_threads(1)
    JOURNAL.parent.mkdir(parents=True, exist_ok=True)
    study, journal = Study(), Journal(JOURNAL, load("fashion-mnist-mini"))
    known = len(journal.lines)
    with freed_memory_kept():
        for seed in study.seeds:
            for name, history in study.searches(journal, seed).items():
                print(f"seed {seed}, {name}: {history.best.accuracy:.1%} {history.best.cell}", flush=True)
        for seed in study.seeds:
            for name, cell in study.chosen(journal, seed).items():
                print(f"seed {seed}, {name} after a second look: {cell}", flush=True)
        finalists = study.finalists(journal)
        for one in finalists:
            print(f"validation, mean of all seeds: {one.accuracy:.2%} {one.cell}", flush=True)
        alone = replace(study, second_look=0)
        for seed in study.seeds:
            for how, found in (
                ("the training of the search", alone.tested(journal, seed, study.short)),
                ("a longer one", alone.tested(journal, seed)),
                ("a longer one after a second look", study.tested(journal, seed)),
            ):
                told = ", ".join(f"{name} {value:.1%}" for name, value in found.items())
                print(f"seed {seed}, test, {how}: {told}", flush=True)
    spent = sum(line["cpu_seconds"] for line in journal.lines)
    print(f"{len(journal.lines)} evaluations, {len(journal.lines) - known} of them new, {spent:.0f} CPU seconds in all")
    print(f'FOUND = "{finalists[0].cell}"')


if __name__ == "__main__":
    main()
