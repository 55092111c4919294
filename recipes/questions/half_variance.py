"""Why does ReLU halve the variance, and why does He's initialisation make up for it?

Xavier chooses weights such that z = Σ w x has the mean square of x: with n inputs, weights of variance 1/n. Half of
the z are negative, as often as they are positive, and ReLU sets them to 0. What remains of the mean square is exactly
one half: E[relu(z)²] = E[z²] / 2. It is the mean square that counts, not the variance, since it is what the next layer
passes on. So each layer of ReLU with Xavier halves it, and after ten layers a thousandth is left. He's weights have
variance 2/n: twice as much before every halving, and nothing is lost.

    python recipes/questions/half_variance.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.checks.activation_statistics import activation_statistics

LAYERS, NETS = 10, 10


def mean_squares(init: str) -> np.ndarray:
    """Mean square of what comes out of the input layer and of each of ten hidden layers of 500 ReLUs, in ten nets."""
    squares = []
    for seed in range(NETS):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((100, 500), dtype=np.float32)
        layers = activation_statistics(x, "relu", [500] * LAYERS, rng, init)
        squares.append([layer.mean**2 + layer.std**2 for layer in layers])
    return np.mean(squares, axis=0)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Mean squares layer by layer, with both initialisations."""
    layers = np.arange(LAYERS + 1)
    xavier, he = mean_squares("xavier"), mean_squares("he")
    rows = [
        [str(k), f"{xavier[k]:.4f}", f"{0.5**k:.4f}", f"{xavier[k] / xavier[k - 1]:.3f}" if k else "–", f"{he[k]:.3f}"]
        for k in layers
    ]
    lines = {
        "Xavier": (layers, xavier),
        "½ to the power of the layer": (layers, 0.5**layers),
        "He": (layers, he),
    }
    picture = curves(lines, "ReLU halves the mean square", "layer", "mean square of the outputs", log_y=True)
    return ["layer", "Xavier", "½ to its power", "part of the one before", "He"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(22) for cell in row))
