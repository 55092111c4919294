"""How can a straight line separate a ring?

By better features. No line in x and y separates a disc from the ring around it: softmax on these coordinates is right
about half of the time, on new points no better than chance. In polar coordinates, distance from the middle and angle,
the same classes lie one above the other, and a line separates them without an error, on new points too. The classifier
is the same; what was hard is done by the transform.

It takes the right feature: distance alone is enough, the angle alone is worth nothing, and x² and y² do as well, for
their sum is the squared distance. Hand-made features such as HOG are transforms of this kind for pictures, found by
thinking; the layers of a net are such transforms, found by training.

    python recipes/classic/polar_features.py
"""

from collections.abc import Callable

import numpy as np

from pellucid.plots import svg
from pellucid.scratch.losses.softmax import softmax_loss_vectorized

N, SIDE = 300, 220.0
Features = Callable[[np.ndarray], np.ndarray]


def polar(X: np.ndarray) -> np.ndarray:
    """Points (N, 2) as distance and angle (N, 2), the angle in -π..π."""
    return np.stack([np.hypot(X[:, 0], X[:, 1]), np.arctan2(X[:, 1], X[:, 0])], axis=1)


FEATURES: dict[str, Features] = {
    "x, y": lambda X: X,
    "distance, angle": polar,
    "distance": lambda X: polar(X)[:, :1],
    "angle": lambda X: polar(X)[:, 1:],
    "x², y²": lambda X: X**2,
}


def ring(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """300 points (N, 2): class 0 in a disc of radius 1, class 1 in a ring from 1.3 to 2."""
    rng = np.random.default_rng(seed)
    y = np.arange(N) % 2
    radius = np.where(y == 0, np.sqrt(rng.uniform(0, 1, N)), np.sqrt(rng.uniform(1.3**2, 4, N)))
    angle = rng.uniform(-np.pi, np.pi, N)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), y


def fit(features: Features) -> np.ndarray:
    """Weights (D + 1, 2) of a softmax classifier on 300 points, the bias last."""
    X, y = ring(0)
    inputs = np.hstack([features(X), np.ones((N, 1))])
    W = np.zeros((inputs.shape[1], 2))
    for _ in range(3000):
        W -= 0.5 * softmax_loss_vectorized(W, inputs, y, 0.0)[1]
    return W


def accuracy(W: np.ndarray, features: Features, seed: int) -> float:
    X, y = ring(seed)
    return float(np.mean((features(X) @ W[:-1] + W[-1]).argmax(axis=1) == y))


def panel(left: float, values: np.ndarray, y: np.ndarray, W: np.ndarray, limits: tuple, title: str) -> list[str]:
    """Points in one kind of coordinates, and the line where both classes score the same."""
    (x_from, x_to), (y_from, y_to) = limits
    w = W[:, 1] - W[:, 0]  # (3,)
    t = np.linspace(0, 1, 400)
    if abs(w[0]) > abs(w[1]):
        height = y_from + t * (y_to - y_from)
        line = np.stack([-(w[1] * height + w[2]) / w[0], height], axis=1)
    else:
        across = x_from + t * (x_to - x_from)
        line = np.stack([across, -(w[0] * across + w[2]) / w[1]], axis=1)

    def place(at: np.ndarray) -> tuple[float, float]:
        across, up = (at[0] - x_from) / (x_to - x_from), (at[1] - y_from) / (y_to - y_from)
        return float(left + across * SIDE), float(52 + (1 - up) * SIDE)

    inside = [place(at) for at in line if x_from <= at[0] <= x_to and y_from <= at[1] <= y_to]
    dots = [svg.circle(*place(at), 2.2, f"f{label + 1}") for at, label in zip(values, y, strict=True)]
    return [*dots, svg.path([inside], "axis") if inside else "", svg.text(left, 44, title, "soft")]


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Accuracy of the same linear classifier on different features of the same points."""
    weights = {name: fit(features) for name, features in FEATURES.items()}
    rows = []
    for name, features in FEATURES.items():
        shares = [accuracy(weights[name], features, seed) for seed in (0, 1)]
        rows.append([name, *(f"{share:.1%}" for share in shares)])
    X, y = ring(0)
    parts = [svg.text(0, 18, "Where a linear classifier divides the points", "title")]
    parts += panel(0, X, y, weights["x, y"], ((-2.1, 2.1), (-2.1, 2.1)), "x and y")
    parts += panel(250, polar(X), y, weights["distance, angle"], ((0, 2.1), (-3.3, 3.3)), "distance and angle")
    spoken = "No line separates the ring in x and y; an upright line does in distance and angle."
    return ["features", "training points", "new points"], rows, svg.document(480, 282, spoken, parts)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
