"""How does one see whether a net fits too little, well or too much?

By two curves beside each other: the loss on the training pictures, and on others. Too small a net stays high on both.
A good fit is low on both. A net that can learn its few pictures by heart gets ever better on them, and after a while
ever worse on the others, which is the moment to have stopped. And where the labels have nothing to do with the
pictures, the training loss falls all the same, for a net can learn anything by heart, but validation never gains.

Four small nets are trained on pictures of clothes, and the curve doctor, which sees nothing but the curves, names each.

    python recipes/craft/four_fits.py
"""

import math
from dataclasses import dataclass

import numpy as np

from pellucid.data.load import load
from pellucid.plots import svg
from pellucid.scratch.nets.fully_connected import FullyConnectedNet
from pellucid.training.health.curves.curve import Curve
from pellucid.training.health.curves.diagnose import diagnose

BATCH, HELD = 32, 1000
SIDE, TALL, TOP = 205.0, 130.0, 4.0  # pixels of a panel, and the loss at its upper edge


@dataclass(frozen=True)
class Plan:
    """One training: how many pictures, how wide a net, how long, and at which rate of plain gradient descent."""

    n: int
    width: int
    epochs: int
    rate: float = 0.05
    shuffled: bool = False


PLANS = {
    "too small a net": Plan(2048, 1, 16),
    "a good fit": Plan(8192, 32, 10, 0.03),
    "few pictures": Plan(96, 64, 200, 0.2),
    "labels shuffled": Plan(512, 64, 60, 0.1, shuffled=True),
}


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N, 196), standardised, with their classes."""
    source = load("fashion-mnist-mini")
    X = np.asarray(source.images).reshape(len(source), 14, 2, 14, 2).mean(axis=(2, 4)).reshape(len(source), -1)
    return (X - X.mean()) / X.std(), np.asarray(source.labels)


def loss_of(net: FullyConnectedNet, X: np.ndarray, y: np.ndarray) -> float:
    """Mean cross-entropy, without any gradient."""
    scores = net.loss(X)
    scores = scores - scores.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]))


def train(plan: Plan, X: np.ndarray, y: np.ndarray, seed: int = 0) -> Curve:
    """What a run would record of it; the pictures that are held out are the last ones."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(y) if plan.shuffled else y
    X_val, y_val, X, y = X[-HELD:], y[-HELD:], X[: plan.n], y[: plan.n]
    net = FullyConnectedNet([plan.width], X.shape[1], 10, weight_scale="auto", dtype=np.float64, seed=seed)
    losses, means, held, right = [], [], [], []
    for _ in range(plan.epochs):
        for rows in rng.permutation(plan.n).reshape(-1, BATCH):
            loss, gradients = net.loss(X[rows], y[rows])
            losses.append(float(loss))
            for name in net.params:
                net.params[name] -= plan.rate * gradients[name]
        means.append(float(np.mean(losses[-plan.n // BATCH :])))
        held.append(loss_of(net, X_val, y_val))
        right.append(float(np.mean(net.predict(X_val) == y_val)))
    return Curve(
        step=np.arange(len(losses)),
        loss=np.array(losses),
        lr=np.full(len(losses), plan.rate),
        epoch_step=(np.arange(plan.epochs) + 1) * (plan.n // BATCH),
        train_loss=np.array(means),
        val_loss=np.array(held),
        metric=np.array(right),
        expected_loss=math.log(10),
        chance=0.1,
        n_train=plan.n,
        n_val=HELD,
        epochs=plan.epochs,
        weight_decay=0.0,
    )


def panel(name: str, curve: Curve, said: str, left: float, top: float) -> list[str]:
    """Both losses over the epochs, from 0 to `TOP`; what is above runs along the edge."""
    bottom = top + TALL
    across = left + SIDE * np.arange(1, len(curve.train_loss) + 1) / len(curve.train_loss)
    parts = [svg.text(left, top - 22, name), svg.text(left, top - 6, said, "soft")]
    parts += [svg.line(left, bottom, left + SIDE, bottom, "axis"), svg.line(left, top, left, bottom, "axis")]
    unknowing = bottom - TALL * math.log(10) / TOP
    parts.append(svg.line(left, unknowing, left + SIDE, unknowing, "guide"))
    for style, losses in enumerate((curve.train_loss, curve.val_loss), 1):
        up = bottom - TALL * np.minimum(losses, TOP) / TOP
        parts.append(svg.path([list(zip(across, up, strict=True))], f"curve s{style}"))
    return parts


def drawing(found: dict[str, Curve]) -> str:
    """The four pairs of curves, and what the doctor calls them."""
    entries = [
        (svg.line(0, 0, 22, 0, f"curve s{k}"), f"loss in {what}") for k, what in ((1, "training"), (2, "validation"))
    ]
    entries.append((svg.line(0, 0, 22, 0, "guide"), "of a net that knows nothing"))
    key, tall = svg.key_rows(entries, 2 * SIDE + 30, 0, 30)
    parts = [svg.text(0, 18, "Four fits, by the epochs", "title"), *key]
    for k, (name, curve) in enumerate(found.items()):
        said = f"doctor: {words(curve)}"
        parts += panel(name, curve, said, 1 + (k % 2) * (SIDE + 30), 70 + tall + (k // 2) * (TALL + 56))
    spoken = ", ".join(f"{name}: {words(curve)}" for name, curve in found.items())
    return svg.document(2 * SIDE + 32, 2 * TALL + 140 + tall, f"Losses of four runs. {spoken}.", parts)


def words(curve: Curve) -> str:
    return "; ".join(f"{verdict.rule} ({verdict.status})" for verdict in diagnose(curve)) or "nothing"


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Where the two losses ended, and what the doctor says."""
    X, y = pictures()
    found = {name: train(plan, X, y) for name, plan in PLANS.items()}
    rows = []
    for name, curve in found.items():
        numbers = [f"{value:.2f}" for value in (curve.train_loss[-1], curve.val_loss[-1], curve.val_loss.min())]
        rows.append([name, *numbers, f"{curve.metric[-1]:.1%}", words(curve)])
    header = ["run", "training loss", "validation loss", "its lowest", "accuracy on held out", "the doctor says"]
    return header, rows, drawing(found)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
