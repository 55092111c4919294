"""Pictures of nets: their layers with shapes and parameters, and what training does."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lessons.pictures.chart import LEFT, RIGHT, around, key, panel
from lessons.pictures.drawing import arrow, box, caption, corners, picture
from pellucid.plots import svg
from pellucid.scratch.nets.captioner import CaptioningRNN
from pellucid.scratch.nets.fully_connected import FullyConnectedNet
from pellucid.scratch.nets.solver import Solver
from pellucid.scratch.nets.three_layer_convnet import ThreeLayerConvNet
from pellucid.scratch.nets.two_layer import TwoLayerNet

Arrays = Mapping[str, np.ndarray]
Row = tuple[str, tuple[int, ...], Sequence[str]]  # layer, shape of what comes out of a sample, its parameters
ROW = 25.0


def by_sign(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))


def table(title: str, rows: Sequence[Row], params: Arrays) -> str:
    """A net from top to bottom: each layer, what comes out of it, and its share of the parameters."""
    total = sum(values.size for values in params.values())
    parts = [caption(left, 46, words) for left, words in ((0, "layer"), (118, "shape"), (216, "parameters"))]
    top = 56.0
    for number, (name, shape, names) in enumerate(rows):
        count = sum(params[own].size for own in names)
        parts += box(0, top, 92, ROW - 9, name, "f1 light" if count else "f6 light", "small")
        parts += arrow((46, top - 9), (46, top), head=4) if number else []
        parts.append(svg.text(118, top + 13, by_sign(shape), "small"))
        if count:
            parts.append(svg.rect(216, top, 250 * count / total, ROW - 9, "f1 light"))
            shown = ", ".join(f"{own} {by_sign(params[own].shape)}" for own in names)
            parts.append(svg.text(220, top + 13, f"{shown}: {count:,}", "small"))
        top += ROW
    parts.append(caption(0, top + 16, f"{total:,} parameters in all; bars are shares"))
    return picture(title, top + 26, f"{title}: {', '.join(name for name, *_ in rows)}; {total:,} parameters.", parts)


def two_layer() -> str:
    p = TwoLayerNet().params
    inputs, hidden, classes = *p["W1"].shape, p["W2"].shape[1]
    rows: list[Row] = [
        ("picture", (3, 32, 32), ()),
        ("flatten", (inputs,), ()),
        ("affine", (hidden,), ("W1", "b1")),
        ("ReLU", (hidden,), ()),
        ("affine", (classes,), ("W2", "b2")),
        ("softmax loss", (1,), ()),
    ]
    return table("Nearly all parameters read the picture", rows, p)


def fully_connected() -> str:
    p = FullyConnectedNet([100, 50], normalization="batchnorm", dropout_keep_ratio=0.5, seed=0).params
    rows: list[Row] = [("picture", (p["W1"].shape[0],), ())]
    for number in (1, 2):
        shape = p[f"W{number}"].shape[1:]
        rows += [("affine", shape, (f"W{number}", f"b{number}"))]
        rows += [
            ("batch norm", shape, (f"gamma{number}", f"beta{number}")),
            ("ReLU", shape, ()),
            ("dropout", shape, ()),
        ]
    rows.append(("affine", p["W3"].shape[1:], ("W3", "b3")))
    return table("The same block again and again, then the scores", rows, p)


def convnet() -> str:
    p = ThreeLayerConvNet().params
    maps = len(p["W1"])
    rows: list[Row] = [
        ("picture", (3, 32, 32), ()),
        ("convolution", (maps, 32, 32), ("W1", "b1")),
        ("ReLU", (maps, 32, 32), ()),
        ("max pooling", (maps, 16, 16), ()),
        ("affine", p["W2"].shape[1:], ("W2", "b2")),
        ("ReLU", p["W2"].shape[1:], ()),
        ("affine", p["W3"].shape[1:], ("W3", "b3")),
    ]
    return table("The convolution is small, what follows is not", rows, p)


def captioner() -> str:
    """Unrolled over four words."""
    words = ["<NULL>", "<START>", "<END>", *(f"word {n}" for n in range(997))]
    p = CaptioningRNN({word: number for number, word in enumerate(words)}).params
    said, following = ("<START>", "a", "cat", "sits"), ("a", "cat", "sits", "<END>")
    parts = [*box(0, 122, 76, 28, "picture", words="small"), *arrow((76, 136), (110, 136))]
    parts.append(svg.text(93, 128, "h₀", "small", "middle"))
    for step, (word, guess) in enumerate(zip(said, following, strict=True)):
        x = 112.0 + 96 * step
        parts += [svg.text(x + 34, 232, word, "small", "middle"), *arrow((x + 34, 218), (x + 34, 202))]
        parts += [*box(x, 176, 68, 26, "W_embed", "f3 light", "small"), *arrow((x + 34, 176), (x + 34, 151))]
        parts += [*box(x, 122, 68, 28, "cell", "f1 light", "small"), *arrow((x + 34, 122), (x + 34, 98))]
        parts += [*box(x, 72, 68, 26, "W_vocab", "f2 light", "small"), *arrow((x + 34, 72), (x + 34, 60))]
        parts.append(svg.text(x + 34, 52, guess, "small", "middle"))
        parts += arrow((x + 68, 136), (x + 94, 136)) if step < 3 else []
    parts.append(caption(0, 52, "should say"))
    parts.append(caption(0, 232, "is told"))
    for number, (colour, names) in enumerate(
        (("f6", ("W_proj", "b_proj")), ("f3", ("W_embed",)), ("f1", ("Wx", "Wh", "b")), ("f2", ("W_vocab", "b_vocab")))
    ):
        x, y = 240.0 * (number % 2), 262.0 + 22 * (number // 2)
        parts.append(svg.rect(x, y - 10, 12, 12, f"{colour} pale"))
        shown = f"{', '.join(names)}: {sum(p[name].size for name in names):,} parameters"
        parts.append(svg.text(x + 18, y, shown, "small"))
    return picture("The picture is the first state; words follow words", 296, "A captioner over four words.", parts)


def clouds(n: int = 60) -> dict[str, Any]:
    """Two classes of points, one around the other, with some noise."""
    rng = np.random.default_rng(1)
    angle, label = rng.uniform(0, 2 * np.pi, 2 * n), np.arange(2 * n) % 2
    radius = 0.55 + 0.85 * label + 0.3 * rng.standard_normal(2 * n)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return {"X_train": points[:n], "y_train": label[:n], "X_val": points[n:], "y_val": label[n:]}


def solver_of(hidden: int, epochs: int, batch_size: int, seed: int = 0) -> Solver:
    """In float64, so that every machine draws the same picture."""
    return Solver(
        FullyConnectedNet([hidden], 2, 2, weight_scale="auto", dtype=np.float64, seed=seed),
        clouds(),
        update_rule="adam",
        optim_config={"learning_rate": 2e-2},
        batch_size=batch_size,
        num_epochs=epochs,
        verbose=False,
        seed=0,
    )


def training() -> str:
    """Loss of each step, accuracies of each epoch."""
    solver = solver_of(40, 20, 12)
    solver.train()
    parts, _ = key({"training": 1, "validation": 2}, y=28, x=246)
    left = panel(40, 86, 186, 150, (1, len(solver.loss_history)), (0, 1.05 * max(solver.loss_history)))
    right = panel(286, 86, 186, 150, (0, solver.epoch), (0.4, 1.02))
    parts += left.frame("step", "loss of the batch") + right.frame("epoch")
    parts.append(left.curve(np.arange(1, len(solver.loss_history) + 1), solver.loss_history, "s1", 1))
    epochs = np.arange(len(solver.val_acc_history))
    for series, history in enumerate((solver.train_acc_history, solver.val_acc_history), 1):
        parts.append(right.curve(epochs, history, f"s{series}", 1))
    best = int(np.argmax(solver.val_acc_history))
    x, y = right.at(best, solver.val_acc_history[best])
    parts += [svg.circle(x, y, 7, "ring axis"), caption(246, 66, "accuracy; ringed: kept")]
    return picture("Batch by batch down, and the best weights kept", 282, "A training: loss and accuracies.", parts)


def checkpoint() -> str:
    """One run without a stop, one resumed, one with the weights alone."""
    steps, stop = 50, 20

    def fresh() -> Solver:
        return solver_of(20, 10, 10)

    whole, resumed, weights = fresh(), fresh(), fresh()
    with tempfile.TemporaryDirectory() as folder:
        for step in range(steps):
            if step == stop:
                whole.save(Path(folder) / "checkpoint.npz")
            whole.step()
            if step + 1 == stop:
                weights.model.params = dict(whole.model.params)
        resumed.resume(Path(folder) / "checkpoint.npz")
    for solver in (resumed, weights):
        for _ in range(steps - stop):
            solver.step()
    x = np.arange(1, steps + 1)
    parts, top = key({"never stopped": 1, "weights alone": 2})
    area = panel(LEFT, top + 30, RIGHT - LEFT, 160, (0, steps), around(whole.loss_history, weights.loss_history))
    parts += area.frame("step", "loss of the batch; dots: resumed from the checkpoint")
    parts.append(area.curve(x[stop:], weights.loss_history, "s2", 1))
    parts.append(area.curve(x, whole.loss_history, "s1", 1))
    parts += [svg.circle(*area.at(n, loss), 3.5, "f1") for n, loss in enumerate(resumed.loss_history[stop:], stop + 1)]
    at = float(area.across(stop))
    parts.append(svg.line(at, area.up.start, at, area.up.stop, "guide"))
    return picture("Resumed, it goes on as if it had never stopped", top + 232, "Losses of three runs.", parts)


def regions() -> str:
    """What three sizes of net can tell apart."""
    data = clouds()
    places = np.linspace(-2.3, 2.3, 78)
    points = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
    parts = []
    for number, hidden in enumerate((1, 3, 60)):
        solver = solver_of(hidden, 120, 60, seed=3)
        for _ in range(120 * solver.iterations_per_epoch):
            solver.step()
        left = 162.0 * number
        area = panel(left, 64, 156, 156, (-2.3, 2.3), (-2.3, 2.3))
        chosen = solver.model.loss(points).argmax(axis=1).reshape(len(places), len(places))[::-1]
        parts.append(svg.text(left, 54, f"{hidden} hidden unit{'s' * (hidden > 1)}"))
        for label in (0, 1):
            parts.append(svg.path(stripes(left, 64, chosen == label, 2), f"f{label + 1} light"))
        for point, label in zip(data["X_train"], data["y_train"], strict=True):
            x, y = area.at(*np.clip(point, -2.25, 2.25))
            parts.append(svg.circle(x, y, 2.5, f"f{label + 1}"))
        train, val = (solver.check_accuracy(data[f"X_{part}"], data[f"y_{part}"]) for part in ("train", "val"))
        parts.append(caption(left, 238, f"{train:.0%} / {val:.0%}"))
    parts.append(caption(0, 262, "accuracy on the points that are drawn / on others"))
    return picture("More units: a boundary that follows the points", 272, "Decision regions of three nets.", parts)


def stripes(x: float, y: float, places: np.ndarray, size: float) -> list[list[tuple[float, float]]]:
    """Rectangles that cover the true places of a grid, one for each run of a row."""
    runs = []
    for row, line in enumerate(places):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]]).astype(int))).tolist()
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            runs.append(corners(x + size * start, y + size * row, size * (stop - start), size))
    return runs


PICTURES: dict[str, Callable[[], str]] = {
    "two-layer-net": two_layer,
    "fully-connected-net": fully_connected,
    "three-layer-convnet": convnet,
    "captioner": captioner,
    "solver": training,
    "checkpoint": checkpoint,
    "decision-regions": regions,
}
