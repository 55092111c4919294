"""How can a penalty make training easier?

λ Σ w² bends the loss by 2 λ in every direction, the same everywhere. Where the data bend it little or not at all, that
is most of the curvature there is. A softmax classifier always has such directions: a number added to the weights of
all classes changes no probability. Without a penalty its smallest singular value is 0 and the condition number
infinite; with one, it is (largest + 2 λ) / (2 λ), and the smaller it is, the fewer steps gradient descent needs.
(Without a penalty it needs many, but not infinitely many: along a perfectly flat direction the gradient is 0 as well,
and there is no way to go. It is the nearly flat ones that take their time.)

So the same term that prefers simple weights (of two explanations the simpler one, Occam's razor) also rounds the
valley. It changes the minimum too: this is a faster way to a slightly different place.

    python recipes/questions/penalty_and_curvature.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.checks.hessian import condition_number
from pellucid.scratch.checks.softmax_curvature import softmax_hessian
from pellucid.scratch.losses.softmax import softmax_loss_vectorized

PENALTIES = (0.0, 0.001, 0.01, 0.1)
LIMIT = 5000


def data() -> tuple[np.ndarray, np.ndarray]:
    """60 samples of three classes with inputs of different sizes."""
    y = np.arange(60) % 3
    X = np.random.default_rng(0).standard_normal((60, 4)) + np.eye(3, 4)[y]
    return X * np.array([1.0, 0.5, 0.3, 1.0]), y


def descent(reg: float) -> tuple[list[float], np.ndarray]:
    """Gradient's length before each step, until it is below a ten-thousandth of the first, and the Hessian there."""
    X, y = data()
    W, lengths = np.zeros((4, 3)), []
    rate = 1 / np.linalg.norm(softmax_hessian(W, X, reg), 2)
    while True:
        gradient = softmax_loss_vectorized(W, X, y, reg)[1]
        lengths.append(float(np.linalg.norm(gradient)))
        if lengths[-1] < 1e-4 * lengths[0] or len(lengths) > LIMIT:
            return lengths, softmax_hessian(W, X, reg)
        W -= rate * gradient


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Curvatures, condition numbers and steps for stronger and stronger penalties."""
    rows, lines = [], {}
    for reg in PENALTIES:
        lengths, hessian = descent(reg)
        values = np.abs(np.linalg.eigvalsh(hessian))
        kappa = condition_number(hessian)
        shown = f"{kappa:.1f}" if kappa < 1e9 else "infinite"
        rows.append([f"{reg:g}", f"{values.max():.4f}", f"{values.min():.4f}", shown, str(len(lengths) - 1)])
        lines[f"λ = {reg:g}"] = (np.arange(len(lengths)), np.array(lengths) / lengths[0])
    lines = {name: (steps[:301], values[:301]) for name, (steps, values) in lines.items()}
    picture = curves(lines, "A penalty makes for fewer steps", "step", "gradient / first gradient", log_y=True)
    return ["λ", "largest singular value", "smallest", "condition number", "steps"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(16) for cell in row))
