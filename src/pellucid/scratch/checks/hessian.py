"""Hessian: the curvature of a loss in every direction, and what it says about a point of zero gradient.

Formula:
    H_ij = ∂²f / ∂x_i ∂x_j
    from values      (f(x + hi + hj) − f(x + hi − hj) − f(x − hi + hj) + f(x − hi − hj)) / (4 h²),  hi = h e_i
    from gradients   (g_i(x + hj) − g_i(x − hj)) / (2 h)
    condition number   σ_max / σ_min

Derivation:
    The second formula is a centred difference of gradients; the first is that again, with each gradient a centred
    difference of values. Dividing by h² makes the rounding error ε |f| / h², hence the larger step.
    Along an eigenvector with eigenvalue λ the loss bends like λ/2 d². All λ above 0: a minimum; all below: a maximum;
    both signs: a saddle, as x² − y² at the origin. A λ of 0 leaves the answer to higher orders.
    Descent is stable for η < 2 / λ_max and then needs about λ_max / λ_min steps: the condition number of a bowl.

Source: Nocedal and Wright, "Numerical Optimization", chapters 2 and 8; Goodfellow et al., "Deep Learning", 4.3.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.checks.jacobian import numerical_jacobian
from pellucid.scratch.checks.numerical import STEP, check_float

STEP_OF_VALUES = 1e-4  # near the fourth root of float64's precision
Kind = Literal["minimum", "maximum", "saddle", "degenerate"]


def numerical_hessian(
    f: Callable[[np.ndarray], float],
    x: np.ndarray,
    gradient: Callable[[np.ndarray], np.ndarray] | None = None,
    h: float | None = None,
) -> np.ndarray:
    """All second derivatives, symmetric.

    Args:
        f: a function to a number.
        x: float array of any shape with n entries; not changed.
        gradient: of `f`; with it 2 n gradients are taken and five digits gained, without it about 2 n² values.
        h: the step; 1e-4 for values and 1e-5 for gradients unless said.

    Returns:
        (n, n), of the flattened `x`.

    Raises:
        DataError: `x` holds whole numbers.
    """
    check_float(x)
    if gradient is not None:
        hessian = numerical_jacobian(gradient, x.copy(), STEP if h is None else h)
    else:
        hessian = _from_values(f, x, STEP_OF_VALUES if h is None else h)
    return (hessian + hessian.T) / 2


def _from_values(f: Callable[[np.ndarray], float], x: np.ndarray, h: float) -> np.ndarray:
    n = x.size
    steps = h * np.eye(n, dtype=x.dtype).reshape(n, *x.shape)  # step i moves entry i
    hessian = np.empty((n, n))
    for i in range(n):
        for j in range(i + 1):
            together = float(f(x + steps[i] + steps[j])) + float(f(x - steps[i] - steps[j]))
            apart = float(f(x + steps[i] - steps[j])) + float(f(x - steps[i] + steps[j]))
            hessian[i, j] = hessian[j, i] = (together - apart) / (4 * h**2)
    return hessian


def condition_number(matrix: np.ndarray) -> float:
    """Largest over smallest singular value, 1 at best; infinite if the matrix flattens a direction.

    Raises:
        DataError: it is no matrix, or has no entries.
    """
    if matrix.ndim != 2 or matrix.size == 0:
        raise DataError(f"condition_number: a matrix with entries is needed, got shape {matrix.shape}.")
    values = np.linalg.svd(matrix, compute_uv=False)
    smallest, largest = float(values.min()), float(values.max())
    return largest / smallest if smallest > 0 else float("inf")


def classify_critical_point(hessian: np.ndarray, tolerance: float = 1e-6) -> Kind:
    """What lies at a point of zero gradient.

    Args:
        hessian: (n, n), symmetric.
        tolerance: eigenvalues below this part of the largest count as 0.

    Returns:
        "minimum", "maximum", "saddle", or "degenerate": there is a flat direction, and the others do not make a saddle.
    """
    values = np.linalg.eigvalsh(hessian)
    flat = tolerance * float(np.max(np.abs(values), initial=0.0))
    up, down = int(np.sum(values > flat)), int(np.sum(values < -flat))
    if up and down:
        return "saddle"
    if up == len(values) and up:
        return "minimum"
    return "maximum" if down == len(values) and down else "degenerate"
