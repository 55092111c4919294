"""What is a Monte Carlo estimate?

The mean over a few random draws in place of a mean over everything. Throw points into a square: the share that lands
in the quarter circle, times four, estimates π. No formula for the circle's area is needed, only a way to draw. The
estimate is right on average, and its error falls as 1/√n: a hundred times the draws for one more digit, in any number
of dimensions.

A minibatch does just that. Its gradient is a Monte Carlo estimate of the gradient over all samples, and the table
shows the same law: 100 samples instead of 10 make it about three times as exact, for ten times the work. That is why
small batches pay.

    python recipes/questions/monte_carlo.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.losses.softmax import softmax

DRAWS = (10, 100, 1000, 10000)
REPEATS = 300


def estimates_of_pi(n: int, rng: np.random.Generator) -> np.ndarray:
    """One estimate for each repetition, from n points each."""
    points = rng.random((REPEATS, n, 2), dtype=np.float32)
    return 4 * ((points**2).sum(axis=2) < 1).mean(axis=1)


def gradient_errors(n: int, rng: np.random.Generator) -> np.ndarray:
    """How far minibatch gradients of a softmax classifier are from the full one, as parts of its length."""
    X, y = np.random.default_rng(1).standard_normal((2000, 5)), np.arange(2000) % 3
    X[:, 0] += y
    dscores = softmax(np.zeros((2000, 3))) - np.eye(3)[y]
    each = (X[:, :, None] * dscores[:, None, :]).reshape(2000, 15)  # the gradient of every sample
    full = each.mean(axis=0)
    counts = rng.multinomial(n, np.full(2000, 1 / 2000), size=REPEATS)  # how often each sample is drawn
    return np.linalg.norm(counts @ each / n - full, axis=1) / np.linalg.norm(full)


def root_mean_square(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Errors of both against the number of draws."""
    rng = np.random.default_rng(0)
    pi, gradient, theory, rows = [], [], [], []
    for n in DRAWS:
        found = estimates_of_pi(n, rng)
        pi.append(root_mean_square(found - np.pi))
        gradient.append(root_mean_square(gradient_errors(n, rng)))
        theory.append(np.sqrt(np.pi * (4 - np.pi) / n))
        rows.append([str(n), f"{found[0]:.3f}", f"{pi[-1]:.4f}", f"{theory[-1]:.4f}", f"{gradient[-1]:.4f}"])
    x = np.log10(DRAWS)
    lines = {"estimate of π": (x, pi), "minibatch gradient": (x, gradient), "√(π (4 - π) / n)": (x, theory)}
    picture = curves(lines, "Ten times the draws, a third of the error", "log10 of n", "typical error", log_y=True)
    return ["draws n", "one estimate of π", "typical error", "theory", "error of a gradient"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(22) for cell in row))
