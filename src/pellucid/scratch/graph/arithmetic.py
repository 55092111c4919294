"""Arithmetic on arrays: sum, difference, product, quotient and sign, with broadcasting.

Formula:
    x + y:  dx = dout,       dy = dout
    x - y:  dx = dout,       dy = -dout
    x · y:  dx = dout · y,   dy = dout · x
    x / y:  dx = dout / y,   dy = -dout · x / y²
    -x:     dx = -dout

Derivation:
    Each output depends on one entry of x and one of y, so the Jacobians are diagonal and backward is a product
    entry by entry: ∂(xy)/∂x = y, ∂(x/y)/∂y = -x/y². Where an entry was broadcast, its gradients are summed.

Source: CS231n, lecture 4, "Patterns in gradient flow".
"""

import numpy as np

from pellucid.scratch.graph.broadcast import unbroadcast
from pellucid.scratch.graph.operation import Pair

Shapes = tuple[tuple[int, ...], tuple[int, ...]]
Arrays = tuple[np.ndarray, np.ndarray]


def add_forward(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Shapes]:
    """The sum x + y, for shapes that broadcast."""
    return x + y, (x.shape, y.shape)


def add_backward(dout: np.ndarray, cache: Shapes) -> Arrays:
    """Both get all of it: the distributor."""
    x_shape, y_shape = cache
    return unbroadcast(dout, x_shape), unbroadcast(dout, y_shape)


def subtract_forward(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Shapes]:
    """The difference x - y, for shapes that broadcast."""
    return x - y, (x.shape, y.shape)


def subtract_backward(dout: np.ndarray, cache: Shapes) -> Arrays:
    """The second gets it with its sign turned."""
    x_shape, y_shape = cache
    return unbroadcast(dout, x_shape), unbroadcast(-dout, y_shape)


def multiply_forward(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Arrays]:
    """The product x · y, entry by entry, for shapes that broadcast."""
    return x * y, (x, y)


def multiply_backward(dout: np.ndarray, cache: Arrays) -> Arrays:
    """Each gets it times the value of the other: the switcher."""
    x, y = cache
    return unbroadcast(dout * y, x.shape), unbroadcast(dout * x, y.shape)


def divide_forward(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Arrays]:
    """The quotient x / y, entry by entry, for shapes that broadcast."""
    return x / y, (x, y)


def divide_backward(dout: np.ndarray, cache: Arrays) -> Arrays:
    """1/y for what is above the line, -x/y² for what is below."""
    x, y = cache
    return unbroadcast(dout / y, x.shape), unbroadcast(-dout * x / y**2, y.shape)


def negate_forward(x: np.ndarray) -> tuple[np.ndarray, None]:
    """The opposite, -x."""
    return -x, None


def negate_backward(dout: np.ndarray, cache: None) -> np.ndarray:
    """The sign turns back."""
    return -dout


add = Pair("+", add_forward, add_backward)
subtract = Pair("−", subtract_forward, subtract_backward)
multiply = Pair("×", multiply_forward, multiply_backward)
divide = Pair("÷", divide_forward, divide_backward)
negate = Pair("neg", negate_forward, negate_backward)
