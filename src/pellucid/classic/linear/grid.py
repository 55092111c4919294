"""Grid: every learning rate with every weight of the penalty, the best chosen on the validation data.

The test data are looked at once, by the model that was chosen: looked at by all of them, they would have been part of
the choice. A pair that diverges is reported as such and is never the best: a factor of 1 - 2 lr reg beyond -1, as
-9 for 5e-5 and 1e5, makes the weights grow in each step whatever the data say.

Source: CS231n, assignment 1.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from pellucid.core.errors import ConfigError

Pair = tuple[float, float]  # learning rate, reg


class Classifier(Protocol):
    """What is trained: an estimator with the attribute `diverged_` after its fit."""

    diverged_: bool

    def fit(self, X: Any, y: Any) -> Any:
        """Train."""

    def predict(self, X: Any) -> np.ndarray:
        """Labels (N,)."""


@dataclass(frozen=True)
class Grid:
    """What came out.

    Attributes:
        results: (learning rate, reg) -> (training accuracy, validation accuracy), in 0..1; of a pair that diverged
            those of its last weights that are numbers.
        diverged: the pairs that did.
        best: the pair with the best validation accuracy among the others; the first of equals.
        model: the one trained with it.
        test_accuracy: of the best model; None if there were no test data.
    """

    results: dict[Pair, tuple[float, float]]
    diverged: tuple[Pair, ...]
    best: Pair
    model: Any
    test_accuracy: float | None


def grid(
    make: Callable[[float, float], Classifier],
    learning_rates: Sequence[float],
    regs: Sequence[float],
    train: tuple[np.ndarray, np.ndarray],
    val: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray] | None = None,
) -> Grid:
    """Train a model for each pair.

    Args:
        make: a model that is not trained yet, for a learning rate and a weight of the penalty.
        learning_rates, regs: what is tried.
        train, val: samples and labels; the caller has split them.
        test: the same; for the best model only.

    Raises:
        ConfigError: nothing to try, or all pairs diverged.
    """
    if not len(learning_rates) or not len(regs):
        raise ConfigError("learning_rates and regs must hold one value or more each.")
    results: dict[Pair, tuple[float, float]] = {}
    diverged: list[Pair] = []
    best: Pair | None = None
    chosen: Classifier | None = None
    for pair in product(learning_rates, regs):
        model = make(*pair)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # `diverged` says it
            model.fit(*train)
        results[pair] = accuracy(model, *train), accuracy(model, *val)
        if model.diverged_:
            diverged.append(pair)
        elif best is None or results[pair][1] > results[best][1]:
            best, chosen = pair, model
    if best is None or chosen is None:
        raise ConfigError(
            f"All {len(results)} pairs of learning rate and reg diverged. Lower both: 1 - 2 lr reg must stay above -1."
        )
    return Grid(results, tuple(diverged), best, chosen, None if test is None else accuracy(chosen, *test))


def accuracy(model: Classifier, X: np.ndarray, y: np.ndarray) -> float:
    """Share of right predictions."""
    return float(np.mean(model.predict(X) == y))
