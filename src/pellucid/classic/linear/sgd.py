"""Stochastic gradient descent for linear classifiers: the course's, with small batches drawn at random.

Formula:
    repeat: B samples, drawn with replacement -> loss and gradient of their mean loss + λ Σ V² -> W ← W - η dW
    scores = X W,  prediction = argmax of the scores

Derivation:
    The penalty alone multiplies V by 1 - 2 η λ in each step. Beyond -1, from η λ = 1 on, the weights grow whatever the
    data say: η = 5e-5 with λ = 1e5 gives -9. So does a learning rate too large for the data. Then the loss leaves all
    bounds within a few steps; training ends there, says so, and keeps the last weights that are numbers.

Source: CS231n, assignment 1; Robbins and Monro, "A stochastic approximation method", 1951.
"""

import math

import numpy as np

from pellucid.classic.linear.losses import ScoreLoss
from pellucid.classic.linear.objective import scores_of
from pellucid.core.config import is_number, is_whole, require
from pellucid.core.errors import DataError
from pellucid.scratch.losses.penalties import l2_penalty
from pellucid.scratch.losses.targets import require_linear
from pellucid.scratch.optimisers.sgd import sgd

START = 1e-3  # standard deviation of the first weights
BOUND = 1e6  # times the first loss, or 1: no step of a training that goes well is there
ENDED_ABOVE = 10  # times the first loss, or 1

# N samples, D features, K classes


class LinearClassifier:
    """Scores X W, trained by `train`.

    Args:
        loss: of the scores, such as `svm_loss` or `softmax_loss`.
        intercept: give W one more row, the bias, which is not penalised.
        seed: of the first weights and of the batches.

    Attributes:
        W: (D, K) weights, or (D + 1, K) with the bias as the last row; None before the first training, which makes
            small random ones. A later training goes on with them.
        diverged: whether the last training left all bounds.
    """

    def __init__(self, loss: ScoreLoss, intercept: bool = False, seed: int = 0) -> None:
        self.score_loss, self.intercept = loss, intercept
        self.W: np.ndarray | None = None
        self.diverged = False
        self.rng = np.random.default_rng(seed)

    def train(
        self,
        X: np.ndarray,
        y: np.ndarray,
        learning_rate: float = 1e-3,
        reg: float = 1e-5,
        num_iters: int = 100,
        batch_size: int = 200,
        n_classes: int | None = None,
    ) -> list[float]:
        """Make `num_iters` steps.

        Args:
            X: (N, D) samples, floating point.
            y: (N,) labels, integers from 0 on.
            learning_rate: η.
            reg: λ.
            num_iters: steps.
            batch_size: samples of a step, drawn with replacement.
            n_classes: K of the first weights; None for the largest label and one more.

        Returns:
            The loss of each step: `num_iters` of them, or fewer if training diverged.

        Raises:
            ConfigError: a setting that is out of range.
            DataError: no samples, or the shapes do not fit.
        """
        require(is_number(learning_rate) and learning_rate > 0, "learning_rate", "above 0", learning_rate)
        require(is_number(reg) and reg >= 0, "reg", "0 or more", reg)
        require(is_whole(num_iters) and num_iters >= 1, "num_iters", "1 or more", num_iters)
        require(is_whole(batch_size) and batch_size >= 1, "batch_size", "1 or more", batch_size)
        if not len(X) or len(X) != len(y):
            raise DataError(f"X and y must have the same number of samples, 1 or more, got {len(X)} and {len(y)}.")
        if self.W is None:
            shape = X.shape[1] + self.intercept, n_classes or int(y.max()) + 1
            self.W = (START * self.rng.standard_normal(shape)).astype(X.dtype)
        history: list[float] = []
        self.diverged = False
        for _ in range(num_iters):
            rows = self.rng.integers(len(X), size=batch_size)
            with np.errstate(over="ignore", invalid="ignore"):
                loss, gradient = self.loss(X[rows], y[rows], reg)
                following, _config = sgd(self.W, gradient, {"learning_rate": learning_rate})
            if not math.isfinite(loss) or loss > BOUND * max([1.0, *history[:1]]):
                self.diverged = True
                return history
            history.append(loss)
            if not np.isfinite(following).all():
                self.diverged = True
                return history
            self.W = following
        self.diverged = history[-1] > ENDED_ABOVE * max(1.0, history[0])
        return history

    def loss(self, X: np.ndarray, y: np.ndarray, reg: float) -> tuple[float, np.ndarray]:
        """Mean loss with the penalty, and its gradient with respect to W."""
        W = self._trained()
        require_linear(W[: len(W) - self.intercept], X)
        loss, dscores = self.score_loss(scores_of(X, W, self.intercept), y)
        penalty, dpenalty = l2_penalty(W[: X.shape[1]], reg)
        gradient = X.T @ dscores + dpenalty
        if self.intercept:
            gradient = np.concatenate([gradient, dscores.sum(axis=0)[None]])
        return loss + penalty, gradient.astype(W.dtype, copy=False)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The class with the largest score, for each sample: (N,) integers."""
        W = self._trained()
        require_linear(W[: len(W) - self.intercept], X)
        return scores_of(X, W, self.intercept).argmax(axis=1)

    def _trained(self) -> np.ndarray:
        if self.W is None:
            raise DataError("There are no weights yet. Call train(X, y) first, or set W.")
        return self.W
