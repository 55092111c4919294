"""What does the bias of a linear classifier do when one class is rare?

It says how frequent each class is. Cats and dogs here are two clouds of points, mirror images of each other, so the
points themselves favour neither. If there are nine cats to a dog, the scores should differ by log 9 at equal evidence,
and since nothing else in the classifier is constant, that is what softmax learns as b_cat - b_dog. The table compares
it with the log ratio in the training data.

Without a bias the boundary stays in the middle and the rare dogs cost as many errors as if they were frequent. And it
can be corrected afterwards: a classifier trained on as many dogs as cats gets the accuracy of one trained on the right
mixture when the log ratio is added to its bias by hand.

    python recipes/classic/bias_as_prior.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.losses.softmax import softmax_loss_vectorized
from pellucid.scratch.optimisers.second_order.lbfgs import lbfgs

SHARES, N = (0.5, 0.7, 0.9, 0.99), 20_000
HALF_WAY = np.array([0.7, 0.5])  # from the middle to the centre of the dogs


def pets(cats: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 2) and their classes, 0 for that share of cats; each class a Gaussian of deviation 1."""
    rng = np.random.default_rng(seed)
    y = (np.arange(N) >= round(cats * N)).astype(int)
    return np.where(y == 1, 1, -1)[:, None] * HALF_WAY + rng.standard_normal((N, 2)), y


def fit(cats: float, bias: bool = True) -> np.ndarray:
    """Weights (3, 2) of the smallest softmax loss; the last row is the bias, or stays 0."""
    X, y = pets(cats, 0)
    inputs = np.hstack([X, np.full((N, 1), float(bias))])
    return lbfgs(lambda W: softmax_loss_vectorized(W, inputs, y, 0.0), np.zeros((3, 2))).x


def accuracy(W: np.ndarray, cats: float) -> float:
    X, y = pets(cats, 1)
    return float(np.mean((X @ W[:2] + W[2]).argmax(axis=1) == y))


def experiment() -> tuple[list[str], list[list[str]], str]:
    """The bias found for each share of cats, and what it is worth on new points of the same mixture."""
    balanced, rows, found, truth = fit(0.5), [], [], []
    for cats in SHARES:
        W, ratio = fit(cats), float(np.log(cats / (1 - cats)))
        corrected = balanced + np.array([[0, 0], [0, 0], [ratio / 2, -ratio / 2]])
        accuracies = [accuracy(model, cats) for model in (W, fit(cats, bias=False), corrected)]
        found.append(W[2, 0] - W[2, 1])
        truth.append(ratio)
        rows.append([f"{cats:.0%}", f"{ratio:.3f}", f"{found[-1]:.3f}", *(f"{share:.1%}" for share in accuracies)])
    x = np.array(SHARES) * 100
    lines = {"log ratio of the classes": (x, truth), "difference of the biases": (x, found)}
    picture = curves(lines, "The bias learns how frequent a class is", "cats in the training data, %", "")
    return ["cats", "log ratio", "b_cat - b_dog", "with bias", "without", "balanced, bias corrected"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
