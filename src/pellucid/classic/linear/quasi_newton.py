"""Quasi-Newton: L-BFGS that starts from a good estimate of the curvature instead of the identity.

Formula:
    d = H⁻¹ g,  W ← W - η d,  η = 1 or the first of 1/2, 1/4, ... that lowers P enough
    H⁻¹ = the solve of the preconditioner, corrected by the last m pairs (ΔW, Δg)
    estimated distance to the optimum: P(W) - P* ≈ ½ gᵀ d

Derivation:
    Near the optimum P is a bowl; a Newton step lowers it by ½ gᵀ H⁻¹ g, which is all there is to gain. With raw pixels
    the bowl is a thousand times longer than wide and plain L-BFGS spends hundreds of passes on finding that out;
    the Gram matrix of the samples knows it beforehand.
    On a bowl whose curvature is only estimated ½ gᵀ d is an estimate too, which the pairs make better in each step.

Source: Nocedal and Wright, "Numerical optimization", 2006, algorithms 7.4 and 7.5.
"""

from collections import deque
from collections.abc import Callable

import numpy as np

from pellucid.classic.linear.objective import Descent, Objective
from pellucid.classic.linear.preconditioner import Solve

PAIRS = 20
ENOUGH = 1e-4  # of the decrease that the slope promises
HALVINGS = 30
RECENT = 8  # steps
PART, PART_PER_FEATURE = 5000, 20  # samples that a start is made from
REFRESH = 8  # steps with one estimate of the curvature, before a new one may be asked for


def minimise(
    objective: Objective,
    W: np.ndarray,
    solve: Solve,
    tol: float,
    max_iter: int,
    *,
    refresh: Callable[[np.ndarray], Solve] | None = None,
    rescale: bool = False,
) -> Descent:
    """Lower the objective until the estimated distance to the optimum is `tol` of it.

    Args:
        objective: what is minimised.
        W: where to start; not changed.
        solve: of the preconditioner.
        tol: relative to the objective.
        max_iter: most steps.
        refresh: makes a new preconditioner at the weights given; asked when the old one has become slow.
        rescale: multiply the preconditioner by the curvature of the last step; for one whose scale is a guess.
    """
    value, gradient = objective.value_and_gradient(W)
    pairs: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=PAIRS)
    history, since, at_refresh = [value], 0, np.inf
    converged = False
    while True:
        step = _direction(gradient, solve, pairs, rescale)
        slope = float(np.vdot(gradient, step))
        if not slope > 0:  # rounding has spoilt the pairs
            pairs.clear()
            step = solve(gradient)
            slope = float(np.vdot(gradient, step))
        if slope == 0:
            converged = True
            break
        left = slope / 2
        converged = left <= tol * abs(value)
        if rescale:  # in float32 near a kink the estimate may never become small
            converged = (converged and _slow(history, tol)) or _slow(history, tol, 4 * RECENT)
        if converged or len(history) > max_iter:
            break
        if refresh is not None and since >= REFRESH and left > at_refresh / 100 and left > 30 * tol * abs(value):
            solve, since, at_refresh = refresh(W), 0, left
            pairs.clear()
            continue
        if since == 0:
            at_refresh = left
        length = 1.0
        for _ in range(HALVINGS):
            W_next = W - length * step
            value_next, gradient_next = objective.value_and_gradient(W_next)
            if value_next <= value - ENOUGH * length * slope:
                break
            # the minimum of the parabola through both values and the slope, kept away from both ends
            parabola = slope * length**2 / (2 * max(value_next - value + length * slope, 1e-300))
            length = float(np.clip(parabola, 0.1 * length, 0.6 * length)) if np.isfinite(value_next) else length / 10
        else:
            converged = left <= tol * abs(value) or _slow(history, tol)
            break  # no step helps any more: the digits are used up
        moved, bent = W_next - W, gradient_next - gradient
        if (curved := float(np.vdot(moved, bent))) > 0:
            pairs.append((moved, bent, curved))
        W, value, gradient = W_next, value_next, gradient_next
        history.append(value)
        since += 1
    return Descent(W, history, converged)


def _slow(history: list[float], tol: float, steps: int = RECENT) -> bool:
    """Whether the last steps gained little: where the scale is a guess, so is the estimated distance."""
    return len(history) > steps and history[-steps - 1] - history[-1] <= tol * abs(history[-1])


def _direction(
    gradient: np.ndarray, solve: Solve, pairs: deque[tuple[np.ndarray, np.ndarray, float]], rescale: bool
) -> np.ndarray:
    """H⁻¹ g by the two loops."""
    left, shares = gradient.copy(), []
    for moved, bent, curved in reversed(pairs):
        share = float(np.vdot(moved, left)) / curved
        shares.append(share)
        left -= share * bent
    step = solve(left)
    if rescale and pairs:
        moved, bent, curved = pairs[-1]
        step *= curved / float(np.vdot(bent, solve(bent)))
    for (moved, bent, curved), share in zip(pairs, reversed(shares), strict=True):
        step += (share - float(np.vdot(bent, step)) / curved) * moved
    return step


def on_a_part(objective: Objective, rng: np.random.Generator) -> Objective:
    """The objective of some samples drawn at random, enough for a good start; of all, if there are not many more."""
    rows = max(PART_PER_FEATURE * objective.shape[0], PART)
    n = len(objective.X)
    return objective if n < 2 * rows else objective.of_rows(np.sort(rng.choice(n, rows, replace=False)))
