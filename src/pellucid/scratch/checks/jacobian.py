"""Jacobian: the derivative of every output with respect to every input, as one table of numbers.

Formula:
    J_ij = ∂y_i / ∂x_j ~ (f_i(x + h e_j) − f_i(x − h e_j)) / (2 h)

Derivation:
    Moving input j moves every output: one column of J from two values of f. A backward pass computes Jᵀ dout, a row of
    numbers, and never J itself, which for a layer of N·M outputs and N·D inputs would have their product as its
    size. An activation moves output i with input i alone, so its Jacobian is diagonal, ReLU's of zeros and ones:
    its backward pass is a product entry by entry.

Source: CS231n notes, "Derivatives, backpropagation, and vectorization".
"""

from collections.abc import Callable

import numpy as np

from pellucid.scratch.checks.numerical import STEP, check_float


def numerical_jacobian(f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, h: float = STEP) -> np.ndarray:
    """All partial derivatives by centred differences, two values of `f` an input.

    Args:
        f: takes `x` itself, whose entries are changed and put back one by one, and returns an array of any shape.
        x: float array of any shape.
        h: the step.

    Returns:
        (outputs, inputs), both flattened.

    Raises:
        DataError: `x` holds whole numbers.
    """
    check_float(x)
    columns = []
    for index in np.ndindex(*x.shape):
        kept = x[index]
        x[index] = kept + h
        right = np.array(f(x), copy=True)  # it may be an array that `f` writes to again, or `x`
        x[index] = kept - h
        columns.append((right - f(x)).ravel() / (2 * h))
        x[index] = kept
    return np.stack(columns, axis=1) if columns else np.empty((np.size(f(x)), 0), x.dtype)
