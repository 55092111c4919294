"""Newton's method for the squared hinge, one class against the rest.

Formula:
    P_k(w) = (1/N) Σ_n max(0, 1 - t_n s_n)² + λ |v|²,  s = X v + b, w = [v; b]
    A = {n: t_n s_n < 1},  H = (2/N) X_Aᵀ X_A + 2 λ I,  w ← w - η H⁻¹ g

Derivation:
    Samples beyond their margin have neither loss nor curvature; for the others the loss is a square, so with A fixed
    one step lands on the minimum. Only A has to be found, and it soon hardly changes. So the Gram matrix of A is kept,
    and only the rows that enter it are added and those that leave it subtracted: a few dozen in the last steps.
    The step length η is the minimum along the line, which costs a few passes over the scores, not over X.

Source: Keerthi and DeCoste, "A modified finite Newton method for fast solution of large scale linear SVMs", 2005.
"""

import numpy as np
from scipy.linalg import cho_solve

from pellucid.classic.linear.objective import Descent, Objective, scores_of
from pellucid.classic.linear.preconditioner import factor, with_ones
from pellucid.scratch.losses.penalties import l2_penalty

LINE_STEPS = 4
ROWS_AT_A_TIME = 8192  # of a Gram matrix: they are copied


def minimise_one_vs_rest(objective: Objective, W: np.ndarray, tol: float, max_iter: int) -> Descent:
    """All classes together, each with its own A, Gram matrix and step length.

    Args:
        objective: its loss is `one_vs_rest_squared_hinge`.
        W: where to start; not changed.
        tol: the estimated distance to the optimum that will do, relative to the objective.
        max_iter: most steps.
    """
    X, n, D = objective.X, *objective.X.shape
    signs = np.where(objective.y == np.arange(objective.n_classes)[:, None], 1, -1).astype(X.dtype)  # (K, N)
    grams = np.zeros((objective.n_classes, len(W), len(W)), X.dtype)
    was = np.zeros(signs.shape, dtype=bool)
    scores = np.ascontiguousarray(objective.scores(W).T)  # (K, N)
    history: list[float] = []
    converged = False
    while True:
        margins = np.maximum(1 - signs * scores, 0)
        value = float(np.vdot(margins, margins)) / n + l2_penalty(W[:D], objective.reg)[0]
        history.append(value)
        gradient = _gradient(objective, W, signs * margins)
        active = margins > 0
        _update(grams, objective, was, active)
        was = active
        step = _newton_step(objective, grams, active, gradient)
        converged = float(np.vdot(gradient, step)) / 2 <= tol * value
        if converged or len(history) > max_iter:
            break
        along = np.ascontiguousarray(scores_of(X, step, objective.intercept).T)
        lengths = _line_search(signs * scores, signs * along, W[:D], step[:D], objective.reg)
        W = W - lengths * step
        scores -= lengths[:, None].astype(X.dtype) * along
    return Descent(W, history, converged)


def _gradient(objective: Objective, W: np.ndarray, pulls: np.ndarray) -> np.ndarray:
    """From t max(0, 1 - t s) (K, N)."""
    n, D = objective.X.shape
    gradient = (pulls @ objective.X).T.astype(W.dtype) * (-2 / n) + l2_penalty(W[:D], objective.reg)[1]
    if objective.intercept:
        gradient = np.concatenate([gradient, -2 / n * pulls.sum(axis=1, dtype=W.dtype)[None]])
    return gradient


def _update(grams: np.ndarray, objective: Objective, was: np.ndarray, active: np.ndarray) -> None:
    """Bring the Gram matrices from the rows that were active to those that are."""
    if not was.any() and active.all():
        first = np.zeros_like(grams[0])
        _add(first, objective, np.arange(len(objective.X)), 1)
        grams[:] = first
        return
    for gram, before, now in zip(grams, was, active, strict=True):
        entering, leaving = now & ~before, before & ~now
        if entering.sum() + leaving.sum() >= now.sum():  # less work anew
            gram[:] = 0
            entering, leaving = now, np.zeros_like(now)
        _add(gram, objective, np.flatnonzero(entering), 1)
        _add(gram, objective, np.flatnonzero(leaving), -1)


def _add(gram: np.ndarray, objective: Objective, rows: np.ndarray, sign: int) -> None:
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        samples = with_ones(objective.X, objective.intercept, rows[start : start + ROWS_AT_A_TIME])
        product = samples.T @ samples
        if sign > 0:
            gram += product
        else:
            gram -= product


def _newton_step(objective: Objective, grams: np.ndarray, active: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """H⁻¹ g of each class; where A is everything, as at the start, one H serves all."""
    n, D = objective.X.shape
    steps, shared = np.empty_like(gradient), None
    for k, gram in enumerate(grams):
        everything = bool(active[k].all())
        if shared is None or not everything:
            solved = factor(gram * gram.dtype.type(2 / n), 2 * objective.reg, D)
            shared = solved if everything else None
        steps[:, k] = cho_solve(
            shared if everything and shared is not None else solved, gradient[:, k].astype(gram.dtype)
        )
    return steps


def _line_search(scores: np.ndarray, along: np.ndarray, V: np.ndarray, step: np.ndarray, reg: float) -> np.ndarray:
    """Of each class the η that is best for V - η step; scores and their changes (K, N) are times t.

    Newton again, in one variable.
    """
    n = scores.shape[1]
    lengths = np.ones(len(scores))
    pull, own = np.einsum("dk,dk->k", V, step), np.einsum("dk,dk->k", step, step)
    for _ in range(LINE_STEPS):
        margins = lengths[:, None].astype(along.dtype) * along
        margins -= scores
        margins += 1
        np.maximum(margins, 0, out=margins)
        first = 2 / n * np.einsum("kn,kn->k", margins, along) - 2 * reg * (pull - lengths * own)
        second = 2 / n * np.einsum("kn,kn,kn->k", (margins > 0).astype(along.dtype), along, along) + 2 * reg * own
        change = np.divide(first, second, out=np.zeros_like(first), where=second > 0)
        lengths = np.clip(lengths - change, 0.05, 4)
        if np.abs(change).max() < 0.02:
            break
    return lengths
