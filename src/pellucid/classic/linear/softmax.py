"""Softmax regression: a linear classifier whose scores are read as probabilities.

Objective: (1/N) Σ_n L_n + reg Σ W², the softmax loss of the lessons; the bias is not penalised.

scikit-learn's `LogisticRegression(C=C)` minimises C Σ_n L_n + ½ Σ W². With three classes or more it is the same for
reg = 1 / (2 N C). With two classes it has one vector of weights where there are two here, of opposite signs and half
the length each: the same for reg = 1 / (N C).
"""

from typing import Any, Literal, Self

import numpy as np

from pellucid.classic.linear.estimator import (
    LinearEstimator,
    check_settings,
    check_training,
    descend,
    generator,
    keep,
)
from pellucid.classic.linear.objective import Descent, Objective
from pellucid.classic.linear.preconditioner import (
    MOST_FEATURES,
    Solve,
    by_direction,
    rough,
    shared,
    softmax_curvature,
)
from pellucid.classic.linear.quasi_newton import minimise, on_a_part
from pellucid.classic.linear.span import in_span, out_of_span
from pellucid.core.choose import choose
from pellucid.scratch.losses.softmax import softmax, softmax_loss

MAX_ITER = 500
SOLVERS = {"auto": "quasi-newton", "quasi-newton": "quasi-newton", "sgd": "sgd"}


class SoftmaxRegression(LinearEstimator):
    """Softmax regression.

    Args:
        reg: weight of the penalty.
        solver: `quasi-newton` (`auto`), which goes to the optimum, or `sgd`, the course's.
        learning_rate: of SGD.
        max_iter: most steps; None for 500, or 2000 of SGD, which makes them all.
        batch_size: samples of a step of SGD.
        fit_intercept: with a bias.
        tol: the estimated distance to the optimum, relative to the objective, at which to stop; not for SGD.
        random_state: of SGD's first weights and batches, and of the samples the curvature is estimated from.

    Attributes:
        classes_: (K,) labels.
        coef_: (K, D) weights; of two classes (1, D), the second's minus the first's. In the float type of X.
        intercept_: (K,) or (1,).
        history_: the objective before each step and at the end; of SGD the loss of each batch.
        n_iter_: how many entries the history has.
        converged_: whether the tolerance was reached; of SGD, that it did not diverge.
        diverged_: whether SGD left all bounds; the last weights that are numbers are kept.
    """

    def __init__(
        self,
        reg: float = 1e-4,
        *,
        solver: Literal["auto", "quasi-newton", "sgd"] = "auto",
        learning_rate: float = 1e-3,
        max_iter: int | None = None,
        batch_size: int = 200,
        fit_intercept: bool = True,
        tol: float = 1e-5,
        random_state: Any = 0,
    ) -> None:
        self.reg = reg
        self.solver = solver
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to samples (N, D), floating point or uint8 (taken as 0..255), and labels (N,) of any type.

        Raises:
            ConfigError: a setting that is unknown or out of range.
            DataError: values that are not finite, or fewer than two classes.
        """
        check_settings(self)
        solver = choose(self.solver, SOLVERS, "solver")
        X, labels, classes = check_training(self, X, y)
        rng, K = generator(self.random_state), len(classes)
        if solver == "sgd":
            descent = descend(
                softmax_loss, X, labels, K, self.reg, self.fit_intercept,
                self.learning_rate, self.batch_size, self.max_iter, rng,
            )  # fmt: skip
        else:
            samples, directions = in_span(X)
            objective = Objective(samples, labels, softmax_loss, self.reg, self.fit_intercept, K)
            descent = minimise_softmax(objective, self.tol, self.max_iter or MAX_ITER, rng)
            descent.W = out_of_span(descent.W, directions)
        keep(self, descent, classes, X, self.fit_intercept)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (N, K) of the classes."""
        scores = self.decision_function(X)
        return softmax(np.stack([-scores / 2, scores / 2], axis=1) if scores.ndim == 1 else scores)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities (N, K)."""
        return np.log(self.predict_proba(X))


def minimise_softmax(objective: Objective, tol: float, max_iter: int, rng: np.random.Generator) -> Descent:
    """Go to the optimum: first roughly on a part of the samples, then on all, with the curvature found there."""
    W, bend = np.zeros(objective.shape), 1 / objective.n_classes
    if objective.shape[0] > MOST_FEATURES:
        return minimise(objective, W, rough(objective, bend, rng), tol, max_iter, rescale=True)

    def curvature(W: np.ndarray) -> Solve:
        return by_direction(objective, softmax_curvature(softmax(objective.scores(W)), objective.y), rng)

    part = on_a_part(objective, rng)
    W = minimise(part, W, shared(part, bend), 1e-2, 20).W
    return minimise(objective, W, curvature(W), tol, max_iter, refresh=curvature)
