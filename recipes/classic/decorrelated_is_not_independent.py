"""Are decorrelated features independent?

No, only uncorrelated: no straight line predicts one from another. A curve may predict it perfectly. Take x around 0
and x²: their covariance is 0, and yet x determines x². PCA turns the axes until all covariances are 0, whitening makes
all variances 1 besides, and neither sees more than that. For data that are Gaussian together the two are the same; in
general they are not.

Two measures of what a line cannot see: the share of a feature's variance that the other one explains, whatever the
curve, and the information in bits that one gives about the other. Both find a little even where there is nothing, as
samples are finite, so they are measured once more after one feature was shuffled. The first two whitened components of
fashion pictures have a correlation of 0, and yet each tells about the other: 0.4 bits, many times what is left when
one of them is shuffled.

    python recipes/classic/decorrelated_is_not_independent.py
"""

import numpy as np

from pellucid.classic.preprocessing.decorrelate import Decorrelate
from pellucid.classic.preprocessing.whiten import Whiten
from pellucid.data.assets import fashion_mini
from pellucid.plots.curves import curves

N, BINS = 12000, 16


def pairs() -> dict[str, np.ndarray]:
    """Name -> two features (N, 2), each pair decorrelated."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, N)
    gauss = rng.standard_normal((N, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    pictures = fashion_mini.read()["train"][0][:N, ::2, ::2].reshape(N, -1) / 255
    return {
        "x and x²": Decorrelate().fit_transform(np.stack([x, x**2], axis=1)),
        "correlated Gaussians": Decorrelate().fit_transform(gauss),
        "fashion, components 1 and 2": Whiten("pca", eps=1e-6).fit_transform(pictures)[:, :2],
    }


def binned(values: np.ndarray) -> np.ndarray:
    """Which of BINS equally full bins each value lies in."""
    return np.argsort(np.argsort(values)) * BINS // len(values)


def explained(x: np.ndarray, y: np.ndarray) -> float:
    """Share of y's variance that x explains by any curve: 1 - E[Var(y | x)] / Var(y), x in bins."""
    bins = binned(x)
    left = sum(np.sum(bins == each) * y[bins == each].var() for each in range(BINS)) / len(y)
    return float(1 - left / y.var())


def information(x: np.ndarray, y: np.ndarray) -> float:
    """Bits that one feature gives about the other: Σ p(x, y) log2 p(x, y) / (p(x) p(y)), both in bins."""
    joint = np.bincount(binned(x) * BINS + binned(y), minlength=BINS**2).reshape(BINS, BINS) / len(x)
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    some = joint > 0
    return float((joint[some] * np.log2(joint[some] / product[some])).sum())


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Correlation and dependence of three pairs without covariance."""
    rows, lines = [], {}
    for name, pair in pairs().items():
        x, y = pair[:, 0], pair[:, 1]
        shuffled = np.random.default_rng(1).permutation(y)
        correlation = abs(float(np.corrcoef(x, y)[0, 1]))
        numbers = [explained(x, y), explained(x, shuffled), information(x, y), information(x, shuffled)]
        rows.append([name, f"{correlation:.1e}", *(f"{number:.3f}" for number in numbers)])
        middle, size = x / x.std(), y / y.std()
        bins = binned(x)
        lines[name] = tuple([values[bins == each].mean() for each in range(BINS)] for values in (middle, size))
    picture = curves(lines, "Mean of the second feature, given the first", "first feature", "mean of the second")
    header = ["features", "correlation", "explained", "shuffled", "bits", "shuffled"]
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(27) for cell in row))
