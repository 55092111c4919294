"""Why would one square the hinge loss, or not?

A loss says how bad which mistake is. The hinge counts every violated margin by its size and pulls at each with the
same force: one of 5 costs as much as five of 1. Squared, the force grows with the violation: one of 5 costs as much as
twenty-five of 1, and violations below a half hardly count. So the squared hinge cares for the worst mistakes first,
and the plain one treats all alike.

Which is better depends on what a bad mistake is. If it is a hard sample, the square repairs it sooner. If it is a
wrong label, the square bends everything for it: in the table one sample of ten violates its margin by more than the
others, and gets the greater part of the whole pull.

    python recipes/questions/why_square_or_not.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.losses.squared_hinge import squared_hinge_loss
from pellucid.scratch.losses.svm import svm_loss

VIOLATIONS = (0.1, 0.5, 1.0, 2.0, 5.0)
OTHERS = 0.5  # what the nine other samples violate their margins by


def scores(violations: np.ndarray) -> np.ndarray:
    """(N, 2) scores of two classes; class 0 is right, and its margin of 1 is violated by so much."""
    return np.stack([1 - violations, np.zeros_like(violations)], axis=1)


def pulls(loss: object, violations: np.ndarray) -> tuple[float, np.ndarray]:
    """The loss summed over samples, and how strongly each of their right scores is pulled up."""
    labels = np.zeros(len(violations), dtype=int)
    mean, dx = loss(scores(violations), labels)
    return mean * len(violations), -dx[:, 0] * len(violations)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Loss and pull of one violation, and its share of the pull among nine of 0.5."""
    rows = []
    for violation in VIOLATIONS:
        cells = [f"{violation:g}"]
        for loss in (svm_loss, squared_hinge_loss):
            value, pull = pulls(loss, np.array([violation]))
            together = pulls(loss, np.array([violation, *[OTHERS] * 9]))[1]
            cells += [f"{value:.2f}", f"{pull[0]:.2f}", f"{together[0] / together.sum():.3f}"]
        rows.append(cells)
    margins = np.linspace(-2, 2, 81)
    lines = {
        name: (margins, [pulls(loss, np.array([1 - margin]))[0] for margin in margins])
        for name, loss in (("hinge", svm_loss), ("squared hinge", squared_hinge_loss))
    }
    picture = curves(lines, "One sample of two classes, margin 1", "right score less wrong score", "loss")
    header = ["violation", "hinge", "pull", "share of ten", "squared", "pull", "share of ten"]
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(16) for cell in row))
