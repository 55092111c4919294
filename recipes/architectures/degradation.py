"""A deeper plain network learns worse even what it trains on; with shortcuts it does not.

A network of 56 layers could do all that one of 20 does: have the same layers, and let the others pass on what they get.
Gradient descent does not find that. After the same training the deeper plain network errs on far more of the pictures
it was trained on than the shallower one. It is not over-fitting, which would show in test pictures alone. Nor is it a
gradient that vanishes: every convolution is followed by batch norm.

With shortcuts a block has to learn only what it adds to what it gets, and to do nothing it needs weights of zero. The
order turns: 56 layers fit the training pictures better than 20. On test pictures the two err alike, as 4,000 are few to
learn from. Twins start from the same weights and have as many parameters, as the shortcuts have none. What differs is
the sum.

Measured on 4,000 pictures of clothes, 14 x 14 pixels, with the networks of He et al. 2015, section 4.2, a quarter as
wide, so that 20 layers cannot learn all the pictures by heart; 12 epochs in batches of 32. `make depth-runs` trained
them, in nine CPU minutes; the script shows what it kept. Means over three seeds, with the least and the largest.

    python recipes/architectures/degradation.py
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.plots.curves import curves

KEPT = Path(__file__).resolve().parents[2] / "docs" / "architectures" / "measured" / "depth.json"
NETWORKS = {
    "plain20": "plain, 20 layers",
    "plain56": "plain, 56",
    "resnet20": "residual, 20",
    "resnet56": "residual, 56",
}


def runs(name: str) -> list[dict[str, Any]]:
    """What is kept of a network's runs, by seed."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    return [kept[key] for key in sorted(kept) if key.rpartition("-")[0] == name]


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Errors after the last epoch, mean and range over the seeds; the mean training error of every epoch drawn."""
    rows, lines = [], {}
    for name, spoken in NETWORKS.items():
        of_name = runs(name)
        train = np.array([run["train_error"] for run in of_name])  # (seeds, epochs + 1)
        test = np.array([run["test_error"] for run in of_name])
        seconds = np.mean([run["cpu_seconds"] for run in of_name])
        rows.append([spoken, _mean_and_range(train[:, -1]), _mean_and_range(test), f"{seconds:.0f} s"])
        lines[spoken] = (range(train.shape[1]), 100 * train.mean(axis=0))
    picture = curves(lines, "Error on the pictures trained on", "epoch", "per cent, evaluation mode", log_y=True)
    return ["network", "training error", "test error", "CPU time"], rows, picture


def _mean_and_range(errors: np.ndarray) -> str:
    return f"{errors.mean():.1%} ({errors.min():.1%} to {errors.max():.1%})"


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(24) for cell in row))
