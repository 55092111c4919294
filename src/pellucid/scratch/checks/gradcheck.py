"""Gradient check: is a gradient written by hand the derivative of the function beside it?

Formula:
    error = |a - n| / (|a| + |n| + floor),  a by hand, n by centred differences

Derivation:
    The numerical gradient is wrong in two harmless ways, and both would raise false alarms. It carries rounding
    noise of about ε·|f| / h, so small entries are compared with a part of the largest one and with that noise
    over the tolerance (`floor`), not with themselves. And beside a kink (ReLU at 0) it averages two slopes. Where
    an entry differs, the step is therefore shortened; an entry that still differs lies on a kink if the slopes to
    its left and right stay apart, and then any value between the two is a right one.

Source: CS231n notes, "Gradient checks"; Clarke, "Optimization and Nonsmooth Analysis", 1983, for the kinks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.checks.numerical import STEP, check_float

TOLERANCE = 1e-6
SHORTER = (1.0, 0.1, 0.01)  # of the step, tried in turn where an entry differs
FLOOR = 1e-2  # of the largest entry: smaller ones are compared with this
APART = 1e-3  # slopes to the left and right that differ by more, relatively, make a kink
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class GradientReport:
    """What a gradient check found.

    Attributes:
        error: the largest relative error, kinks left out.
        index: where that is.
        by_hand, numerical: the two values there.
        on_kink: whether the entry with the largest difference lies on a kink.
        kinks: how many entries lie on a kink and were judged by the slopes on both sides.
    """

    error: float
    index: tuple[int, ...]
    by_hand: float
    numerical: float
    on_kink: bool = False
    kinks: int = 0

    def passed(self, tolerance: float = TOLERANCE) -> bool:
        return self.error <= tolerance  # False for NaN


def check_gradient(
    f: Callable[[np.ndarray], float], x: np.ndarray, gradient: np.ndarray, h: float = STEP, terms: float = 0.0
) -> GradientReport:
    """Compare `gradient` with the numerical one of `f` at `x`, entry by entry.

    Args:
        f: takes `x` itself, whose entries are changed and put back, and returns a number.
        x: float64 array of any shape.
        gradient: by hand, of the shape of `x`.
        h: the first step; a tenth and a hundredth of it are tried where an entry differs.
        terms: if `f` is a sum, the sum of the sizes of its terms: what sets its rounding noise where they cancel.

    Raises:
        DataError: `gradient` has another shape, or `x` is not float64 (in float32 the noise hides small errors).
    """
    gradient = np.asarray(gradient)
    if gradient.shape != x.shape:
        raise DataError(f"The gradient must have the shape {x.shape} of its argument, got {gradient.shape}.")
    if x.dtype != np.float64:
        raise DataError(f"A gradient check needs float64, got {x.dtype}. Convert the inputs with .astype(np.float64).")
    finite = np.isfinite(gradient)  # one NaN must not hide where it is
    floor = FLOOR * float(np.max(np.abs(gradient), initial=0.0, where=finite)) + 1e-12
    worst, kinks = GradientReport(0.0, (0,) * x.ndim, 0.0, 0.0), 0
    for index in np.ndindex(*x.shape):
        found = _check_entry(f, x, index, float(gradient[index]), floor, h, terms)
        kinks += found.on_kink
        if not found.error <= worst.error:  # NaN too
            worst = found
        if np.isnan(found.error):
            break
    return GradientReport(worst.error, worst.index, worst.by_hand, worst.numerical, worst.on_kink, kinks)


def _check_entry(
    f: Callable[[np.ndarray], float],
    x: np.ndarray,
    index: tuple[int, ...],
    by_hand: float,
    floor: float,
    h: float,
    terms: float,
) -> GradientReport:
    """The check of one entry, by the step that agrees best."""
    kept, best = x[index], GradientReport(np.inf, index, by_hand, np.nan)
    for part in SHORTER:
        step = h * part
        x[index] = kept + step
        right = float(f(x))
        x[index] = kept - step
        left = float(f(x))
        x[index] = kept
        numerical = (right - left) / (2 * step)
        noise = 4 * EPSILON * max(abs(right), abs(left), terms) / step
        size = abs(by_hand) + abs(numerical) + floor
        error = abs(by_hand - numerical) / (size + noise / TOLERANCE)
        if np.isnan(error):
            return GradientReport(np.nan, index, by_hand, numerical)
        if error < best.error and (part == 1 or noise / TOLERANCE < size):  # else the noise would excuse anything
            best = GradientReport(error, index, by_hand, numerical)
        if best.error <= TOLERANCE / 10:
            return best
    here = float(f(x))
    slopes = sorted([(here - left) / step, (right - here) / step])
    scale = abs(slopes[0]) + abs(slopes[1]) + floor
    if slopes[1] - slopes[0] > APART * scale + noise and best.error > TOLERANCE:
        outside = max(slopes[0] - by_hand, by_hand - slopes[1], 0.0)
        return GradientReport(outside / (scale + noise / TOLERANCE), index, by_hand, best.numerical, on_kink=True)
    return best


def grad_check_sparse(
    f: Callable[[np.ndarray], float],
    x: np.ndarray,
    analytic_grad: np.ndarray,
    num_checks: int = 10,
    h: float = STEP,
    seed: int = 0,
) -> list[float]:
    """The course's quick check: some entries drawn by chance, printed one by one, with no judgement.

    Args:
        f: takes `x` itself, whose entries are changed and put back, and returns a number.
        x: float array of any shape.
        analytic_grad: by hand, of the shape of `x`.
        num_checks: how many entries; one may be drawn twice.
        h: the step, to both sides.
        seed: which entries.

    Returns:
        |n - a| / (|n| + |a|) of each, 0 where both are 0.

    Raises:
        DataError: `x` holds whole numbers, or the shapes differ.
    """
    check_float(x)
    if analytic_grad.shape != x.shape:
        raise DataError(f"The gradient must have the shape {x.shape} of its argument, got {analytic_grad.shape}.")
    rng, errors = np.random.default_rng(seed), []
    for _ in range(num_checks):
        index = tuple(int(rng.integers(size)) for size in x.shape)
        kept = x[index]
        x[index] = kept + h
        right = float(f(x))
        x[index] = kept - h
        left = float(f(x))
        x[index] = kept
        numerical, analytic = (right - left) / (2 * h), float(analytic_grad[index])
        size = abs(numerical) + abs(analytic)
        errors.append(abs(numerical - analytic) / size if size else 0.0)
        print(f"numerical: {numerical:f} analytic: {analytic:f}, relative error: {errors[-1]:e}")  # noqa: T201 - asked for
    return errors
