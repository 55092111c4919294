"""Where does L1 make weights exactly zero?

Where an input explains less than its weight costs. L1 pulls at each weight with the same force λ, however small it is
already. If the data pull back by less, the weight goes to 0 and stays. L2's pull 2 λ w fades with the weight, so it
makes weights small and never zero.

The table fits 30 inputs of which only five matter. L1 drops many of the others or nearly all, as λ says, and keeps the
five; L2 keeps all thirty, and to quiet the 25 it has to shrink the five as well. One warning: plain gradient steps
with λ sign(w) hop over 0 and back, so their weights are small but not 0. Zeros come from a step that knows the kink:
shrink by η λ, and stop at 0 (soft threshold).

    python recipes/questions/l1_zeros.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.losses.l2 import l2_loss
from pellucid.scratch.losses.penalties import l1_penalty, l2_penalty

INPUTS, MATTER, RATE, STEPS = 30, 5, 0.05, 1500


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """40 samples to train with and 1000 to test with, targets with noise; the first five inputs matter."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1040, INPUTS))
    y = X[:, :MATTER] @ np.array([2.0, -1.5, 1.0, -1.0, 0.8]) + 0.5 * rng.standard_normal(1040)
    return X[:40], y[:40], X[40:], y[40:]


def fit(penalty: str, reg: float) -> np.ndarray:
    """Weights after training with "L2", "L1" (soft threshold) or "L1, plain steps"."""
    X, y, _, _ = data()
    w = np.zeros(INPUTS)
    for _ in range(STEPS):
        slope = X.T @ l2_loss(X @ w, y)[1]
        if penalty == "L2":
            slope += l2_penalty(w, reg)[1]
        elif penalty == "L1, plain steps":
            slope += l1_penalty(w, reg)[1]
        w = w - RATE * slope
        if penalty == "L1":
            w = np.sign(w) * np.maximum(np.abs(w) - RATE * reg, 0)
    return w


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Zeros, weights of the inputs that do not matter, and errors."""
    _, _, X, y = data()
    rows, lines = [], {}
    for penalty, reg in (("none", 0.0), ("L2", 0.1), ("L2", 1.0), ("L1", 0.1), ("L1", 0.5), ("L1, plain steps", 0.5)):
        w = fit(penalty, reg)
        zeros, kept = int(np.sum(w == 0)), int(np.sum(w[:MATTER] != 0))
        error, rest = l2_loss(X @ w, y)[0], np.abs(w[MATTER:]).mean()
        rows.append([penalty, f"{reg:g}", str(zeros), str(kept), f"{rest:.4f}", f"{error:.3f}"])
        if (penalty, reg) in (("none", 0.0), ("L2", 1.0), ("L1", 0.5)):
            lines[f"{penalty}, λ = {reg:g}" if reg else penalty] = (np.arange(1, INPUTS + 1), np.sort(np.abs(w))[::-1])
    picture = curves(lines, "Sizes of 30 weights, five of which matter", "rank", "|w|")
    return ["penalty", "λ", "exact zeros", "kept of the five", "mean size of the rest", "test error"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
