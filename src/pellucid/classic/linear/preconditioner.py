"""Preconditioner: an estimate of the curvature that can be solved for, so that quasi-Newton steps are long.

Formula:
    Hessian of the data part  (1/N) Σ_n C_n ⊗ x_n x_nᵀ,  C_n (K, K) the Hessian of L in the scores of sample n
    U = eigenvectors of the mean of C_n,  c_nu = uᵀ C_n u
    estimate: in the class coordinates U block-diagonal, with blocks  H_u = (1/N) Σ_n c_nu x_n x_nᵀ + 2 λ I

Derivation:
    The full Hessian has (D K)² entries. Blocks for single classes would lose that classes are exchanged: where four
    garments are mistaken for each other and never for a shoe, moving the scores of all four hardly changes the loss,
    though moving one of them does. The eigenvectors of the mean C separate these motions, and each gets the samples
    that bend the loss in its direction.
    Such samples are few: those that the classifier is sure of have c ≈ 0. So of each block at most `limit` rows are
    drawn, with a probability q_n proportional to c and the weight c / q: the sum stays right on average.
    With many features a block for each direction is too much. Then one block serves all, from a few samples, and
    beyond that a diagonal; L-BFGS learns the rest, and the scale.

Source: Böhning, "Multinomial logistic regression algorithm", 1992 (the form of C); Pilanci and Wainwright, "Newton
sketch", 2017 (that samples of rows will do).
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy.linalg import cho_solve, cholesky

from pellucid.classic.linear.objective import Objective

# N samples, D features (with the ones of the bias), K classes

Solve: TypeAlias = Callable[[np.ndarray], np.ndarray]
Curvature: TypeAlias = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]]

MOST_FEATURES = 2500  # beyond, a block for each direction takes longer than it saves
MOST_SHARED = 12_000  # beyond, even one block is too large
ROWS_PER_FEATURE = 8
LEAST_ROWS = 2000


def softmax_curvature(p: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Mean C (K, K) and u -> c_nu (N,) for probabilities p (N, K): C_n = diag(p_n) - p_n p_nᵀ."""
    mean = np.diag(p.mean(axis=0)) - p.T @ p / len(p)
    return mean, lambda u: np.maximum(p @ (u * u) - (p @ u) ** 2, 0)


def diagonal(objective: Objective, bend: float) -> Solve:
    """Per feature its mean square, times a typical second derivative."""
    X = objective.X
    squares = np.einsum("nd,nd->d", X, X, dtype=np.float64) / len(X) * bend + 2 * objective.reg
    if objective.intercept:
        squares = np.append(squares, bend)
    floor = 1e-3 * float(squares.mean()) or 1.0
    weights = 1 / np.maximum(squares, floor)[:, None]
    return lambda gradient: weights * gradient


def shared(objective: Objective, bend: float) -> Solve:
    """One block for all classes, from the mean of x xᵀ: a start, when nothing is known of the weights."""
    return _shared(objective, bend, slice(None))


def rough(objective: Objective, bend: float, rng: np.random.Generator) -> Solve:
    """For many features: one block from some of the samples, or a diagonal; its scale is a guess."""
    n, D = len(objective.X), objective.shape[0]
    if D > MOST_SHARED:
        return diagonal(objective, bend)
    rows = max(2 * D, LEAST_ROWS)
    return _shared(objective, bend, np.sort(rng.choice(n, rows, replace=False)) if rows < n else slice(None))


def _shared(objective: Objective, bend: float, rows: np.ndarray | slice) -> Solve:
    samples = with_ones(objective.X, objective.intercept, rows)
    block = _factor(samples, len(samples), bend, 2 * objective.reg, objective)
    return lambda gradient: cho_solve(block, gradient.astype(objective.X.dtype)).astype(gradient.dtype)


def by_direction(
    objective: Objective, curvature: tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]], rng: np.random.Generator
) -> Solve:
    """Blocks in the coordinates of the class directions."""
    mean, along = curvature
    dtype, n = objective.X.dtype, len(objective.X)
    U = np.linalg.eigh(mean.astype(np.float64))[1]
    limit = max(ROWS_PER_FEATURE * objective.shape[0], LEAST_ROWS)
    factors = []
    for u in U.T:
        c = along(u.astype(dtype)).astype(np.float64)
        kept = keep_probability(c, limit)
        rows = np.flatnonzero(rng.random(n) < kept)
        samples = with_ones(objective.X, objective.intercept, rows)
        samples *= np.sqrt(c[rows] / kept[rows]).astype(dtype)[:, None]
        factors.append(_factor(samples, n, 1.0, 2 * objective.reg, objective))

    def solve(gradient: np.ndarray) -> np.ndarray:
        turned = (gradient @ U).astype(dtype)
        solved = np.stack([cho_solve(factor, turned[:, k]) for k, factor in enumerate(factors)], axis=1)
        return solved.astype(gradient.dtype) @ U.T

    return solve


def keep_probability(weights: np.ndarray, limit: int) -> np.ndarray:
    """For each row the probability, proportional to its weight and at most 1, that keeps about `limit` of them."""
    if np.count_nonzero(weights) <= limit:
        return (weights > 0).astype(np.float64)
    kept = np.minimum(1, weights * (limit / weights.sum()))
    for _ in range(4):  # what is cut off at 1 goes to the others
        sure = kept >= 1
        if sure.all() or not (rest := weights[~sure].sum()):
            break
        kept = np.where(sure, 1, np.minimum(1, weights * (max(limit - sure.sum(), 0) / rest)))
    return kept


def with_ones(X: np.ndarray, intercept: bool, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
    """A copy of some rows, with a last column of ones if there is a bias."""
    chosen = X[rows]
    full = np.ones((len(chosen), X.shape[1] + intercept), X.dtype)
    full[:, : X.shape[1]] = chosen
    return full


def _factor(samples: np.ndarray, n: int, scale: float, ridge: float, objective: Objective) -> tuple[np.ndarray, bool]:
    gram = samples.T @ samples
    gram *= scale / n
    return factor(gram, ridge, objective.X.shape[1])


def factor(gram: np.ndarray, ridge: float, n_penalised: int) -> tuple[np.ndarray, bool]:
    """Cholesky factor of a Gram matrix with the penalty on its diagonal, and a trace of more against rounding."""
    diagonal = np.einsum("ii->i", gram)  # a view
    eps = float(np.finfo(gram.dtype).eps)
    slack = max(10 * eps * float(diagonal.mean()), eps**0.5 * ridge)  # a block without samples has the penalty alone
    diagonal[:n_penalised] += gram.dtype.type(ridge)
    diagonal += gram.dtype.type(max(slack, np.finfo(gram.dtype).tiny))
    while True:
        try:
            return cholesky(gram, lower=True, check_finite=False), True
        except np.linalg.LinAlgError:
            slack = max(10 * slack, 10 * float(np.finfo(gram.dtype).tiny))
            diagonal += gram.dtype.type(slack)
