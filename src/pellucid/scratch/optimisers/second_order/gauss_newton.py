"""Gauss-Newton: for a sum of squares, the Hessian without second derivatives.

Formula:
    f(x) = ½ |r(x)|²,  x ← x − (JᵀJ + λ I)⁻¹ Jᵀ r,  J = ∂r/∂x, λ = 0 plain, λ > 0 damped

Derivation:
    ∇f = Jᵀ r and ∇²f = JᵀJ + Σ_i r_i ∇²r_i. The second term is small where the residuals are small or nearly linear;
    without it H ≈ JᵀJ, which is never indefinite. Equally: r(x + d) ≈ r + J d, and the step solves that linear
    least-squares problem, hence exactly in one step if r is linear.
    Far away the model may be wrong and the step too long. λ shortens it and turns it towards −Jᵀr / λ, a gradient
    step. Levenberg and Marquardt's rule: λ falls after a step that lowered f, and grows until one does.
    λ I is put under J as √λ I and the longer system solved by least squares: JᵀJ would square its condition number.

Source: Nocedal and Wright, "Numerical Optimization", chapter 10; Levenberg, 1944; Marquardt, 1963.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pellucid.core.errors import ConfigError, DataError

MOST_DAMPING = 1e12  # when even so short a step does not lower the loss, none will


@dataclass(frozen=True)
class Fit:
    """Where a fit ended.

    Attributes:
        x: the best point.
        losses: ½ |r|² at the start and after each step that was taken: they only fall.
        converged: whether the gradient got as short as asked.
    """

    x: np.ndarray
    losses: list[float]
    converged: bool


def gauss_newton_step(x: np.ndarray, residuals: np.ndarray, jacobian: np.ndarray, damping: float = 0.0) -> np.ndarray:
    """The next point.

    Args:
        x: (n,) not changed.
        residuals: (m,) at `x`.
        jacobian: (m, n) of the residuals at `x`.
        damping: λ, 0 or more. Undamped, and with fewer residuals than unknowns, the shortest step is taken.

    Raises:
        DataError: the shapes do not fit.
        ConfigError: the damping is below 0.
    """
    m, n = len(residuals), len(x)
    if jacobian.shape != (m, n):
        raise DataError(
            f"gauss_newton_step: {m} residuals of {n} unknowns need a Jacobian ({m}, {n}), got {jacobian.shape}."
        )
    if damping < 0:
        raise ConfigError(f"gauss_newton_step: damping must be 0 or more, got {damping}.")
    below = np.sqrt(damping) * np.eye(n)
    jacobian = np.concatenate([jacobian, below.astype(jacobian.dtype)])  # (m + n, n)
    residuals = np.concatenate([residuals, np.zeros_like(x)])  # (m + n,)
    step, *_ = np.linalg.lstsq(jacobian, residuals)
    return x - step


def levenberg_marquardt(
    residuals: Callable[[np.ndarray], np.ndarray],
    jacobian: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    steps: int = 100,
    damping: float = 1e-3,
    tolerance: float = 1e-8,
) -> Fit:
    """Damped steps, each of which lowers the loss.

    Args:
        residuals: (n,) -> (m,).
        jacobian: (n,) -> (m, n).
        x: (n,) start; not changed.
        steps: at most so many are taken.
        damping: λ at the start; a tenth of it after each step, ten times as much while a step would climb.
        tolerance: the gradient's length at which to stop.
    """
    r = residuals(x)
    losses = [_half_square(r)]
    while len(losses) <= steps:
        j = jacobian(x)
        if np.linalg.norm(j.T @ r) <= tolerance:
            return Fit(x, losses, True)
        tried = gauss_newton_step(x, r, j, damping)
        while not _half_square(residuals(tried)) < losses[-1]:  # NaN too
            damping *= 10
            if damping > MOST_DAMPING:
                return Fit(x, losses, False)
            tried = gauss_newton_step(x, r, j, damping)
        x, r = tried, residuals(tried)
        losses.append(_half_square(r))
        damping /= 10
    return Fit(x, losses, bool(np.linalg.norm(jacobian(x).T @ r) <= tolerance))


def _half_square(r: np.ndarray) -> float:
    return float(np.sum(r**2)) / 2
