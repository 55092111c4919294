"""Is the loss less sensitive to small changes of the weights when the data is normalised?

Yes. A linear classifier on pixels is the same function as one on centred pixels, if the bias makes up for the mean:
W x + b = W (x - mean) + (b + W mean). So both have the same loss. Now the weights move a little, by the same random
steps. A step d changes a score by d·x; on centred data only what makes a picture differ from the mean enters, on plain
pixels the mean as well, and the mean is the larger part.

The rise of the loss grows with the mean square of the inputs: what it is against that of the centred ones is the ratio
one should see, nearly. The same mean makes one direction of the weights much steeper than all others (the largest
eigenvalue of the inputs' second moments, beside their trace), and the steepest one limits the learning rate. Inputs of
1 to 2 in place of 0 to 1 carry no other information, and are far worse.

    python recipes/classic/normalised_data_is_less_sensitive.py
"""

from functools import cache

import numpy as np

from pellucid.classic.preprocessing.centre import Centre
from pellucid.data.assets import fashion_mini
from pellucid.plots.curves import curves
from pellucid.scratch.losses.softmax import softmax_loss

N, CLASSES, TRIALS = 1000, 10, 25
SIZES = np.array([0.002, 0.005, 0.01, 0.02, 0.05])  # standard deviation of each weight's step
SHOWN = 1  # which of them the table has
OFFSETS = {"pixels from 1 to 2": 1.0, "pixels from 0 to 1": 0.0, "centred": None}


@cache
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Fashion pictures (N, 784) in 0..1, and their classes."""
    images, labels = fashion_mini.read()["train"]
    return images[:N].reshape(N, -1) / 255, labels[:N]


def inputs(offset: float | None) -> np.ndarray:
    """The pictures shifted by `offset`; None subtracts the mean picture."""
    X = pictures()[0]
    return Centre().fit_transform(X) if offset is None else X + offset


def trained(X: np.ndarray, y: np.ndarray, steps: int = 150, rate: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    """Weights (784, 10) and bias of a softmax classifier, by gradient descent on centred inputs."""
    W, b = np.zeros((X.shape[1], CLASSES)), np.zeros(CLASSES)
    for _ in range(steps):
        slope = softmax_loss(X @ W + b, y)[1]
        W, b = W - rate * X.T @ slope, b - rate * slope.sum(axis=0)
    return W, b


def rises(X: np.ndarray, y: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How much the loss rises for each of SIZES, on average over random steps; the steps are the same for all X."""
    rng, scores = np.random.default_rng(0), X @ W + b
    before, total = softmax_loss(scores, y)[0], np.zeros(len(SIZES))
    for _ in range(TRIALS):
        moved = X @ rng.standard_normal(W.shape)
        for n, size in enumerate(SIZES):  # a step and its opposite: what is left is the curvature, not the slope
            total[n] += softmax_loss(scores + size * moved, y)[0] + softmax_loss(scores - size * moved, y)[0]
    return total / (2 * TRIALS) - before


def experiment() -> tuple[list[str], list[list[str]], str]:
    """One classifier on three forms of the same pictures."""
    y = pictures()[1]
    centred, plain = inputs(None), inputs(0.0)
    W, b = trained(centred, y)
    mean, rows, lines = plain.mean(axis=0), [], {}
    base, spread = rises(centred, y, W, b)[SHOWN], (centred**2).sum(axis=1).mean()
    for name, offset in OFFSETS.items():
        X = inputs(offset)
        bias = b if offset is None else b - (mean + offset) @ W
        size, steepest = (X**2).sum(axis=1).mean(), np.linalg.eigvalsh(X.T @ X / N)[-1]
        loss, more = softmax_loss(X @ W + bias, y)[0], rises(X, y, W, bias)
        cells = [f"{loss:.4f}", f"{more[SHOWN]:.5f}", f"{more[SHOWN] / base:.2f}", f"{size / spread:.2f}"]
        rows.append([name, *cells, f"{steepest:.0f}", f"{steepest / size:.2f}"])
        lines[name] = (np.log10(SIZES), more)
    picture = curves(lines, "Rise of the loss", "log10 of the weights' steps", "rise", log_y=True)
    header = ["inputs", "loss", "rise", "rise / centred", "x² / centred", "steepest", "steepest / trace"]
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
