"""How far a number lies from those of most others."""

import numpy as np

FEW = 0.05  # a share above which something is how the set is, not an exception in it


def robust_z(values: np.ndarray, floor: float) -> np.ndarray:
    """(N,) distances from the median, in units of 1.4826 times the median absolute deviation, or `floor` if larger.

    The unit is the standard deviation of normally distributed values (Iglewicz, Hoaglin 1993). NaN stays NaN and
    counts for nothing.
    """
    usable = values[np.isfinite(values)]
    if not len(usable):
        return np.full(len(values), np.nan)
    middle = np.median(usable)
    unit = max(1.4826 * float(np.median(np.abs(usable - middle))), floor)
    return (values - middle) / unit


def are_few(n: int, of: int) -> bool:
    """Whether `n` of `of` pictures are exceptions; a single one always is, except among one or two."""
    return 0 < n <= max(1, FEW * of) and of > 2
