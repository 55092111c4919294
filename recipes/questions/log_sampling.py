"""Why draw learning rates by their exponent?

Because a learning rate multiplies. What matters is whether it is ten times larger, not whether it is 0.1 larger. Drawn
evenly between 0.000001 and 1, nine of ten learning rates lie above 0.1, and one in a thousand in the three decades
below 0.001. Drawn as 10 to the power of something even, every decade gets its equal share.

The experiment trains a softmax classifier on inputs of the size of pixels, whose good learning rates lie far below
0.1. Ten tries drawn by the exponent find a better loss than ten drawn evenly. Had the good region been between 0.1 and
1, even draws would have won; but one who does not know the size of a number should not bet on its largest decade.

    python recipes/questions/log_sampling.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.losses.softmax import log_softmax, softmax

LOW, HIGH, TRIES, REPEATS = -6, 0, 10, 200


def losses(rates: np.ndarray) -> np.ndarray:
    """Validation loss (R,) after 60 steps of gradient descent with each of the learning rates (R,), all at once."""
    rng = np.random.default_rng(0)
    y = np.arange(200) % 3
    X = 20 * (rng.standard_normal((200, 6)) + 0.7 * np.eye(3, 6)[y])
    train, val = slice(0, 100), slice(100, 200)
    W = np.zeros((len(rates), 6, 3))
    for _ in range(60):
        dscores = softmax(X[train] @ W) - np.eye(3)[y[train]]
        W -= rates[:, None, None] * (X[train].T @ dscores) / 100
    return -log_softmax(X[val] @ W)[:, np.arange(100), y[val]].mean(axis=1)


def draws(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """(repeats, tries) learning rates, drawn both ways."""
    size = (REPEATS, TRIES)
    return {"evenly": rng.uniform(10.0**LOW, 10.0**HIGH, size), "by exponent": 10 ** rng.uniform(LOW, HIGH, size)}


def best_losses() -> dict[str, np.ndarray]:
    """The best loss of each search; losses are read from a fine grid of learning rates."""
    grid = np.linspace(LOW, HIGH, 121)
    found = np.log(losses(10**grid))
    return {
        way: np.exp(np.interp(np.log10(rates), grid, found)).min(axis=1)
        for way, rates in draws(np.random.default_rng(0)).items()
    }


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Shares of each decade, the loss there, and the best of ten tries."""
    rows, ways = [], draws(np.random.default_rng(0))
    for low in range(LOW, HIGH):
        middle = losses(np.array([10 ** (low + 0.5)]))[0]
        shares = [np.mean((rates >= 10.0**low) & (rates < 10.0 ** (low + 1))) for rates in ways.values()]
        rows.append([f"1e{low} to 1e{low + 1}", *(f"{share:.3f}" for share in shares), f"{middle:.3f}"])
    best = best_losses()
    rows.append(["best of 10, mean loss", *(f"{values.mean():.3f}" for values in best.values()), "–"])
    grid = np.linspace(LOW, HIGH, 61)
    lines = {"loss": (grid, losses(10**grid))}
    picture = curves(lines, "Loss after 60 steps", "log10 of the learning rate", "validation loss", log_y=True)
    return ["learning rate", "drawn evenly", "by exponent", "loss in the middle"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(16) for cell in row))
