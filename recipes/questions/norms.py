"""What does it mean to watch training by norms?

Compare the length of an update with the length of the weights it changes: ‖η · gradient‖ / ‖W‖, layer by layer. It
says by what part a layer changes in one step, whatever the sizes of both are. A rule of thumb calls 1/1000 healthy.
Far less: the layer hardly learns in the time there is. Far more: it forgets from step to step what it knew.

The table trains the same small net with SGD, from a tiny learning rate to a huge one. The rule points the right way
but is rough. Below 1/10000 little happens; 1/1000 in the first layer learns well, a few hundredths better still,
because 300 steps are few; near 1/10 it gets worse again. And within one net the layers differ a hundredfold. A ratio
is a place to look first, not a proof.

    python recipes/questions/norms.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.nets.fully_connected import FullyConnectedNet
from pellucid.scratch.optimisers.sgd import sgd

RATES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 3.0)
STEPS, EARLY = 300, 50


def spiral(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) on three interleaved spirals, and their classes."""
    y = np.arange(n) % 3
    radius = np.linspace(0.05, 1, n)
    angle = 4 * radius + 2 * np.pi / 3 * y + np.random.default_rng(0).normal(0, 0.15, n)
    return 2 * radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1), y


def train(rate: float) -> tuple[np.ndarray, float]:
    """Ratios (steps, layers) of update to weights, and the loss after the last step."""
    X, y = spiral()
    net = FullyConnectedNet([50, 50], 2, 3, weight_scale="auto", dtype=np.float64, seed=0)
    rng, ratios = np.random.default_rng(0), []
    for _ in range(STEPS):
        rows = rng.integers(0, len(X), 50)
        _, gradients = net.loss(X[rows], y[rows])
        steps = {}
        for name, w in net.params.items():
            net.params[name], _ = sgd(w, gradients[name], {"learning_rate": rate})
            steps[name] = np.linalg.norm(net.params[name] - w) / max(np.linalg.norm(w), 1e-12)
        ratios.append([steps[f"W{layer}"] for layer in (1, 2, 3)])
    loss, _ = net.loss(X, y)
    return np.array(ratios), float(loss)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Mean ratio of each layer in the first 50 steps and the loss at the end, for each learning rate."""
    rows, lines = [], {}
    for rate in RATES:
        ratios, loss = train(rate)
        rows.append([f"{rate:g}", *(f"{ratio:.1e}" for ratio in ratios[:EARLY].mean(axis=0)), f"{loss:.3f}"])
        smooth = ratios[:, 1].reshape(-1, 10).mean(axis=1)
        lines[f"η = {rate:g}"] = (np.arange(10, STEPS + 1, 10), smooth)
    title = "Update / weights of the second layer"
    picture = curves(lines, title, "step", "mean over ten steps", log_y=True)
    return ["learning rate", "layer 1", "layer 2", "layer 3", "loss at the end"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(16) for cell in row))
