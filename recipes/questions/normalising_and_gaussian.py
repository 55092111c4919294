"""Does normalising make data Gaussian?

No. It subtracts one number and divides by another, so the histogram is moved and stretched, and its shape stays. Mean
and variance become 0 and 1; skewness (is one tail longer?) and kurtosis (how heavy are the tails?) are the same before
and after, to the last digit. A Gaussian has 0 for both; what had not, does not have it afterwards either.

The same holds for batch norm. What it promises is a size, not a shape: inputs of the next layer that are neither tiny
nor huge. Sums of many numbers tend to a Gaussian, and a layer's outputs before the activation are such sums: if they
look Gaussian, that is why.

    python recipes/questions/normalising_and_gaussian.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.normalisation.batch import batchnorm_forward

N = 20000


def samples() -> dict[str, np.ndarray]:
    """Numbers of four shapes, none of them of mean 0 and variance 1."""
    rng = np.random.default_rng(0)
    return {
        "Gaussian": rng.normal(5, 3, N),
        "exponential": rng.exponential(4, N),
        "uniform": rng.uniform(0, 255, N),
        "two humps": np.where(rng.random(N) < 0.5, rng.normal(-3, 1, N), rng.normal(3, 1, N)) + 10,
    }


def normalised(x: np.ndarray) -> np.ndarray:
    """Through batch norm, as the only channel."""
    return batchnorm_forward(x[:, None], np.ones(1), np.zeros(1), {"mode": "train", "eps": 0.0})[0][:, 0]


def moments(x: np.ndarray) -> tuple[float, float, float, float]:
    """Mean, variance, skewness, and kurtosis less the 3 of a Gaussian."""
    away = x - x.mean()
    variance = float(np.mean(away**2))
    return float(x.mean()), variance, float(np.mean(away**3)) / variance**1.5, float(np.mean(away**4)) / variance**2 - 3


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Four moments before and after."""
    rows, lines = [], {}
    edges = np.linspace(-3, 4, 57)
    for name, x in samples().items():
        for when, values in (("before", x), ("after", normalised(x))):
            shown = (round(value, 3) + 0.0 for value in moments(values))
            rows.append([f"{name}, {when}", *(f"{value:.3f}" for value in shown)])
        counts, _ = np.histogram(normalised(x), edges)
        lines[name] = ((edges[:-1] + edges[1:]) / 2, counts / N / (edges[1] - edges[0]))
    picture = curves(lines, "Four shapes, all of mean 0 and variance 1", "value", "density")
    return ["numbers", "mean", "variance", "skewness", "kurtosis - 3"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
