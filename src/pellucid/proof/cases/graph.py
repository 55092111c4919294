"""Proofs of the computational graph: its operations, the order, the nodes, the gates."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from pellucid.core.errors import DataError
from pellucid.proof.case import Case, Check, Layer, Subject
from pellucid.scratch.graph import (
    arithmetic,
    arrays,
    broadcast,
    elementwise,
    gates,
    matmul,
    node,
    order,
)

Twin = Callable[..., Any]


def proven(name: str, operation: Any, inputs: Mapping[str, Any], twin: Twin, linear: tuple[str, ...] = ()) -> Layer:
    """An operation as a layer: its gradients are those of all its arguments."""
    names = tuple(inspect.signature(operation.forward).parameters)
    return Layer(name, operation.forward, operation.backward, inputs, gradients=names, linear=linear, twin=twin)


def _normal(*shapes: tuple[int, ...]) -> Any:
    return lambda rng: tuple(rng.standard_normal(shape) for shape in shapes)


def between(*ranges: tuple[float, float]) -> Any:
    """Numbers from each of several ranges, (len(ranges), 3)."""
    return lambda rng: (np.array([rng.uniform(low, high, 3) for low, high in ranges]),)


PAIRS = {
    "same shapes": _normal((2, 3), (2, 3)),
    "row and column": _normal((4,), (3, 1)),
    "number": _normal((), (2, 1, 3)),
    "one row": _normal((2, 3), (1, 3)),
}


def broadcast_cases(layer: Any) -> Sequence[Case]:
    """Undoing a broadcast is its adjoint, which is all that a gradient needs."""

    def forward(x: np.ndarray, shape: tuple[int, ...]) -> Any:
        return np.broadcast_to(x, shape).copy(), x.shape

    def backward(dout: np.ndarray, shape: tuple[int, ...]) -> Any:
        return layer.unbroadcast(dout, shape)

    shapes = [((3,), (2, 3)), ((2, 1, 3), (2, 4, 3)), ((), (2, 2)), ((1, 3), (4, 2, 3)), ((1,), (1,)), ((2, 2), (2, 2))]
    inputs = {
        f"{small} to {large}": lambda rng, small=small, large=large: (rng.standard_normal(small), large)
        for small, large in shapes
    }
    return [
        Layer(
            "broadcast",
            forward,
            backward,
            inputs,
            gradients=("x",),
            linear=("x",),
            twin=lambda x, shape: x.expand(shape),
        )
    ]


def arithmetic_cases(layer: Any) -> Sequence[Case]:
    """Sums are affine in both arguments, products and quotients in some."""
    far = {
        "away from zero": lambda rng: (rng.standard_normal((2, 3)), rng.uniform(0.5, 2, (2, 3))),
        "negative row": lambda rng: (rng.standard_normal((2, 3)), -rng.uniform(0.5, 2, 3)),
    }
    return [
        proven("add", layer.add, PAIRS, lambda x, y: x + y, ("x", "y")),
        proven("subtract", layer.subtract, PAIRS, lambda x, y: x - y, ("x", "y")),
        proven("multiply", layer.multiply, PAIRS, lambda x, y: x * y, ("x", "y")),
        proven("divide", layer.divide, far, lambda x, y: x / y, ("x",)),
        proven("negate", layer.negate, {"a matrix": _normal((2, 3))}, lambda x: -x, linear=("x",)),
    ]


def matmul_cases(layer: Any) -> Sequence[Case]:
    """Affine in both factors, for vectors, matrices and stacks of them."""
    inputs = {
        "matrices": _normal((2, 3), (3, 4)),
        "matrix and vector": _normal((2, 3), (3,)),
        "vector and matrix": _normal((3,), (3, 2)),
        "vectors": _normal((3,), (3,)),
        "stacks": _normal((2, 4, 3), (2, 3, 5)),
        "a matrix for every one of a stack": _normal((2, 4, 3), (3, 5)),
        "stacks that broadcast": _normal((2, 1, 4, 3), (3, 3, 2)),
        "vector and stack": _normal((3,), (2, 3, 4)),
        "stack and vector": _normal((2, 2, 4, 3), (3,)),
        "stacks of rows": _normal((1, 1, 3), (2, 3, 1)),
    }
    return [proven("graph matmul", layer.matmul, inputs, lambda x, y: x @ y, ("a", "b"))]


def arrays_cases(layer: Any) -> Sequence[Case]:
    """All are linear, the maximum as long as the largest entry stays the same."""
    x = {"rank 3": _normal((2, 3, 4))}

    def linear(name: str, operation: Any, twin: Twin) -> Layer:
        return proven(name, operation, x, twin, linear=("x",))

    def ties() -> float:
        """Of equal entries the first gets the gradient."""
        tied = np.array([[1.0, 2.0, 2.0], [0.0, 0.0, -1.0]])
        error = 0.0
        for operation, wanted in (
            (layer.max_over(axis=1), [[0, 1, 0], [1, 0, 0]]),
            (layer.max_over(axis=1, keepdims=True), [[0, 1, 0], [1, 0, 0]]),
            (layer.max_over(), [[0, 1, 0], [0, 0, 0]]),
        ):
            out, cache = operation.forward(tied)
            error += float(np.abs(operation.backward(np.ones_like(out), cache) - wanted).sum())
        return error

    places = (np.array([0, 1, 0]), np.array([2, 0, 2]))  # one place twice
    return [
        linear("sum of all", layer.sum_over(), lambda x: x.sum()),
        linear("sum over an axis", layer.sum_over(axis=1), lambda x: x.sum(1)),
        linear("sum over two axes", layer.sum_over(axis=(0, 2)), lambda x: x.sum((0, 2))),
        linear("sum that keeps axes", layer.sum_over(axis=1, keepdims=True), lambda x: x.sum(1, keepdim=True)),
        linear("sum of all that keeps axes", layer.sum_over(keepdims=True), lambda x: x.sum((0, 1, 2), keepdim=True)),
        proven("max of all", layer.max_over(), x, lambda x: x.max()),
        proven("max over an axis", layer.max_over(axis=1), x, lambda x: x.max(1)[0]),
        proven("max that keeps axes", layer.max_over(2, keepdims=True), x, lambda x: x.max(2, keepdim=True)[0]),
        Check("ties of max", ties),
        linear("reshape", layer.reshape(4, -1), lambda x: x.reshape(4, -1)),
        linear("transpose", layer.transpose(), lambda x: x.permute(2, 1, 0)),
        linear("transpose in an order", layer.transpose(1, 2, 0), lambda x: x.permute(1, 2, 0)),
        linear("take a slice", layer.take((slice(None), slice(1, 3))), lambda x: x[:, 1:3]),
        linear("take a number", layer.take((1, 2, 3)), lambda x: x[1, 2, 3]),
        linear("take places", layer.take(places), lambda x: x[[0, 1, 0], [2, 0, 2]]),
    ]


def order_cases(layer: Any) -> Sequence[Case]:
    """A chain, a diamond, and something used twice by the same."""
    graphs = {
        "chain": {1: [2], 2: [3], 3: []},
        "diamond": {1: [2, 3], 2: [4], 3: [4], 4: []},
        "twice": {1: [2, 2], 2: [3], 3: [], 9: [1]},
        "two ways of different lengths": {1: [2, 4], 2: [3], 3: [4], 4: []},
    }

    def faults() -> float:
        """How many items are missing, there twice, or before something they depend on."""
        count = 0
        for parents in graphs.values():
            found = layer.topological_order(1, lambda item, parents=parents: parents[item])
            wanted = {key for key in parents if key != 9}
            count += set(found) != wanted or len(found) != len(wanted)
            count += sum(found.index(parent) > found.index(item) for item in wanted for parent in parents[item])
        return float(count)

    return [Check("order", faults)]


def elementwise_cases(layer: Any) -> Sequence[Case]:
    """A function of numbers, and that it says no outside of its domain and where its slope is infinite."""

    def halves(x: np.ndarray) -> np.ndarray:
        return np.asarray(x > -1)

    function = layer.Elementwise("cube", lambda x: x**3, lambda x: 3 * x**2, "x > -1", halves)
    root = layer.Elementwise("root", np.sqrt, lambda x: 0.5 / np.sqrt(x))
    anywhere = layer.Elementwise("square", lambda x: x**2, lambda x: 2 * x)

    def messages() -> float:
        """How many wrong inputs were taken, or told by another place or value."""
        wrong = 0
        for call, words in (
            (lambda: function.forward(np.array([[0.0, 1.0], [2.0, -3.0]])), "got x = -3 at index (1, 1)"),
            (lambda: function.forward(np.array(-4.0)), "cube is defined for x > -1, got x = -4."),
            (lambda: root.backward(np.ones(2), np.array([1.0, 0.0])), "at x = 0 at index (1,)"),
        ):
            try:
                call()
                wrong += 1
            except DataError as error:
                wrong += words not in str(error)
        return float(wrong)

    inputs = {"matrix": between((-0.9, 2), (0, 1)), "number": lambda rng: (np.asarray(rng.uniform(0, 1)),)}
    return [
        proven("elementwise with a domain", function, inputs, lambda x: x**3),
        proven("elementwise anywhere", anywhere, {"both signs": between((-2, 2))}, lambda x: x**2),
        Check("elementwise says no", messages),
    ]


def _graph_layer(name: str, layer: Any, formula: Callable[..., Any], inputs: Mapping[str, Any], twin: Twin) -> Layer:
    """A formula of two nodes as a layer: forward builds the graph, backward runs it."""

    def forward(x: np.ndarray, y: np.ndarray) -> Any:
        nodes = layer.Node(x, "x"), layer.Node(y, "y")
        out = formula(*nodes)
        return out.value, (out, nodes)

    def backward(dout: np.ndarray, cache: Any) -> Any:
        out, nodes = cache
        out.backward(dout)
        return tuple(each.gradient for each in nodes)

    return Layer(name, forward, backward, inputs, gradients=("x", "y"), twin=twin)


def _bookkeeping(layer: Any) -> Sequence[Case]:
    """What a graph remembers, and in which precision."""
    left = np.array([[1.0, -2.0], [0.5, 3.0]])

    def bookkeeping() -> float:
        """The default seed, a second backward, a new input, and the gradients on the edges."""
        x = layer.Node([1.0, 2.0])
        square = x * x
        out = square.sum() + left.sum()
        out.backward()
        out.backward()
        error = float(np.abs(x.gradient - [2, 4]).sum()) + abs(float(out.gradient) - 1)
        error += float(np.abs(np.array(square.passed) - [[1, 2], [1, 2]]).sum())
        x.value = np.array([3, -1])
        error += abs(float(out.forward()) - 12.5) + (x.value.dtype != np.float64)
        single = layer.Node([[2.0]])
        (single * 3).backward()
        rows = [row.value.sum() for row in layer.Node(left)]
        products = (left @ layer.Node(left)).value - left @ left + (left - layer.Node(left)).value
        names = [repr(layer.Node(2)), repr(layer.Node(2, "w")), repr(layer.Node(2) * 3)]
        said = ["Node('input', value=2.0", "Node('w', value=2.0", "Node('×', value=6.0"]
        error += float([name.split(", gradient")[0] for name in names] != said)
        return (
            error + abs(single.gradient.item() - 3) + abs(rows[1] - 3.5) + len(rows) - 2 + float(np.abs(products).sum())
        )

    def precision() -> float:
        """How many results of single precision beside a plain number are not single."""
        x = layer.Node(np.ones(2, np.float32))
        results = [x + 1, 2.5 * x, x**2, x / 3, 1 - x]
        return float(sum(result.value.dtype != np.float32 for result in results))

    return [Check("bookkeeping of a graph", bookkeeping), Check("precision of a graph", precision)]


def node_cases(layer: Any) -> Sequence[Case]:
    """Each operator, numbers on both sides, and nodes used more than once."""

    def operators(x: Any, y: Any) -> Any:
        return (2 - x) * y + x / (3 + y * y) - (-x) / 4 + 5 / (y**2 + 1) - y * (x - 1.5) + 3 * y

    def products(x: Any, y: Any) -> Any:
        return x @ y.T + y.reshape(3, 2)[:2] + x.reshape(3, -1).transpose(1, 0) @ y.reshape(3, 2)[:, 1:]

    def pooled(x: Any, y: Any) -> Any:
        total = (
            x.sum()
            + (x * y).sum(0)[1]
            + y.sum(axis=1, keepdims=True).exp().sum()
            + (x.sum(1, keepdims=True) ** 2)[0, 0]
        )
        return total + x.max() * y.max(1)[0] + y.max(0, True)[0, 2] * x[1].sum()

    def pooled_twin(x: Any, y: Any) -> Any:
        total = x.sum() + (x * y).sum(0)[1] + y.sum(1).exp().sum() + x[0].sum() ** 2
        return total + x.max() * y.max(1)[0][0] + y.max(0)[0][2] * x[1].sum()

    def products_twin(x: Any, y: Any) -> Any:
        return x @ y.T + y.reshape(3, 2)[:2] + x.reshape(3, 2).T @ y.reshape(3, 2)[:, 1:]

    def repeated(x: Any, y: Any) -> Any:
        return x * x * y + x * (x + y * y * y)

    inputs = {"matrices": _normal((2, 3), (2, 3))}
    return [
        _graph_layer("operators", layer, operators, {**inputs, "row": _normal((2, 3), (3,))}, operators),
        _graph_layer("products", layer, products, inputs, products_twin),
        _graph_layer("pooled", layer, pooled, inputs, pooled_twin),
        _graph_layer("repeated use", layer, repeated, {"numbers": _normal((), ())}, repeated),
        *_bookkeeping(layer),
    ]


def gates_cases(layer: Any) -> Sequence[Case]:
    """The router with its tie, and the sigmoid grouped in two ways."""

    def maximum(x: Any, y: Any) -> Any:
        out = layer.maximum(x, y)
        return out

    def ties() -> float:
        """On a tie the first gets all of it."""
        out, cache = layer.maximum_forward(np.array([1.0, 2.0, 3.0]), np.array(2.0))
        first, second = layer.maximum_backward(np.ones(3), cache)
        return float(np.abs(out - [2, 2, 3]).sum() + np.abs(first - [0, 1, 1]).sum() + abs(second - 1))

    def neuron(x: Any, y: Any) -> Any:
        return layer.sigmoid(x * y + 0.5)

    def neuron_of_primitives(x: Any, y: Any) -> Any:
        return layer.sigmoid_of_primitives(x * y + 0.5)

    def neuron_twin(x: Any, y: Any) -> Any:
        return torch.sigmoid(x * y + 0.5)

    inputs = {"matrices": _normal((2, 3), (2, 3)), "number": _normal((2, 3), ())}
    return [
        _graph_layer("router", node, maximum, inputs, torch.maximum),
        _graph_layer("sigmoid in one node", node, neuron, inputs, neuron_twin),
        _graph_layer("sigmoid in four nodes", node, neuron_of_primitives, inputs, neuron_twin),
        Check("tie of the router", ties),
    ]


SUBJECTS: dict[str, Subject] = {
    "broadcasting": Subject(broadcast, broadcast_cases),
    "arithmetic": Subject(arithmetic, arithmetic_cases),
    "matrix-product": Subject(matmul, matmul_cases),
    "array-steps": Subject(arrays, arrays_cases),
    "topological-order": Subject(order, order_cases),
    "elementwise": Subject(elementwise, elementwise_cases),
    "graph": Subject(node, node_cases),
    "gates": Subject(gates, gates_cases),
}
