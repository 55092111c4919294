"""What is the error of a model made of?

Of three parts. A curve is fitted again and again to 30 points of a sine with noise, other points each time. What the
fits have in common and is wrong is the bias: no straight line is a sine. How much they differ from one another is the
variance: a polynomial of degree 15 follows the noise of its 30 points, and other points give another curve. And what no
curve could know is the noise of the points themselves.

The squared bias, the variance and the noise are measured apart and add up to the mean squared error on new points. With
the degree the bias falls and the variance grows; the best degree is where their sum is smallest, not where either is.
The training error says nothing of it: it falls to the end.

    python recipes/craft/bias_and_variance.py
"""

import numpy as np
from numpy.polynomial import legendre

from pellucid.plots.curves import curves

DEGREES, N, SETS, NOISE = (0, 1, 2, 3, 4, 5, 7, 9, 12, 15), 30, 4000, 0.3
NEW = np.linspace(-1, 1, 201)  # where the fits are compared


def truth(x: np.ndarray) -> np.ndarray:
    return np.sin(np.pi * x)


def parts_of_the_error(degree: int, seed: int = 0) -> dict[str, float]:
    """Fit `SETS` training sets, and measure each part from its own definition."""
    rng = np.random.default_rng(seed)
    x = np.linspace(-1, 1, N)
    y = truth(x) + NOISE * rng.standard_normal((SETS, N))  # (sets, N)
    basis = legendre.legvander(x, degree)
    weights = np.linalg.lstsq(basis, y.T, rcond=None)[0]  # (degree + 1, sets)
    fits = (legendre.legvander(NEW, degree) @ weights).T  # (sets, places)
    new = truth(NEW) + NOISE * rng.standard_normal(fits.shape)
    return {
        "bias²": float(np.mean((fits.mean(axis=0) - truth(NEW)) ** 2)),
        "variance": float(np.mean(fits.var(axis=0))),
        "noise": NOISE**2,
        "error on new points": float(np.mean((new - fits) ** 2)),
        "training error": float(np.mean((y - (basis @ weights).T) ** 2)),
    }


def experiment() -> tuple[list[str], list[list[str]], str]:
    """The parts for each degree, and how far their sum is from the error."""
    found = {degree: parts_of_the_error(degree) for degree in DEGREES}
    rows = []
    for degree, parts in found.items():
        bias, variance, noise, error, training = parts.values()
        total = bias + variance + noise
        numbers = [f"{number:.4f}" for number in (bias, variance, noise, total, error, training)]
        rows.append([str(degree), *numbers, f"{total / error - 1:+.1%}"])
    names = ("bias²", "variance", "error on new points", "training error")
    lines = {name: (DEGREES, [found[degree][name] for degree in DEGREES]) for name in names}
    picture = curves(lines, "Bias falls, variance grows", "degree of the polynomial", "squared error", log_y=True)
    return (
        ["degree", "bias²", "variance", "noise", "sum", "error on new points", "training error", "off"],
        rows,
        picture,
    )


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(19) for cell in row))
