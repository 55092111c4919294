"""Linear support vector machine.

Objective: (1/N) Σ_n L_n + reg Σ W², the bias not penalised, with

    hinge          L_n = Σ_{j ≠ y} max(0, s_j - s_y + 1), all classes together (Weston and Watkins), as in the lessons
    squared_hinge  L_n = Σ_k max(0, 1 ∓ s_k)², each class against the rest, as scikit-learn's `LinearSVC`

scikit-learn's `LinearSVC(C=C)` minimises ½ |w|² + C Σ_n L_n for each class, and penalises the bias.
    squared_hinge: the same for reg = 1 / (2 N C), if the bias is penalised here too: a column of ones in X and
        fit_intercept=False.
    hinge with two classes: the two vectors of weights are of opposite signs; with v their difference the loss is
        max(0, 1 - t v x) and the penalty reg |v|² / 2. So it is `LinearSVC(loss="hinge")` for reg = 1 / (N C).
"""

from functools import partial
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
from pellucid.classic.linear.losses import ScoreLoss, one_vs_rest_squared_hinge, smooth_hinge
from pellucid.classic.linear.newton import minimise_one_vs_rest
from pellucid.classic.linear.objective import Descent, Objective
from pellucid.classic.linear.preconditioner import (
    MOST_FEATURES,
    rough,
    shared,
)
from pellucid.classic.linear.quasi_newton import minimise, on_a_part
from pellucid.classic.linear.span import in_span, out_of_span
from pellucid.core.choose import choose
from pellucid.scratch.losses.svm import svm_loss

MAX_ITER = 3000
LOSSES: dict[str, ScoreLoss] = {"hinge": svm_loss, "squared_hinge": one_vs_rest_squared_hinge}
SOLVERS = {"auto": "newton", "newton": "newton", "sgd": "sgd"}
SMALL = 1 << 23  # numbers; float32 cannot tell the curvature of separable rows of pixels from rounding
NARROWEST = 1e-6  # of the rounded hinge


class LinearSVM(LinearEstimator):
    """Linear support vector machine.

    Args:
        reg: weight of the penalty.
        loss: `squared_hinge`, or `hinge`, whose kinks make the way to the optimum a long one.
        solver: `newton` (`auto`), which goes to the optimum, or `sgd`, the course's.
        learning_rate: of SGD.
        max_iter: most steps; None for 3000, or 2000 of SGD, which makes them all.
        batch_size: samples of a step of SGD.
        fit_intercept: with a bias.
        tol: the estimated distance to the optimum, relative to the objective, at which to stop; not for SGD.
        random_state: of SGD's first weights and batches, and of the samples the curvature is estimated from.

    Attributes:
        classes_: (K,) labels.
        coef_: (K, D) weights; of two classes (1, D). In the float type of X.
        intercept_: (K,) or (1,).
        history_: the objective before each step and at the end (of the hinge the rounded one); of SGD the loss of
            each batch.
        n_iter_: how many entries the history has.
        converged_: whether the tolerance was reached; of SGD, that it did not diverge.
        diverged_: whether SGD left all bounds; the last weights that are numbers are kept.
    """

    def __init__(
        self,
        reg: float = 1e-4,
        *,
        loss: Literal["hinge", "squared_hinge"] = "squared_hinge",
        solver: Literal["auto", "newton", "sgd"] = "auto",
        learning_rate: float = 1e-3,
        max_iter: int | None = None,
        batch_size: int = 200,
        fit_intercept: bool = True,
        tol: float = 5e-5,
        random_state: Any = 0,
    ) -> None:
        self.reg = reg
        self.loss = loss
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
        loss, solver = choose(self.loss, LOSSES, "loss"), choose(self.solver, SOLVERS, "solver")
        X, labels, classes = check_training(self, X, y)
        rng, K = generator(self.random_state), len(classes)
        samples, directions = in_span(X)
        exact = samples if samples.size > SMALL else samples.astype(np.float64)
        objective = Objective(exact, labels, loss, self.reg, self.fit_intercept, K)
        if solver == "sgd":
            descent = descend(
                loss, X, labels, K, self.reg, self.fit_intercept,
                self.learning_rate, self.batch_size, self.max_iter, rng,
            )  # fmt: skip
        elif self.loss == "hinge":
            descent = minimise_hinge(objective, self.tol, self.max_iter or MAX_ITER, rng)
        else:
            descent = minimise_squared_hinge(objective, self.tol, self.max_iter or MAX_ITER, rng)
        if solver != "sgd":
            descent.W = out_of_span(descent.W, directions)
        if self.loss == "squared_hinge" and K == 2:
            descent.W = descent.W / 2  # each class has the whole vector here, not half of it
        keep(self, descent, classes, X, self.fit_intercept)
        return self


def minimise_squared_hinge(objective: Objective, tol: float, max_iter: int, rng: np.random.Generator) -> Descent:
    """Go to the optimum: by Newton's method, unless there are too many features for it."""
    W = np.zeros(objective.shape)
    if objective.shape[0] > MOST_FEATURES:
        return minimise(objective, W, rough(objective, 1.0, rng), tol, max_iter, rescale=True)
    return minimise_one_vs_rest(objective, W, tol, max_iter)


def minimise_hinge(objective: Objective, tol: float, max_iter: int, rng: np.random.Generator) -> Descent:
    """Go to the optimum by rounding the kink less and less, until the difference from the hinge does not matter."""
    W, width, history = np.zeros(objective.shape), 1.0, list[float]()
    many = objective.shape[0] > MOST_FEATURES
    solve = rough(objective, 1.0, rng) if many else shared(on_a_part(objective, rng), 1.0)
    while True:
        rounded = Objective(
            objective.X, objective.y, partial(smooth_hinge, width=width), objective.reg, objective.intercept,
            objective.n_classes,
        )  # fmt: skip

        descent = minimise(rounded, W, solve, tol / 20, max_iter - len(history), rescale=True)
        W, history = descent.W, history + descent.history
        close = objective.value(W) - descent.history[-1] <= tol / 2 * descent.history[-1]
        if close or width < NARROWEST or len(history) >= max_iter:
            return Descent(W, history, descent.converged and close)
        width /= 4
