"""Can batch normalisation make up for badly scaled first weights?

Largely. A net with five hidden layers starts from weights of a stated deviation: 0.01 shrinks the signal to nothing on
its way up, 1.0 blows it up to thousands, and only in between, about √(2/n), is it kept. Without normalisation either
bad start stays far behind the good one. With it every layer sees inputs of deviation 1 whatever the weights are, since
the normalised output of a layer does not change when all its weights are multiplied by a number: both bad starts train.

The rate still feels the scale: steps of the same length turn large weights less than small ones, so that a start from
1.0 learns more slowly than one from 0.01.

    python recipes/craft/bad_starts.py
"""

import numpy as np

from pellucid.data.load import load
from pellucid.plots.curves import curves
from pellucid.scratch.nets.fully_connected import FullyConnectedNet
from pellucid.scratch.optimisers.adam import adam

STARTS, HIDDEN, STEPS, BATCH, N = (0.01, 0.03, 0.15, 0.5, 1.0), [100] * 5, 800, 100, 4000


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """4,000 pictures of clothes, (N, 784) around 0, with their classes."""
    source = load("fashion-mnist-mini")
    X = np.asarray(source.images[:N]).reshape(N, -1) / 255 - 0.29
    return X, source.labels[:N]  # type: ignore[index]


def losses(deviation: float, normalised: bool, X: np.ndarray, y: np.ndarray) -> tuple[list[float], float]:
    """The loss of every step, and the accuracy on the training pictures after the last one."""
    rng = np.random.default_rng(0)
    normalisation = "batchnorm" if normalised else None
    net = FullyConnectedNet(HIDDEN, X.shape[1], 10, normalization=normalisation, weight_scale=deviation, seed=0)
    configs: dict[str, dict] = {name: {"learning_rate": 1e-3} for name in net.params}
    found = []
    for _ in range(STEPS):
        batch = rng.integers(len(X), size=BATCH)
        loss, gradients = net.loss(X[batch], y[batch])
        found.append(loss)
        for name in net.params:
            net.params[name], configs[name] = adam(net.params[name], gradients[name], configs[name])
    return found, float(np.mean(net.predict(X) == y))


def experiment() -> tuple[list[str], list[list[str]], str]:
    """First and last loss and the accuracy of every start, with and without normalisation."""
    X, y = pictures()
    rows, lines = [], {}
    for deviation in STARTS:
        cells = [f"{deviation:g}"]
        for normalised in (False, True):
            found, accuracy = losses(deviation, normalised, X, y)
            cells += [f"{found[0]:.3g}", f"{np.mean(found[-20:]):.3g}", f"{accuracy:.1%}"]
            if deviation in (0.01, 1.0):
                name = f"start {deviation:g}" + ", normalised" * normalised
                lines[name] = (np.arange(STEPS), np.minimum(found, 10))
        rows.append(cells)
    picture = curves(lines, "Both bad starts train with batch normalisation", "step", "loss, cut at 10")
    kinds = [f"{what}{how}" for how in ("", ", normalised") for what in ("first loss", "last loss", "accuracy")]
    return ["deviation", *kinds], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(22) for cell in row))
