"""What is an unbiased estimate?

One that is right on average: single estimates may be off, but not always to the same side. The variance of n draws is
the usual example. Squared distances from the mean of the same draws come out too small, because that mean lies in
their middle; on average Σ (x - mean)² is (n - 1) σ². Divided by n it is biased, for n = 2 by half; divided by n - 1 it
is unbiased.

Adam's correction is the same idea. Its running mean m starts at 0, and after t steps the gradients in it have weights
that add up to 1 - 0.9ᵗ only: after one step m is a tenth of the gradient. Its running mean of squares lags behind even
more. Divided by what the weights add up to, both are unbiased, and every step under a constant gradient has length η.
Without it the first step is 3.16 times that and later ones more, for no reason that lies in the loss.

    python recipes/questions/unbiased_estimate.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.optimisers.adam import adam, adam_uncorrected
from pellucid.scratch.optimisers.table import Rule

NUMBERS = (1, 2, 3, 5, 10, 30)


def mean_variances(n: int, repeats: int = 20000) -> tuple[float, float]:
    """Mean over many repetitions of the variance of n draws (true value 1), divided by n and by n - 1."""
    x = np.random.default_rng(n).standard_normal((repeats, n))
    by_n = float(x.var(axis=1).mean())
    return by_n, by_n * n / (n - 1) if n > 1 else float("nan")


def adam_steps(rule: Rule, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Lengths of the steps as parts of η under a constant gradient of 1, and m after each."""
    w, config, lengths, means = np.zeros(1), {"learning_rate": 1.0}, [], []
    for _ in range(steps):
        new, config = rule(w, np.ones(1), config)
        lengths.append(abs(new - w)[0])
        means.append(config["m"][0])
        w = new
    return np.array(lengths), np.array(means)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Both biases, with and without their corrections."""
    plain, means = adam_steps(adam_uncorrected, 100)
    corrected, _ = adam_steps(adam, 100)
    rows = []
    for n in NUMBERS:
        by_n, by_less = mean_variances(n)
        cells = [by_n, by_less, means[n - 1], plain[n - 1], corrected[n - 1]]
        rows.append([str(n), *("–" if np.isnan(cell) else f"{cell:.3f}" for cell in cells)])
    steps = np.arange(1, 101)
    lines = {"step / η": (steps, plain), "corrected step / η": (steps, corrected), "m / g": (steps, means)}
    picture = curves(lines, "Adam under a constant gradient", "step")
    return ["n draws or steps", "variance by n", "by n - 1", "Adam's m / g", "its step / η", "corrected"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(16) for cell in row))
