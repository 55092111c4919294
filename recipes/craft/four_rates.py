"""What does a loss curve say about the learning rate?

The picture of the notes has four curves, and the curve doctor reads them as the notes do. A rate that is too low falls
slowly and evenly, and is far from done when the time is up. A good one falls steeply, then flattens out low. A high one
falls too, but unsteadily, and stays above: its steps are too long for the bottom of the valley. A very high one hardly
learns, or ends in numbers that are none.

One net with two hidden layers is trained on the same pictures of clothes by plain gradient descent, and nothing but the
rate differs. What the rate is called was not read off the curve: it follows from where training ended, against the best
of ten rates. The doctor sees the curve alone. Of a rate that would get there with more time it says so (info), which is
no alarm; and of a good one, where to cut it.

    python recipes/craft/four_rates.py
"""

import math

import numpy as np

from pellucid.data.load import load
from pellucid.plots.curves import curves
from pellucid.scratch.nets.fully_connected import FullyConnectedNet
from pellucid.training.health.curves.curve import Curve
from pellucid.training.health.curves.diagnose import diagnose

HIDDEN, BATCH, EPOCHS, N_TRAIN, N_VAL = [64, 64], 32, 24, 1280, 320
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 1.0, 1.5)
DRAWN = {"too low": 0.001, "good": 0.1, "high": 0.7, "very high": 1.0}
NEAR, CLEARLY, NOT_LEARNED = 0.05, 0.15, 0.8  # above the best, in parts of the way there; of knowing nothing


def pictures() -> tuple[np.ndarray, ...]:
    """Training and validation pictures, (N, 196) standardised, with their classes."""
    source = load("fashion-mnist-mini")
    n = N_TRAIN + N_VAL
    X = np.asarray(source.images[:n]).reshape(n, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(n, -1)
    X, y = (X - X.mean()) / X.std(), source.labels[:n]  # type: ignore[index]
    return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:]


def loss_of(net: FullyConnectedNet, X: np.ndarray, y: np.ndarray) -> float:
    """Mean cross-entropy, without any gradient."""
    scores = net.loss(X)
    scores = scores - scores.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]))


def train(rate: float, data: tuple[np.ndarray, ...], seed: int = 0) -> Curve:
    """Plain gradient descent at one rate; what a run would record of it."""
    X, y, X_val, y_val = data
    rng = np.random.default_rng(seed)
    net = FullyConnectedNet(HIDDEN, X.shape[1], 10, weight_scale="auto", dtype=np.float64, seed=seed)
    losses, ends, means, held, right = [], [], [], [], []
    with np.errstate(all="ignore"):  # a very high rate overflows, which is to be seen
        for _ in range(EPOCHS):
            for rows in rng.permutation(len(X)).reshape(-1, BATCH):
                loss, gradients = net.loss(X[rows], y[rows])
                losses.append(float(loss))
                if not math.isfinite(losses[-1]):
                    break
                for name in net.params:
                    net.params[name] -= rate * gradients[name]
            if not math.isfinite(losses[-1]):
                break
            ends.append(len(losses))
            means.append(float(np.mean(losses[-len(X) // BATCH :])))
            held.append(loss_of(net, X_val, y_val))
            right.append(float(np.mean(net.predict(X_val) == y_val)))
    return Curve(
        step=np.arange(len(losses)),
        loss=np.array(losses),
        lr=np.full(len(losses), rate),
        epoch_step=np.array(ends),
        train_loss=np.array(means),
        val_loss=np.array(held),
        metric=np.array(right),
        expected_loss=math.log(10),
        chance=0.1,
        n_train=len(X),
        n_val=len(X_val),
        epochs=EPOCHS,
        weight_decay=0.0,
        ended="finished" if math.isfinite(losses[-1]) else "non-finite",
    )


def called(rate: float, found: dict[float, Curve]) -> str:
    """The name of a rate by where it ended, against the best of all; empty between two names."""
    ends = {each: _end(curve) for each, curve in found.items()}
    best = min(ends, key=lambda each: ends[each])
    above = (ends[rate] - ends[best]) / (math.log(10) - ends[best])
    if above <= NEAR:
        return "good"
    if above < CLEARLY:
        return "in between"
    if rate < best:
        return "too low"
    return "very high" if ends[rate] >= NOT_LEARNED * math.log(10) else "high"


def _end(curve: Curve) -> float:
    return math.inf if curve.ended == "non-finite" else float(curve.train_loss[-1])


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Where each rate ended, its name, and what the doctor says of its curve."""
    data, rows = pictures(), []
    found = {rate: train(rate, data) for rate in RATES}
    for rate, curve in found.items():
        said = diagnose(curve)
        words = "; ".join(f"{verdict.rule} ({verdict.status})" for verdict in said) or "nothing"
        end = f"{_end(curve):.3f}" if math.isfinite(_end(curve)) else f"NaN at step {len(curve.loss)}"
        rows.append([f"{rate:g}", end, called(rate, found), words, "; ".join(verdict.cure for verdict in said)])
    lines = {}
    for name, rate in DRAWN.items():
        curve = found[rate]
        lines[f"{name}, {rate:g}"] = (np.arange(1, curve.n_epochs + 1), np.minimum(curve.train_loss, 2.5))
    picture = curves(lines, "Four rates", "epoch", "training loss, cut at 2.5")
    return ["rate", "training loss at the end", "which is", "the doctor says", "and advises"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(24) for cell in row))
