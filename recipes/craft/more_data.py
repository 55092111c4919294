"""Is more data the best cure for overfitting?

It closes the gap from both sides. The same net with one hidden layer is trained on 100 to 12,000 pictures of clothes,
the same number of steps each time. On 100 it knows every training picture and fails on many new ones; with every
doubling the new ones get easier, and the training pictures harder to know by heart.

No other cure does that: a penalty or a smaller net closes the gap mostly by being worse on the training pictures. But
the curve also says what the next doubling is worth: towards the end, a point or so. Read it before you collect more.

    python recipes/craft/more_data.py    # a minute
"""

import numpy as np

from pellucid.data.load import load
from pellucid.plots.curves import curves
from pellucid.scratch.nets.fully_connected import FullyConnectedNet
from pellucid.scratch.optimisers.adam import adam

SIZES = (100, 200, 400, 800, 1600, 3200, 6400, 12_000)
HIDDEN, STEPS, BATCH, SEEDS = 64, 1500, 100, 2


def pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training and new pictures, (N, 784) around 0, with their classes."""
    source = load("fashion-mnist-mini")
    X = np.asarray(source.images).reshape(len(source), -1) / 255 - 0.29
    train = np.asarray(source.roles) == "train"
    return X[train], source.labels[train], X[~train], source.labels[~train]  # type: ignore[index]


def accuracies(n: int, data: tuple[np.ndarray, ...], seed: int) -> tuple[float, float]:
    """Of training and new pictures, after the same number of steps on `n` of the training pictures."""
    X, y, X_new, y_new = data
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(X))[:n]
    X, y = X[chosen], y[chosen]
    net = FullyConnectedNet([HIDDEN], X.shape[1], 10, weight_scale="auto", dtype=np.float64, seed=seed)
    configs: dict[str, dict] = {name: {"learning_rate": 1e-3} for name in net.params}
    for _ in range(STEPS):
        batch = rng.integers(n, size=BATCH)
        _, gradients = net.loss(X[batch], y[batch])
        for name in net.params:
            net.params[name], configs[name] = adam(net.params[name], gradients[name], configs[name])
    return float(np.mean(net.predict(X) == y)), float(np.mean(net.predict(X_new) == y_new))


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Accuracy on known and new pictures, and the gap between them."""
    data, rows, known, new = pictures(), [], [], []
    for n in SIZES:
        train, test = np.mean([accuracies(n, data, seed) for seed in range(SEEDS)], axis=0)
        known.append(train)
        new.append(test)
        rows.append([f"{n:,}", f"{train:.1%}", f"{test:.1%}", f"{100 * (train - test):.1f}"])
    doublings = np.log2(np.array(SIZES) / SIZES[0])
    lines = {"training pictures": (doublings, known), "new pictures": (doublings, new)}
    picture = curves(lines, "The gap closes from both sides", "doublings of 100 training pictures", "accuracy")
    return ["training pictures", "accuracy on them", "on new ones", "gap in points"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
