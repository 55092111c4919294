"""Why is it bad if all inputs of a neuron are positive?

The gradient of weight w_i is the gradient of the neuron's output times the input x_i. With all x_i above 0, all
weights of the neuron get the sign of that one number: they all rise or they all fall. A step that raises one weight
and lowers another does not exist, so a way that needs it is walked in a zig-zag. Outputs of a sigmoid are such inputs;
so are pixels from 0 to 255.

Subtract the mean, and the signs are mixed: the path goes the short way. The rule is about single samples. The gradient
of a batch adds samples that pull either way, so its signs may differ, but the trouble does not end there: even with
batches of 32 nearly half of the gradients of ten weights had one sign. The mean of the inputs makes one direction, all
weights together, far steeper than the others, and it forces a small learning rate. Each with its best one, centred
inputs need less than half the steps with single samples, and a tenth with batches.

    python recipes/questions/all_positive_inputs.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.layers.affine import affine_backward, affine_forward
from pellucid.scratch.losses.l2 import l2_loss
from pellucid.scratch.optimisers.sgd import sgd

RATES = np.geomspace(0.1, 5, 9)
NEAR, NEVER = 0.05, 10**6  # of the first distance: then it has arrived; steps of those that do not


def walk(centred: bool, batch: int, weights: int, rate: float, steps: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Weights (steps + 1, D) of SGD on its way from 0 to (1, -1, 1, ...), and the gradients (steps, D)."""
    x, rng = np.random.default_rng(0).random((1000, weights)), np.random.default_rng(1)
    x = x - x.mean(axis=0) if centred else x
    w, b, target = np.zeros((weights, 1)), np.zeros(1), target_of(weights)[:, None]
    path, gradients = [w[:, 0]], []
    for _ in range(steps):
        chosen = x[rng.integers(0, len(x), batch)]
        out, cache = affine_forward(chosen, w, b)
        _, dout = l2_loss(out, chosen @ target)
        dw = affine_backward(dout, cache)[1]
        w, _ = sgd(w, dw, {"learning_rate": rate})
        path.append(w[:, 0])
        gradients.append(dw[:, 0])
        if np.linalg.norm(w) > 1e6:
            break  # it will not come back
    return np.array(path), np.array(gradients)


def target_of(weights: int) -> np.ndarray:
    return np.where(np.arange(weights) % 2, -1.0, 1.0)


def measures(path: np.ndarray, gradients: np.ndarray) -> tuple[int, float, float]:
    """Steps until it stays near the target, share of their gradients with one sign, length of the way / distance."""
    target = target_of(path.shape[1])
    away = np.linalg.norm(path - target, axis=1) / np.linalg.norm(target)
    steps = int(np.flatnonzero(away > NEAR)[-1]) + 1 if away[-1] <= NEAR else NEVER
    gradients = gradients[:steps]
    same = float(np.mean((gradients > 0).all(axis=1) | (gradients < 0).all(axis=1)))
    way = np.linalg.norm(np.diff(path[: steps + 1], axis=0), axis=1).sum()
    return steps, same, float(way / np.linalg.norm(target))


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Signs, detours and steps of ten weights, each with the best learning rate; the picture has two weights."""
    rows = []
    for name, centred in (("0 to 1", False), ("centred", True)):
        for batch in (1, 32):
            rate = min(RATES, key=lambda each: measures(*walk(centred, batch, 10, each))[0])
            steps, same, way = measures(*walk(centred, batch, 10, rate))
            rows.append([name, str(batch), f"{same:.3f}", f"{way:.2f}", f"{rate:.2f}", str(steps)])
    lines = {
        name: (path[:, 0], path[:, 1])
        for name, centred in (("inputs from 0 to 1", False), ("centred inputs", True))
        for path in [walk(centred, 1, 2, 0.5)[0]]
    }
    picture = curves(lines, "The way of two weights, one sample a step", "first weight", "second weight")
    return ["inputs", "batch", "gradients of one sign", "way / distance", "learning rate", "steps"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
