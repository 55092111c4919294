"""A linear classifier cannot do XOR, a ring, or a class of two parts; two layers can.

The boundary of a linear classifier of two classes is one straight line. Three sets of points need another shape: XOR,
whose opposite quarters belong together; a disc inside a ring; and a class that lies on both sides of the other, like
horses that look left and horses that look right. No training helps: the table tries every direction and every place
of a line, and the best of all stays under 80 % of the training points. XOR and two parts end near 3/4, as a line can
put three of four groups right; a line through a ring is worse.

One hidden layer of 16 ReLU units, trained by the same loss, gets over 99 % of the same points right: each unit is a
line of its own, and the second layer combines them.

    python recipes/classic/xor_and_ring.py
"""

from itertools import pairwise

import numpy as np

from pellucid.plots import svg
from pellucid.scratch.losses.softmax import softmax_loss_vectorized
from pellucid.scratch.nets.two_layer import TwoLayerNet
from pellucid.scratch.optimisers.adam import adam

SETS = ("XOR", "ring", "two parts")
PLACES, SIDE, N = 50, 150.0, 400


def points(kind: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """400 points (N, 2) in the square from -2 to 2, and their classes 0 and 1, as many of each."""
    rng = np.random.default_rng(seed)
    y = np.arange(N) % 2
    if kind == "XOR":
        signs = rng.choice([-1, 1], N)
        return np.stack([signs, np.where(y == 1, signs, -signs)], axis=1) * rng.uniform(0.1, 1.9, (N, 2)), y
    if kind == "two parts":
        x = np.where(y == 1, rng.uniform(-0.5, 0.5, N), rng.choice([-1, 1], N) * rng.uniform(0.7, 1.9, N))
        return np.stack([x, rng.uniform(-1.9, 1.9, N)], axis=1), y
    radius, angle = np.where(y == 1, rng.uniform(0, 0.9, N), rng.uniform(1.2, 1.9, N)), rng.uniform(0, 2 * np.pi, N)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), y


def linear(kind: str) -> np.ndarray:
    """Weights (3, 2) of a softmax classifier after 500 full steps; the last row is the bias."""
    X, y = points(kind)
    W, ones = np.zeros((3, 2)), np.ones((N, 1))
    for _ in range(500):
        W -= 0.5 * softmax_loss_vectorized(W, np.hstack([X, ones]), y, 0.0)[1]
    return W


def best_line(kind: str) -> float:
    """The training accuracy of the best of all lines: 360 directions, every threshold between two points."""
    X, y = points(kind)
    best = 0.0
    for angle in np.arange(360) * np.pi / 360:
        along = X @ np.array([np.cos(angle), np.sin(angle)])
        ones_below = np.concatenate([[0], np.cumsum(y[np.argsort(along)])])  # of class 1 among the first k
        right = ones_below + (N - np.arange(N + 1)) - (y.sum() - ones_below)  # class 1 below, class 0 above
        best = max(best, float(np.maximum(right, N - right).max()) / N)
    return best


def net(kind: str) -> TwoLayerNet:
    """A net of 16 hidden units after 600 steps of Adam on all points."""
    X, y = points(kind)
    model = TwoLayerNet(2, 16, 2, weight_scale=0.5, seed=1)
    configs: dict[str, dict] = {name: {"learning_rate": 0.03} for name in model.params}
    for _ in range(600):
        _, gradients = model.loss(X, y)
        for name in model.params:
            model.params[name], configs[name] = adam(model.params[name], gradients[name], configs[name])
    return model


def panel(left: float, top: float, kind: str, ones: np.ndarray, title: str) -> list[str]:
    """The classes (places, places) a classifier gives to the square, [column, row], and the points."""
    parts, cell = [], SIDE / PLACES
    for column, marks in enumerate(ones.astype(int)):
        turns = [0, *(np.flatnonzero(np.diff(marks)) + 1), PLACES]
        for start, stop in pairwise(turns):
            colour = f"f{2 - marks[start]} pale"
            parts.append(svg.rect(left + column * cell, top + SIDE - stop * cell, cell, (stop - start) * cell, colour))
    for point, label in zip(*points(kind), strict=True):
        at = left + (point[0] + 2) / 4 * SIDE, top + SIDE - (point[1] + 2) / 4 * SIDE
        parts.append(svg.circle(*at, 2.2, "f1" if label else "f2"))
    return [*parts, svg.text(left, top - 8, title, "soft")]


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Training accuracies of a line and of a net, and both drawn."""
    grid = (np.arange(PLACES) + 0.5) * 4 / PLACES - 2
    x, y = np.meshgrid(grid, grid, indexing="ij")
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    rows, parts = [], [svg.text(0, 18, "One line (above), 16 lines combined (below)", "title")]
    for k, kind in enumerate(SETS):
        X, labels = points(kind)
        W, model = linear(kind), net(kind)
        line = np.mean((X @ W[:2] + W[2]).argmax(axis=1) == labels)
        rows.append([kind, f"{line:.1%}", f"{best_line(kind):.1%}", f"{np.mean(model.predict(X) == labels):.1%}"])
        shapes = {"softmax": (places @ W[:2] + W[2]).argmax(axis=1), "two layers": model.predict(places)}
        for row, (title, found) in enumerate(shapes.items()):
            parts += panel(162 * k, 52 + 182 * row, kind, found.reshape(x.shape) == 1, f"{kind}: {title}")
    spoken = "Straight lines cut XOR, ring and two parts wrongly; the nets follow the shapes."
    return ["points", "softmax", "best of all lines", "two-layer net"], rows, svg.document(480, 386, spoken, parts)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
