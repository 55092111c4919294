"""Which penalty prefers spread weights?

The notes' example: x = (1, 1, 1, 1), and w = (1, 0, 0, 0) gives the same score as (¼, ¼, ¼, ¼). Squares punish a large
weight more than several small ones, so L2 prefers the spread: 1 against 0.25. L1 adds up sizes, and both have 1: it
does not prefer the first, it does not care. The elastic net is their sum, and its square part decides for the spread:
1.5 against 1.125.

In training it shows. From (1, 0, 0, 0), with the score held near 1 by the data, L2 and the elastic net spread the
weight over the four equal inputs; L1 leaves it where it was. L1 does make zeros, but among inputs that are not equal.

    python recipes/questions/which_norm_prefers_spread_weights.py
"""

from collections.abc import Callable

import numpy as np

from pellucid.plots.bars import bars
from pellucid.scratch.losses.penalties import elastic_net_penalty, l1_penalty, l2_penalty

X = np.ones(4)
ALONE, SPREAD = np.array([1.0, 0.0, 0.0, 0.0]), np.full(4, 0.25)
PENALTIES: dict[str, Callable[[np.ndarray, float], tuple[float, np.ndarray]]] = {
    "L2": l2_penalty,
    "L1": l1_penalty,
    "elastic net": elastic_net_penalty,
}
REG, RATE = 0.05, 0.05


def trained(name: str, steps: int = 4000) -> np.ndarray:
    """The weights after training (w·x - 1)² + penalty from (1, 0, 0, 0).

    What is smooth takes gradient steps; the |w| in L1 and in the elastic net then moves each weight towards 0 and stops
    there, the step that fits its kink.
    """
    w, corner = ALONE.copy(), 0.0 if name == "L2" else REG * RATE
    for _ in range(steps):
        slope = 2 * (w @ X - 1) * X
        if name != "L1":
            slope += l2_penalty(w, REG if name == "L2" else REG / 2)[1]
        w = w - RATE * slope
        w = np.sign(w) * np.maximum(np.abs(w) - corner, 0)
    return w


def experiment() -> tuple[list[str], list[list[str]], str]:
    """The penalties of both, and where training ends."""
    rows, ends = [], {}
    for name, penalty in PENALTIES.items():
        ends[name] = trained(name)
        costs = [f"{penalty(w, 1.0)[0]:.3f}" for w in (ALONE, SPREAD)]
        rows.append([name, *costs, ", ".join(f"{value:.3f}" for value in ends[name])])
    picture = bars(ends, [f"weight {k}" for k in (1, 2, 3, 4)], "Weights after training from (1, 0, 0, 0)")
    return ["penalty", "of (1, 0, 0, 0)", "of (¼, ¼, ¼, ¼)", "after training"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(14) for cell in row))
