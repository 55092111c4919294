"""The grid: chosen on validation data, tested once, and the divergent corner is told rather than raised."""

from functools import partial

import numpy as np
import pytest

from pellucid.classic.linear.grid import grid
from pellucid.classic.linear.svm import LinearSVM
from pellucid.core.errors import ConfigError


def data(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    return 10 * np.random.default_rng(9).standard_normal((3, 5))[y] + 10 * rng.standard_normal((n, 5)), y


def make(lr: float, reg: float) -> LinearSVM:
    return LinearSVM(reg, loss="hinge", solver="sgd", learning_rate=lr, max_iter=200)


def test_the_grid_of_the_course() -> None:
    train, val, test = data(0), data(1), data(2)
    seen: list[tuple[float, float, int]] = []

    class Watched(LinearSVM):
        def predict(self, X: np.ndarray) -> np.ndarray:
            seen.append((self.learning_rate, self.reg, [id(part[0]) for part in (train, val, test)].index(id(X))))
            return super().predict(X)

    found = grid(
        lambda lr, reg: Watched(reg, loss="hinge", solver="sgd", learning_rate=lr, max_iter=200),
        [1e-7, 5e-5], [1.0, 5e4, 1e5], train, val, test,
    )  # fmt: skip
    assert set(found.results) == {(lr, reg) for lr in (1e-7, 5e-5) for reg in (1.0, 5e4, 1e5)}
    assert found.diverged == ((5e-5, 5e4), (5e-5, 1e5))  # factors -4 and -9
    sound = {pair: val_accuracy for pair, (_, val_accuracy) in found.results.items() if pair not in found.diverged}
    assert found.results[found.best][1] == max(sound.values())
    assert found.test_accuracy == pytest.approx(found.model.score(*test))
    tested = [entry for entry in seen if entry[2] == 2]
    assert tested[0][:2] == found.best and len(tested) == 2  # by the grid once, and by the line above
    for pair, (train_accuracy, val_accuracy) in found.results.items():
        assert 0 <= train_accuracy <= 1 and 0 <= val_accuracy <= 1, pair


def test_the_best_is_the_one_validation_likes_even_if_training_does_not() -> None:
    class Fixed:
        diverged_ = False

        def __init__(self, train: int, val: int) -> None:
            self.right = {4: train, 5: val}

        def fit(self, X: np.ndarray, y: np.ndarray) -> None:
            return None

        def predict(self, X: np.ndarray) -> np.ndarray:
            return (np.arange(len(X)) < self.right[len(X)]).astype(int)

    table = {(1.0, 1.0): Fixed(4, 2), (1.0, 2.0): Fixed(1, 4), (2.0, 1.0): Fixed(3, 4), (2.0, 2.0): Fixed(4, 3)}
    found = grid(
        lambda lr, reg: table[lr, reg], [1.0, 2.0], [1.0, 2.0],
        (np.zeros((4, 1)), np.ones(4)), (np.zeros((5, 1)), np.ones(5)),
    )  # fmt: skip
    assert found.best == (1.0, 2.0) and found.model is table[1.0, 2.0]  # the first of equals
    assert found.results[1.0, 2.0] == (0.25, 0.8) and found.test_accuracy is None


def test_errors() -> None:
    run = partial(grid, make, train=data(0), val=data(1))
    with pytest.raises(ConfigError, match="All 1 pairs of learning rate and reg diverged. Lower both"):
        run(learning_rates=[5e-5], regs=[1e5])
    with pytest.raises(ConfigError, match="learning_rates and regs must hold one value or more each."):
        run(learning_rates=[], regs=[1.0])
