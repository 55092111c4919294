"""What is a numerical gradient, and how small should its step be?

Move one weight by a little h, see how much the loss moves, divide: a finite difference (not a finite element). One
step to the right errs by h/2 · f'', a step to each side by h²/6 · f''' only, because the terms in f'' cancel: for w²
at 1 and h = 0.001 that is 2.001 against 2.000. A smaller h does not help for ever. f itself is known to 16 digits, and
the difference of two nearly equal numbers keeps few of them, an error of about 1e-16 / h. The sum of both errors is a
U: its bottom lies near h = 1e-7 for one side, near 1e-5 for two, and two sides get three digits further down.

It costs two losses for every weight, so it checks a gradient and never replaces one.

    python recipes/questions/numerical_gradient.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.checks.numerical import eval_numerical_gradient

STEPS = 10.0 ** -np.arange(1, 14)


def loss(w: np.ndarray) -> float:
    """Some smooth function of ten weights."""
    return float(np.sum(np.exp(w) * np.sin(w)))


def errors(centred: bool) -> np.ndarray:
    """Root of the mean squared error of the gradient, for each step."""
    w = np.linspace(0.2, 1.5, 10)
    exact = np.exp(w) * (np.sin(w) + np.cos(w))
    return np.array(
        [np.sqrt(np.mean((eval_numerical_gradient(loss, w, h=h, centred=centred) - exact) ** 2)) for h in STEPS]
    )


def experiment() -> tuple[list[str], list[list[str]], str]:
    """The errors of both against the step."""
    one, two = errors(centred=False), errors(centred=True)
    rows = [[f"{h:.0e}", f"{a:.1e}", f"{b:.1e}"] for h, a, b in zip(STEPS, one, two, strict=True)]
    x = np.log10(STEPS)
    lines = {"to one side": (x, one), "to both sides": (x, two)}
    picture = curves(lines, "Error of a numerical gradient", "log10 of the step h", "error", log_y=True)
    return ["step h", "one side", "both sides"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(14) for cell in row))
