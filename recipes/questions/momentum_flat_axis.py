"""Why does momentum help along the flat axis and calm the steep one?

The velocity is a sum of past gradients, each step back counting ρ times as much. Along the flat axis all gradients
point the same way, and the sum grows to 1 / (1 - ρ): 10 times a plain step at 0.9, 100 times at 0.99. Across, where
every step lands on the opposite slope, the gradients change their sign and cancel: 1 / (1 + ρ), about half.

In a valley 100 times steeper across than along, plain SGD gets the best learning rate it can have. Momentum 0.9 with
the same one arrives in less than half the steps. More is not better: at 0.99 the speed outlives the slope that made
it, shoots past the minimum nearly as far as it started, and comes back many times. Nor is momentum always calmer: on a
slope where SGD's steps shrink quickly by themselves, it only adds swinging.

    python recipes/questions/momentum_flat_axis.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.optimisers.momentum import sgd_momentum

BENDS = np.array([1.0, 100.0])  # along, across
RATE = 2 / BENDS.sum()  # best for plain SGD
MOMENTA = (0.0, 0.5, 0.9, 0.99)


def speeds(momentum: float, flipping: bool, steps: int = 2000) -> np.ndarray:
    """The steps (in plain steps) under a gradient of size 1 that always points the same way, or flips each time."""
    w, config, found = np.zeros(1), {"learning_rate": 1.0, "momentum": momentum}, []
    for step in range(steps):
        new, config = sgd_momentum(w, np.array([(-1.0) ** (step + 1) if flipping else -1.0]), config)
        found.append((new - w)[0])
        w = new
    return np.array(found)


def trace(momentum: float, steps: int = 3000) -> np.ndarray:
    """Points (steps + 1, 2) in the valley, from (1, 1); the minimum is at (0, 0)."""
    w, config = np.ones(2), {"learning_rate": RATE, "momentum": momentum}
    points = [w]
    for _ in range(steps):
        w, config = sgd_momentum(w, BENDS * w, config)
        points.append(w)
    return np.array(points)


def arrival(points: np.ndarray) -> int:
    """The first step from which on the point stays within a hundredth of the minimum."""
    return int(np.flatnonzero(np.abs(points).max(axis=1) > 0.01)[-1]) + 1


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Speeds under two kinds of gradients, and what happens in the valley."""
    rows = []
    for momentum in MOMENTA:
        points = trace(momentum)
        past = max(0.0, -float(points[:, 0].min()))
        reached = [f"{abs(speeds(momentum, flipping)[-1]):.3f}" for flipping in (False, True)]
        rows.append([f"{momentum:g}", *reached, str(arrival(points)), f"{past:.2f}"])
    lines = {
        f"{way}, {name}": (np.arange(1, 41), speeds(momentum, flipping, 40))
        for way, flipping in (("along", False), ("across", True))
        for name, momentum in (("SGD", 0.0), ("ρ = 0.9", 0.9))
    }
    picture = curves(lines, "Along, steps add up; across, they cancel", "step", "in plain steps")
    header = ["momentum ρ", "speed, same sign", "speed, flipping", "steps to arrive", "overshoot along"]
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
