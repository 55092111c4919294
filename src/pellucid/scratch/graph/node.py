"""Computational graph: a formula that remembers how it was computed, and so can be differentiated.

Formula:
    forward:   v.value = f(p₁.value, ..., p_k.value),                  parents before children
    backward:  p_i.gradient += v.gradient · ∂v/∂p_i,  v.gradient = 1 at the output,  children before parents

Derivation:
    Let L depend on p only through its children v₁ ... v_m. The multivariate chain rule says
        ∂L/∂p = Σ_j ∂L/∂v_j · ∂v_j/∂p:
    what comes down along each edge is the gradient above times the local derivative, and where edges meet their
    parts are added. In reverse topological order every ∂L/∂v_j is complete before it is used, so one pass over the
    edges yields the gradient of L with respect to every node. The cost is a small multiple of forward's.

Source: CS231n, lecture 4; Linnainmaa, 1970; Rumelhart, Hinton and Williams, 1986.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.graph import arithmetic, arrays
from pellucid.scratch.graph.arrays import Axis
from pellucid.scratch.graph.functions.exponentials import exp
from pellucid.scratch.graph.functions.powers import power
from pellucid.scratch.graph.matmul import matmul
from pellucid.scratch.graph.operation import Operation
from pellucid.scratch.graph.order import topological_order


class Node:
    """A value in the graph: an input, or what an operation made of its parents.

    Attributes:
        value: float array; of an input it may be set anew, then `forward()` of an output follows.
        gradient: of the output `backward` was called on, with respect to this node, of the value's shape; None before.
        name: for drawings.
        parents: the nodes it was computed from; none for an input.
        operation: what it is computed by; None for an input.
        cache: what the operation's forward kept for its backward.
        passed: what `backward` handed to each parent, in their order: the gradients on the edges.
    """

    __array_ufunc__ = None  # `array * node` is left to the node

    def __init__(self, value: Any, name: str = "") -> None:
        self.value = _floats(value)
        self.name = name
        self.gradient: np.ndarray | None = None
        self.parents: tuple[Node, ...] = ()
        self.operation: Operation | None = None
        self.cache: Any = None
        self.passed: tuple[np.ndarray, ...] = ()

    def __repr__(self) -> str:
        what = self.operation.name if self.operation else "input"
        return f"Node({self.name or what!r}, value={self.value}, gradient={self.gradient})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the value."""
        return self.value.shape

    def ancestors(self) -> list[Node]:
        """Every node this one depends on, parents first, itself last."""
        return topological_order(self, lambda node: node.parents)

    def forward(self) -> np.ndarray:
        """Compute everything up to here again, from what the inputs hold now."""
        for node in self.ancestors():
            if node.operation is not None:
                node.value, node.cache = node.operation.forward(*(parent.value for parent in node.parents))
            else:
                node.value = _floats(node.value)
        return self.value

    def backward(self, seed: np.ndarray | float | None = None) -> None:
        """Fill in `gradient` of this node and of all it depends on; what was there before is forgotten.

        Args:
            seed: gradient of the loss with respect to this node, of its shape; 1 if the node is the loss itself.

        Raises:
            DataError: no seed for a node of several numbers, or one of another shape.
        """
        if seed is None and self.value.size != 1:
            raise DataError(
                f"backward() starts at a single number, this node has shape {self.shape}: sum it first, "
                f"or give the gradient of the loss with respect to it as a seed of that shape."
            )
        start = np.ones_like(self.value) if seed is None else np.asarray(seed, dtype=self.value.dtype)
        if start.shape != self.shape:
            raise DataError(f"The seed of backward() must have the node's shape {self.shape}, got {start.shape}.")
        order = self.ancestors()
        for node in order:
            node.gradient = np.zeros_like(node.value)
        self.gradient = start
        for node in reversed(order):
            if node.operation is not None:
                passed = node.operation.backward(node.gradient, node.cache)
                node.passed = passed if isinstance(passed, tuple) else (passed,)
                if len(node.passed) != len(node.parents):
                    raise DataError(
                        f"backward of {node.operation.name!r} must return a gradient for each of its "
                        f"{len(node.parents)} arguments, it returned {len(node.passed)}."
                    )
                for parent, part in zip(node.parents, node.passed, strict=True):
                    parent.gradient = parent.gradient + part  # a new array: parts may be shared between nodes

    def __add__(self, other: Any) -> Node:
        return apply(arithmetic.add, self, other)

    def __radd__(self, other: Any) -> Node:
        return apply(arithmetic.add, other, self)

    def __sub__(self, other: Any) -> Node:
        return apply(arithmetic.subtract, self, other)

    def __rsub__(self, other: Any) -> Node:
        return apply(arithmetic.subtract, other, self)

    def __mul__(self, other: Any) -> Node:
        return apply(arithmetic.multiply, self, other)

    def __rmul__(self, other: Any) -> Node:
        return apply(arithmetic.multiply, other, self)

    def __truediv__(self, other: Any) -> Node:
        return apply(arithmetic.divide, self, other)

    def __rtruediv__(self, other: Any) -> Node:
        return apply(arithmetic.divide, other, self)

    def __matmul__(self, other: Any) -> Node:
        return apply(matmul, self, other)

    def __rmatmul__(self, other: Any) -> Node:
        return apply(matmul, other, self)

    def __neg__(self) -> Node:
        return apply(arithmetic.negate, self)

    def __pow__(self, n: float) -> Node:
        return apply(power(n), self)

    def __getitem__(self, index: Any) -> Node:
        return apply(arrays.take(index), self)

    def __iter__(self) -> Any:
        return (self[number] for number in range(len(self.value)))

    @property
    def T(self) -> Node:  # noqa: N802 - as NumPy calls it
        """The axes in reverse order."""
        return self.transpose()

    def exp(self) -> Node:
        """The exponential of each entry."""
        return apply(exp, self)

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Node:
        """The sum over one axis, several, or all."""
        return apply(arrays.sum_over(axis, keepdims), self)

    def max(self, axis: int | None = None, keepdims: bool = False) -> Node:
        """The largest entry along an axis, or of all; the first of equals gets the gradient."""
        return apply(arrays.max_over(axis, keepdims), self)

    def reshape(self, *shape: int) -> Node:
        """The same entries in another shape."""
        return apply(arrays.reshape(*shape), self)

    def transpose(self, *axes: int) -> Node:
        """Axes in another order; without arguments, reversed."""
        return apply(arrays.transpose(*axes), self)


def apply(operation: Operation, *parents: Any) -> Node:
    """A node that holds `operation` of its parents: `apply(sin, x)`, `apply(Pair("affine", ...), x, w, b)`.

    Parents that are no nodes become inputs; numbers take the precision of the nodes beside them.
    """
    nodes = [parent for parent in parents if isinstance(parent, Node)]
    dtype = np.result_type(*(node.value.dtype for node in nodes)) if nodes else None
    made = [parent if isinstance(parent, Node) else Node(_beside(parent, dtype)) for parent in parents]
    value, cache = operation.forward(*(parent.value for parent in made))
    node = Node(value)
    node.parents, node.operation, node.cache = tuple(made), operation, cache
    return node


def _beside(value: Any, dtype: Any) -> np.ndarray:
    return np.asarray(value, dtype=dtype) if isinstance(value, (int, float)) else np.asarray(value)


def _floats(value: Any) -> np.ndarray:
    value = np.asarray(value)
    return value if np.issubdtype(value.dtype, np.floating) else value.astype(np.float64)
