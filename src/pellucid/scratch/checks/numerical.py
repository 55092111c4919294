"""Numerical derivatives: what a gradient is compared with, and too slow for anything else.

Formula:
    one-sided   f'(x) ~ (f(x + h) - f(x)) / h
    centred     f'(x) ~ (f(x + h) - f(x - h)) / (2 h)

Derivation:
    Taylor gives f(x ± h) = f(x) ± h f'(x) + h²/2 f''(x) ± h³/6 f'''(x) + ...
    One-sided, the term h/2 f''(x) remains; centred, it cancels and h²/6 f'''(x) remains.
    A smaller h is not always better: the difference of two close numbers keeps only some of their digits,
    an error of about ε |f(x)| / h. In float64 the two meet near h = 1e-5.

Source: CS231n notes, "Gradient checks"; Press et al., "Numerical Recipes", section 5.7.
"""

from collections.abc import Callable

import numpy as np

from pellucid.core.errors import DataError

STEP = 1e-5


def eval_numerical_gradient(
    f: Callable[[np.ndarray], float], x: np.ndarray, verbose: bool = False, h: float = STEP, centred: bool = True
) -> np.ndarray:
    """The gradient of a function to a number, two values of `f` an entry (one more than entries, if one-sided).

    Args:
        f: takes `x` itself, whose entries are changed and put back one by one.
        x: float array of any shape.
        verbose: print every entry as it comes.
        h: the step.
        centred: step to both sides; else to the right only.

    Returns:
        Array of the shape of `x`.

    Raises:
        DataError: `x` holds whole numbers.
    """
    check_float(x)
    gradient = np.empty_like(x)
    here = None if centred else float(f(x))
    for index in np.ndindex(*x.shape):
        kept = x[index]
        x[index] = kept + h
        right = float(f(x))
        x[index] = kept - h
        gradient[index] = (right - float(f(x))) / (2 * h) if here is None else (right - here) / h
        x[index] = kept
        if verbose:
            print(index, gradient[index])  # noqa: T201 - asked for
    return gradient


def eval_numerical_gradient_array(
    f: Callable[[np.ndarray], np.ndarray | float], x: np.ndarray, df: np.ndarray | float, h: float = STEP
) -> np.ndarray:
    """The same for a function to an array: the gradient of sum(f(x) * df), what `backward(df)` should return.

    Args:
        f: takes `x` itself and returns an array.
        x: float array of any shape.
        df: gradient of the loss with respect to `f(x)`, of its shape.
        h: the step.

    Returns:
        Array of the shape of `x`.

    Raises:
        DataError: `x` holds whole numbers.
    """
    check_float(x)
    gradient = np.empty_like(x)
    for index in np.ndindex(*x.shape):
        kept = x[index]
        x[index] = kept + h
        right = np.array(f(x), copy=True)  # it may be an array that `f` writes to again
        x[index] = kept - h
        left = np.array(f(x), copy=True)
        x[index] = kept
        gradient[index] = np.sum((right - left) * df) / (2 * h)
    return gradient


def rel_error(x: np.ndarray | float, y: np.ndarray | float) -> float:
    """The largest |x - y| / max(1e-8, |x| + |y|) over all entries: 0 if equal, 1 if one of them is zero."""
    return float(np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y)), initial=0.0))


def check_float(x: np.ndarray) -> None:
    """Refuse whole numbers: adding h to one would change nothing, and every derivative would be 0.

    Raises:
        DataError: `x` holds whole numbers.
    """
    if not np.issubdtype(x.dtype, np.floating):
        raise DataError(f"A numerical gradient needs floating-point numbers, got {x.dtype}. Use .astype(np.float64).")
