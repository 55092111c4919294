"""Line search: how far to go along a direction that descends.

Formula:
    φ(a) = f(x + a d),  φ'(0) < 0
    Armijo (far enough down)    φ(a) ≤ φ(0) + c₁ a φ'(0)
    strong Wolfe (and flat)     |φ'(a)| ≤ c₂ |φ'(0)|,  0 < c₁ < c₂ < 1

Derivation:
    Backtracking halves a until Armijo holds; for small a it does, since φ falls faster than the line of slope c₁ φ'(0).
    For Wolfe keep two ends: `low` satisfies Armijo and still slopes down by more than allowed; `high` breaks Armijo or
    slopes up. Let ψ(a) = φ(a) − φ(0) − c₁ a φ'(0). At `low` ψ ≤ 0 and ψ' < 0; at `high` ψ > 0 or ψ' > 0. So
    ψ has a minimum between them, below 0, where φ' = c₁ φ'(0): both conditions hold there and around it. Halving
    the interval keeps this true and ends after finitely many trials; while no `high` is known, a doubles.
    The flatness matters to L-BFGS: φ'(a) > φ'(0) makes sᵀy > 0, without which its guess would lose descent.

Source: Nocedal and Wright, "Numerical Optimization", section 3.1; Lewis and Overton, 2013, for the bisection.
"""

from collections.abc import Callable

import numpy as np

ARMIJO = 1e-4  # c₁
CURVATURE = 0.9  # c₂
TRIALS = 60  # halvings and doublings: 60 take 1 to the last digit of float64

Line = Callable[[float], tuple[float, float]]


def armijo(line: Line, value: float, slope: float, step: float = 1.0) -> float:
    """A step that lowers the value by enough, by halving.

    Args:
        line: a -> φ(a) and φ'(a).
        value, slope: φ(0) and φ'(0), which must be below 0.
        step: the first that is tried.

    Returns:
        The step, or 0.0 if none was found: the values are then as close as rounding lets them be.
    """
    for _ in range(TRIALS):
        found, _ = line(step)
        if _lower(found, value, ARMIJO * step * slope):
            return step
        step /= 2
    return 0.0


def strong_wolfe(line: Line, value: float, slope: float, step: float = 1.0) -> float:
    """A step that lowers the value by enough and ends where it is flat enough. Arguments and result as `armijo`."""
    low, high = 0.0, np.inf
    for _ in range(TRIALS):
        found, slope_here = line(step)
        if not _lower(found, value, ARMIJO * step * slope) or slope_here > -CURVATURE * slope:
            high = step
        elif slope_here < CURVATURE * slope:
            low = step
        else:
            return step
        step = 2 * step if high == np.inf else (low + high) / 2
    return low  # not flat enough, but down


def _lower(found: float, value: float, change: float) -> bool:
    """Whether the value fell, and by at least `-change`; False for NaN. A change may be too small to alter the sum."""
    return found < value and found <= value + change


LINE_SEARCHES = {"wolfe": strong_wolfe, "armijo": armijo}
