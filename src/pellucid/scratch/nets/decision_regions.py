"""Capacity, seen: how many pieces a classifier cuts the plane into.

Formula:
    regions = connected components of {x : predict(x) = c}, over all classes c, on a grid

Derivation:
    A ReLU net is linear on each piece of a partition of its input, and a hidden unit adds a line along which the pieces
    are cut. More units allow more pieces, and so a boundary that follows each sample; whether it should is another
    question, which the gap between training and validation accuracy answers. Components are found by letting each
    place of the grid take the smallest number among its neighbours of the same class, until nothing changes.

Source: CS231n notes, "Neural Networks Part 1", setting the number of layers and their sizes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.scratch.nets.fully_connected import FullyConnectedNet
from pellucid.scratch.nets.solver import Solver

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Capacity:
    """What a net of this size did.

    Attributes:
        hidden: units of each hidden layer.
        regions: pieces of the plane.
        train_accuracy, val_accuracy: in 0..1.
    """

    hidden: tuple[int, ...]
    regions: int
    train_accuracy: float
    val_accuracy: float

    @property
    def gap(self) -> float:
        """Training accuracy minus validation accuracy: large when noise was learnt."""
        return self.train_accuracy - self.val_accuracy


def region_count(predict: Callable[[np.ndarray], np.ndarray], box: Box, resolution: int = 100) -> int:
    """Connected regions of equal class in a rectangle; places touch by their sides.

    Args:
        predict: takes points (N, 2), returns classes (N,).
        box: (x from, y from, x to, y to).
        resolution: places along each side; finer ones see smaller regions.
    """
    left, low, right, high = box
    x, y = np.meshgrid(np.linspace(left, right, resolution), np.linspace(low, high, resolution))
    classes = np.asarray(predict(np.stack([x.ravel(), y.ravel()], axis=-1))).reshape(x.shape)
    beside, below = classes[:, 1:] == classes[:, :-1], classes[1:] == classes[:-1]
    number = np.arange(x.size).reshape(x.shape)
    while True:
        before = number.copy()
        for mine, other, same in (
            (number[:, 1:], number[:, :-1], beside),
            (number[1:], number[:-1], below),
        ):
            mine[same] = np.minimum(mine, other)[same]
            other[same] = np.minimum(mine, other)[same]
        number = number.ravel()[number]  # a number is a place of the same region, whose own may be smaller already
        if np.array_equal(number, before):
            return len(np.unique(number))


def capacity_table(
    hidden: Sequence[Sequence[int]], data: Mapping[str, np.ndarray], box: Box, num_epochs: int = 100, seed: int = 0
) -> list[Capacity]:
    """Train one net for each choice of hidden layers on the same points, and count its regions.

    Args:
        hidden: units of each hidden layer, for each net: [[1], [50], [50, 50]].
        data: X_train (N, 2), y_train (N,), X_val, y_val, as for `Solver`.
        box: where regions are counted.
        num_epochs: passes over the data.
        seed: of weights and batches.
    """
    rows = []
    classes = int(data["y_train"].max()) + 1
    for units in hidden:
        net = FullyConnectedNet(units, 2, classes, weight_scale="auto", seed=seed)
        solver = Solver(
            net,
            data,
            update_rule="adam",
            optim_config={"learning_rate": 2e-2},
            batch_size=50,
            num_epochs=num_epochs,
            verbose=False,
            seed=seed,
        )
        for _ in range(num_epochs * solver.iterations_per_epoch):
            solver.step()  # not `train`, which gives back the best weights: here the last ones are of interest
        train, val = (solver.check_accuracy(data[f"X_{part}"], data[f"y_{part}"]) for part in ("train", "val"))
        rows.append(Capacity(tuple(units), region_count(net.predict, box), train, val))
    return rows
