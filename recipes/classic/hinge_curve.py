"""When is a loss content with a score?

Let one sample's wrong class have the score 0, and let the score of its right class rise. The SVM loss falls by exactly
1 for each 1, until the margin of 1 is kept; from there on it is exactly 0, and so is its slope: the sample has nothing
to say any more. The softmax loss has no such place: its slope is the probability that is still missing, soon tiny, but
never 0.

Far on the wrong side both fall with slope -1. So the two losses punish gross mistakes alike, and differ in what they do
about samples that are right: one leaves them alone, the other goes on for ever.

    python recipes/classic/hinge_curve.py
"""

import numpy as np

from pellucid.plots.classic.hinge import hinge, hinge_losses

SCORES = (-6.0, -3.0, -1.0, 0.0, 0.9, 1.0, 1.1, 3.0, 6.0)
STEP = 1e-4


def slopes(scores: np.ndarray) -> dict[str, np.ndarray]:
    """Slope of each loss on the way to the next 0.0001, measured."""
    here, there = hinge_losses(scores), hinge_losses(scores + STEP)
    return {name: (there[name] - here[name]) / STEP for name in here}


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Losses and slopes for scores of the right class from far too low to more than enough."""
    losses, steep = hinge_losses(np.array(SCORES)), slopes(np.array(SCORES))
    columns = [SCORES, losses["SVM"], steep["SVM"], losses["softmax"], steep["softmax"]]
    rows = [
        [f"{score:g}", *(f"{value + 0.0:.4f}" for value in values)] for score, *values in zip(*columns, strict=True)
    ]
    return ["score", "SVM", "its slope", "softmax", "its slope"], rows, hinge()


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(10) for cell in row))
