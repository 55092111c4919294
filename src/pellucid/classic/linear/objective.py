"""Objective of a linear classifier: mean loss of the scores and the penalty, over all samples in one pass.

Formula:
    s = X V + b,  W = [V; b]
    P(W) = (1/N) Σ_n L(s_n, y_n) + λ Σ V²
    ∂P/∂V = Xᵀ ∂L/∂s + 2 λ V,  ∂P/∂b = Σ_n ∂L/∂s_n

Derivation:
    It is the lessons' objective, with their losses and penalty; the bias is a row of its own and not penalised, since
    it multiplies no input. Who wants it penalised, as the lessons' bias trick does, appends a column of ones to X and
    leaves the intercept out.
    X takes long to read and is needed twice, for the scores and for the gradient. In blocks of rows that stay in the
    cache it is read once.
"""

from dataclasses import dataclass, field

import numpy as np

from pellucid.classic.linear.losses import ScoreLoss
from pellucid.scratch.losses.penalties import l2_penalty

# N samples, D features, K classes; W (D + 1, K) with the bias as its last row, or (D, K) without

BLOCK = 1024  # rows


@dataclass
class Descent:
    """What minimising gives back, whichever way it went.

    Attributes:
        W: the weights.
        history: the objective before each step and at the end; of SGD the loss of each step's batch.
        converged: whether the estimated distance to the optimum fell below the tolerance.
        diverged: whether the loss grew without bound.
    """

    W: np.ndarray
    history: list[float] = field(default_factory=list)
    converged: bool = False
    diverged: bool = False


@dataclass
class Objective:
    """What is minimised.

    Attributes:
        X: (N, D) samples, floating point.
        y: (N,) labels, integers in 0..K-1.
        loss: of the scores, in the form of the losses of `scratch`.
        reg: λ.
        intercept: whether W has a row for the bias.
        n_classes: K.
    """

    X: np.ndarray
    y: np.ndarray
    loss: ScoreLoss
    reg: float
    intercept: bool
    n_classes: int

    @property
    def shape(self) -> tuple[int, int]:
        """Of W."""
        return self.X.shape[1] + self.intercept, self.n_classes

    def scores(self, W: np.ndarray, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Scores (N, K) in the type of X."""
        return scores_of(self.X[rows], W, self.intercept)

    def value_and_gradient(self, W: np.ndarray) -> tuple[float, np.ndarray]:
        """P (a number) and its gradient, of the shape and type of W."""
        n, D = self.X.shape
        total, dV, db = 0.0, np.zeros((self.n_classes, D), W.dtype), np.zeros(self.n_classes, W.dtype)
        V = np.ascontiguousarray(W[:D], dtype=self.X.dtype)
        b = W[D].astype(self.X.dtype) if self.intercept else None
        for start in range(0, n, BLOCK):
            X, y = self.X[start : start + BLOCK], self.y[start : start + BLOCK]
            scores = X @ V
            if b is not None:
                scores += b
            loss, dscores = self.loss(scores, y)
            total += loss * len(y)
            dscores *= len(y)  # as sums, so that a smaller last block counts less
            dV += dscores.T @ X  # (K, D): quicker than its transpose
            db += dscores.sum(axis=0)
        penalty, dpenalty = l2_penalty(W[:D], self.reg)
        gradient = dV.T / n
        gradient += dpenalty
        if self.intercept:
            gradient = np.concatenate([gradient, db[None] / n])
        return total / n + penalty, gradient

    def value(self, W: np.ndarray) -> float:
        """P alone."""
        total = 0.0
        for start in range(0, len(self.X), BLOCK):
            rows = slice(start, start + BLOCK)
            total += self.loss(self.scores(W, rows), self.y[rows])[0] * len(self.y[rows])
        return total / len(self.X) + l2_penalty(W[: self.X.shape[1]], self.reg)[0]

    def of_rows(self, rows: np.ndarray) -> "Objective":
        """The same of some of the samples."""
        return Objective(self.X[rows], self.y[rows], self.loss, self.reg, self.intercept, self.n_classes)


def scores_of(X: np.ndarray, W: np.ndarray, intercept: bool) -> np.ndarray:
    """X V + b (N, K) in the type of X, for W = [V; b] or V alone."""
    D = X.shape[1]
    scores = X @ W[:D].astype(X.dtype)
    if intercept:
        scores += W[D].astype(X.dtype)
    return scores
