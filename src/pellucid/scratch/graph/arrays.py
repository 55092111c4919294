"""Steps that move, choose or pool the entries of an array: sum, max, reshape, transpose, indexing.

Formula:
    sum over axes:   dx = dy, spread over those axes
    max over an axis: dx = dy at the first largest entry, 0 elsewhere
    reshape, transpose: dx = dy, moved back
    x[index]:        dx = dy added up at those places, 0 elsewhere

Derivation:
    All are linear in x near a point: y = A x with a matrix of zeros and ones, so dx = Aᵀ dy. In a sum every entry
    has slope 1. A permutation's transpose is its inverse. A selection's transpose puts entries back, and adds
    where one was taken twice. The maximum is a selection; on a tie it selects the first, as `argmax` does.

Source: CS231n notes, "Backpropagation, intuitions".
"""

from typing import Any

import numpy as np

from pellucid.scratch.graph.operation import Pair

Axis = int | tuple[int, ...] | None


def sum_over(axis: Axis = None, keepdims: bool = False) -> Pair:
    """The sum over one axis, several, or all."""

    def forward(x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
        return np.asarray(x.sum(axis=axis, keepdims=keepdims)), x.shape

    def backward(dout: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        if axis is not None and not keepdims:
            dout = np.expand_dims(dout, axis)
        return np.broadcast_to(dout, shape).copy()

    return Pair("sum", forward, backward)


def max_over(axis: int | None = None, keepdims: bool = False) -> Pair:
    """The largest entry along an axis, or of all; the first of equals gets the gradient."""

    def forward(x: np.ndarray) -> tuple[np.ndarray, tuple[tuple[int, ...], np.ndarray]]:
        best = np.expand_dims(x.argmax(axis=axis), axis) if axis is not None else np.asarray(x.argmax())
        return np.asarray(x.max(axis=axis, keepdims=keepdims)), (x.shape, best)

    def backward(dout: np.ndarray, cache: tuple[tuple[int, ...], np.ndarray]) -> np.ndarray:
        shape, best = cache
        dx = np.zeros(shape, dout.dtype)
        if axis is None:
            dx.flat[best] = dout
        else:
            np.put_along_axis(dx, best, dout.reshape(best.shape), axis)
        return dx

    return Pair("max", forward, backward)


def reshape(*shape: int) -> Pair:
    """The same entries in another shape; one length may be -1."""

    def forward(x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
        return x.reshape(shape), x.shape

    return Pair("reshape", forward, lambda dout, before: dout.reshape(before))


def transpose(*axes: int) -> Pair:
    """Axes in another order; without arguments, reversed."""

    def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        order = axes or tuple(reversed(range(x.ndim)))
        return x.transpose(order), np.argsort(order)

    return Pair("transpose", forward, lambda dout, back: dout.transpose(back))


def take(index: Any) -> Pair:
    """The entries `x[index]`, for any index of NumPy."""

    def forward(x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
        return np.array(x[index]), x.shape

    def backward(dout: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        dx = np.zeros(shape, dout.dtype)
        np.add.at(dx, index, dout)  # adds where an entry was taken twice; dx[index] += dout would keep the last
        return dx

    return Pair("index", forward, backward)
