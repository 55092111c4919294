"""A trained residual network hardly misses most of its blocks, a plain one cannot do without any.

Veit et al. 2016 took a block out of a trained network, and put nothing in its place. In a plain network every layer
waits for what the one before it makes. Whichever block is gone, the rest can do little better than guess, which among
ten classes errs on 90 % of the pictures. In a residual network all other ways from the picture to the answer remain,
and the more blocks it has, the more they are: most of the 27 blocks of 56 layers cost less than two points each, while
half of the nine blocks of 20 layers still cost 16 or more. It answers like many networks of different depths together.

Not every block is alike. The first one, which makes what all others work on, is missed most, and those that change the
shape of the maps are missed more than their neighbours. These a plain network cannot do without at all, as nothing
fits; they are left out of its row.

The networks are those of the page on degradation, where the plain one of 56 layers learned too little to be asked.
Test error, means over three seeds.

    python recipes/architectures/leave_a_block_out.py
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.plots.curves import curves

KEPT = Path(__file__).resolve().parents[2] / "docs" / "architectures" / "measured" / "depth.json"
NETWORKS = {"plain20": "plain, 20 layers", "resnet20": "residual, 20", "resnet56": "residual, 56"}


def runs(name: str) -> list[dict[str, Any]]:
    """What is kept of a network's runs, by seed."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    return [kept[key] for key in sorted(kept) if key.rpartition("-")[0] == name]


def errors(name: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Test error of the whole network (seeds,), and without each block (seeds,), by the block's name."""
    of_name = runs(name)
    blocks = of_name[0]["left_out"]
    whole = np.array([run["test_error"] for run in of_name])
    return whole, {block: np.array([run["left_out"][block] for run in of_name]) for block in blocks}


def place(block: str, n: int) -> float:
    """Where a block lies between picture and answer, from 0 to 1, of three stages of n: `layer2.0` of 3 is 3 / 8."""
    stage, number = block.removeprefix("layer").split(".")
    return ((int(stage) - 1) * n + int(number)) / (3 * n - 1)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Test error of the whole network and without one block: the mildest, the median, and the worst case."""
    rows, lines = [], {}
    for name, spoken in NETWORKS.items():
        n = (int(name[-2:]) - 2) // 6
        whole, without = errors(name)
        means = np.array([found.mean() for found in without.values()])
        kept_shape = np.array([found.mean() for block, found in without.items() if not block.endswith(".0")])
        rows.append(
            [
                spoken,
                f"{len(means)} of {3 * n}",
                f"{whole.mean():.1%}",
                *(f"{value:.1%}" for value in (means.min(), np.median(means), means.max(), kept_shape.max())),
            ]
        )
        lines[spoken] = ([place(block, n) for block in without], 100 * (means - whole.mean()))
    title = "Points of test error that leaving out a block adds"
    picture = curves(lines, title, "place of the block, from the picture (0) to the answer (1)", "points")
    header = ["network", "blocks left out", "whole", "mildest", "median", "worst", "worst inside a stage"]
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
