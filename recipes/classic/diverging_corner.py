"""Which corner of a grid of learning rates and penalties must diverge?

The one where η λ is 1 or more. A step of SGD with the penalty λ Σ W² multiplies the weights by 1 - 2 η λ before the
data are even looked at. Between -1 and 1 that is decay; beyond -1 the weights overshoot zero by more than they were
away from it, and every step makes them larger, whatever the data say. In a grid from an exercise, with η up to 5e-5
and λ up to 1e5, the factor is -9 in one corner and -4 beside it.

Such pairs are no bad luck and need no trying; a search should report them as diverged, not crash on NaN, and not let
them win. Strengths of 1e4 and more make sense only for sums over raw pixels in 0..255, whose gradients are as large.
The table trains a linear SVM for 30 steps with each pair; the factor of the weights alone foretells the outcome.

    python recipes/classic/diverging_corner.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.losses.svm import svm_loss_vectorized

RATES, STRENGTHS, STEPS = (1e-7, 5e-5), (1e4, 5e4, 1e5), 30


def decay_factor(rate: float, strength: float) -> float:
    """What the penalty alone makes of the weights in one step."""
    return 1 - 2 * rate * strength


def train(rate: float, strength: float) -> np.ndarray:
    """Length of the weights (steps + 1,), for 200 made-up pictures of 192 bytes and ten classes."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (200, 192)) - 128.0, np.arange(200) % 10
    W = 1e-3 * rng.standard_normal((192, 10))
    lengths = [np.linalg.norm(W)]
    for _ in range(STEPS):
        W = W - rate * svm_loss_vectorized(W, X, y, strength)[1]
        lengths.append(np.linalg.norm(W))
    return np.array(lengths)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """The factor of each pair, the growth of the weights that was measured, and how it ends."""
    rows, lines = [], {}
    for rate in RATES:
        for strength in STRENGTHS:
            factor, lengths = decay_factor(rate, strength), train(rate, strength)
            growth = lengths[-1] / lengths[-2]
            outcome = "diverges" if lengths[-1] > 1e6 * lengths[0] else "settles"
            rows.append([f"{rate:g}", f"{strength:g}", f"{factor:g}", f"{growth:.3f}", outcome])
            if strength != 5e4:
                lines[f"η = {rate:g}, λ = {strength:g}"] = (np.arange(STEPS + 1), lengths)
    picture = curves(lines, "Length of the weights", "step", "‖W‖", log_y=True)
    return ["η", "λ", "1 - 2 η λ", "last step's growth", "outcome"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
