"""Should one make a net smaller so that it does not overfit?

More hidden units can draw a more winding boundary. The table trains nets of one to 50 units on points of which one in
eight has the wrong label: with one unit the plane falls into two pieces at most, with more there are islands around
wrong points, a longer boundary, and a growing gap between training and validation accuracy.

A smaller net cures that, but it may be too small for the shape itself: one unit is. The other cure is to keep the
units and penalise their weights: with 20 of them and a stronger and stronger penalty the islands vanish, the boundary
gets shorter, the gap closes, and validation gains a little, until the penalty is too strong. A penalty can be turned
by degrees, which the number of units cannot. (Three units do well here too; but who knew that there should be three?)

    python recipes/questions/capacity.py
"""

import numpy as np

from pellucid.plots import svg
from pellucid.scratch.nets.decision_regions import region_count
from pellucid.scratch.nets.fully_connected import FullyConnectedNet
from pellucid.scratch.optimisers.adam import adam

NETS = ((1, 0.0), (3, 0.0), (20, 0.0), (50, 0.0), (20, 0.001), (20, 0.01), (20, 0.1))
SEEDS, STEPS, BOX = 3, 300, (-2.0, -2.0, 2.0, 2.0)


def points(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) in a square, of class 1 above a wave; one label in eight is wrong."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, (n, 2))
    y = (X[:, 1] > np.sin(2 * X[:, 0])).astype(int)
    return X, np.where(rng.random(n) < 0.125, 1 - y, y)


def train(hidden: int, reg: float, seed: int) -> FullyConnectedNet:
    """A net of one hidden layer after 300 steps of Adam on all 100 points."""
    X, y = points(100, 0)
    net = FullyConnectedNet([hidden], 2, 2, reg=reg, weight_scale="auto", dtype=np.float64, seed=seed)
    configs: dict[str, dict] = {name: {"learning_rate": 0.03} for name in net.params}
    for _ in range(STEPS):
        _, gradients = net.loss(X, y)
        for name in net.params:
            net.params[name], configs[name] = adam(net.params[name], gradients[name], configs[name])
    return net


def boundary(net: FullyConnectedNet, places: int = 120) -> float:
    """Length of the boundary in the square, counted on a grid, in sides of the square."""
    x, y = np.meshgrid(np.linspace(-2, 2, places), np.linspace(-2, 2, places))
    classes = net.predict(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)
    return float((np.sum(classes[1:] != classes[:-1]) + np.sum(classes[:, 1:] != classes[:, :-1])) / places)


def measures(hidden: int, reg: float) -> np.ndarray:
    """Regions, boundary, training and validation accuracy, each the mean of three nets."""
    found = []
    for seed in range(SEEDS):
        net = train(hidden, reg, seed)
        accuracies = [np.mean(net.predict(X) == y) for X, y in (points(100, 0), points(2000, 1))]
        found.append([region_count(net.predict, BOX, 80), boundary(net), *accuracies])
    return np.mean(found, axis=0)


def drawn(hidden: int, reg: float, left: float, places: int = 50) -> list[str]:
    """The classes that a net gives to the square, and the training points."""
    net, parts, side = train(hidden, reg, 0), [svg.rect(left, 52, 150, 150, "f6 pale")], 150 / places
    grid = (np.arange(places) + 0.5) * 4 / places - 2
    x, y = np.meshgrid(grid, grid, indexing="ij")
    ones = net.predict(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape) == 1
    for column, marks in enumerate(ones):
        turns = np.flatnonzero(np.diff(marks.astype(int), prepend=0, append=0))  # where a run of class 1 begins or ends
        for start, stop in turns.reshape(-1, 2):
            parts.append(svg.rect(left + column * side, 202 - stop * side, side, (stop - start) * side, "f1 pale"))
    for point, label in zip(*points(100, 0), strict=True):
        at = left + (point[0] + 2) / 4 * 150, 202 - (point[1] + 2) / 4 * 150
        parts.append(svg.circle(*at, 2.5, "f1" if label else "f2"))
    return [*parts, svg.text(left, 44, f"{hidden} units, λ = {reg:g}", "soft")]


def experiment() -> tuple[list[str], list[list[str]], str]:
    """What more units do, and what a penalty does."""
    rows = []
    for hidden, reg in NETS:
        regions, length, train_accuracy, val_accuracy = measures(hidden, reg)
        cells = [train_accuracy, val_accuracy, train_accuracy - val_accuracy]
        rows.append([str(hidden), f"{reg:g}", f"{regions:.1f}", f"{length:.2f}", *(f"{cell:.3f}" for cell in cells)])
    parts = [svg.text(0, 18, "What each net makes of the same points", "title")]
    for k, (hidden, reg) in enumerate(((3, 0.0), (50, 0.0), (20, 0.01))):
        parts += drawn(hidden, reg, 162 * k)
    spoken = "50 units make islands around single points; 3 units, or 20 with a penalty, draw one smooth boundary."
    picture = svg.document(480, 210, spoken, parts)
    return ["hidden units", "λ", "regions", "boundary", "train", "validation", "gap"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
