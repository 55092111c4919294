"""Activations, products and the nodes of the graph, in ONNX's terms."""

from collections.abc import Callable
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from pellucid.scratch.activations.elu import elu_forward
from pellucid.scratch.activations.gelu import gelu_forward
from pellucid.scratch.activations.hard_sigmoid import hard_sigmoid_forward
from pellucid.scratch.activations.leaky_relu import leaky_relu_forward
from pellucid.scratch.activations.prelu import prelu_forward
from pellucid.scratch.activations.selu import selu_forward
from pellucid.scratch.activations.swish import swish_forward
from pellucid.scratch.graph import arithmetic, arrays
from pellucid.scratch.graph.functions.powers import power
from pellucid.scratch.graph.gates import maximum_forward
from pellucid.scratch.graph.matmul import matmul_forward
from pellucid.scratch.graph.node import Node
from pellucid.scratch.layers.affine import affine_forward
from pellucid.scratch.layers.embedding import word_embedding_forward
from pellucid.scratch.losses.softmax import log_sum_exp

Attributes = dict[str, Any]
Inputs = list[Any]
Outputs = tuple[Any, ...]
Adapter = Callable[[Attributes, Inputs, int], Outputs]


def plain(function: Callable[[np.ndarray], np.ndarray]) -> Adapter:
    """The adapter of a function x -> y without settings."""
    return lambda attributes, inputs, opset: (function(inputs[0]),)


def forward(layer: Callable[..., tuple[np.ndarray, Any]]) -> Adapter:
    """The adapter of a layer (*inputs) -> (y, cache) without settings."""
    return lambda attributes, inputs, opset: (layer(*inputs)[0],)


def folded(layer: Callable[..., tuple[np.ndarray, Any]]) -> Adapter:
    """The adapter of a layer of two inputs for any number of them."""
    return lambda attributes, inputs, opset: (reduce(lambda x, y: layer(x, y)[0], inputs),)


def along_axis(function: Callable[[np.ndarray], np.ndarray]) -> Adapter:
    """The adapter of a function along the last axis, for any axis."""

    def adapter(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
        axis = attributes.get("axis", -1)
        return (np.moveaxis(function(np.moveaxis(inputs[0], axis, -1)), -1, axis),)

    return adapter


def _given(attributes: Attributes, **names: str) -> dict[str, Any]:
    """Only what is given: the defaults are the same."""
    return {ours: attributes[theirs] for theirs, ours in names.items() if theirs in attributes}


def leaky_relu(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    return leaky_relu_forward(inputs[0], **_given(attributes, alpha="alpha"))[:1]


def elu(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    return elu_forward(inputs[0], **_given(attributes, alpha="alpha"))[:1]


def selu(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    return selu_forward(inputs[0])[:1]


def gelu(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    return gelu_forward(inputs[0], **_given(attributes, approximate="approximate"))[:1]


def swish(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    return swish_forward(inputs[0], **_given(attributes, alpha="beta"))[:1]


def hard_sigmoid(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """Ours is that of x/6 + 1/2; another line is ours of another x."""
    line = np.float32(attributes.get("alpha", 0.2)) * inputs[0] + np.float32(attributes.get("beta", 0.5))
    return hard_sigmoid_forward(6 * line - 3)[:1]


def prelu(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """A slope for each entry is one for each channel, if all entries are channels of one sample."""
    x, slope = inputs
    out, _ = prelu_forward(x.reshape(1, -1), np.broadcast_to(slope, x.shape).ravel())
    return (out.reshape(x.shape),)


def gemm(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """The affine layer where it is that, else a graph."""
    a, b, c = (*inputs, np.zeros((), np.float32))[:3]
    a, b = (array.T if attributes.get(name, 0) else array for array, name in ((a, "transA"), (b, "transB")))
    alpha, beta = attributes.get("alpha", 1.0), attributes.get("beta", 1.0)
    if alpha == beta == 1 and c.shape == (1, b.shape[1]):
        return affine_forward(a, b, c[0])[:1]
    return ((alpha * (Node(a) @ b) + beta * Node(c)).value,)


def matmul(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    return matmul_forward(*inputs)[:1]


def powers(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    x, n = inputs
    return power(float(n)).forward(x)[:1]


def mean(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    total = reduce(lambda x, y: x + y, (Node(x) for x in inputs))
    return ((total / len(inputs)).value,)


def gather(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """Rows of a table of which the axis in question counts the rows."""
    x, words = inputs
    axis = attributes.get("axis", 0)
    front = np.moveaxis(x, axis, 0)
    out, _ = word_embedding_forward(words, front.reshape(len(front), -1))
    out = out.reshape(*words.shape, *front.shape[1:])
    return (np.moveaxis(out, range(words.ndim), range(axis, axis + words.ndim)),)


def transpose(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    return arrays.transpose(*attributes.get("perm", ())).forward(inputs[0])[:1]


def _axes(attributes: Attributes, inputs: Inputs) -> tuple[int, ...] | None:
    axes = tuple(inputs[1].tolist()) if len(inputs) > 1 else ()
    return axes or (() if attributes.get("noop_with_empty_axes", 0) else None)


def reduce_sum(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    keep = bool(attributes.get("keepdims", 1))
    return arrays.sum_over(_axes(attributes, inputs), keep).forward(inputs[0])[:1]


def reduce_mean(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    x, axes, keep = inputs[0], _axes(attributes, inputs), bool(attributes.get("keepdims", 1))
    count = prod(x.shape[axis] for axis in (range(x.ndim) if axes is None else axes))
    return ((Node(x).sum(axes, keep) / count).value,)


def reduce_max(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    axes, keep = _axes(attributes, inputs), bool(attributes.get("keepdims", 1))
    return arrays.max_over(None if axes is None else axes[0], keep).forward(inputs[0])[:1]


def reduce_log_sum_exp(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """The axes in question become one, the last."""
    x, axes = inputs[0], _axes(attributes, inputs)
    axes = tuple(range(x.ndim)) if axes is None else tuple(axis % x.ndim for axis in axes)
    back = np.moveaxis(x, axes, range(-len(axes), 0))
    out = log_sum_exp(back.reshape(*back.shape[: x.ndim - len(axes)], -1))
    return (np.expand_dims(out, axes) if attributes.get("keepdims", 1) else out,)


add, subtract = arithmetic.add_forward, arithmetic.subtract_forward
multiply, divide, negate = arithmetic.multiply_forward, arithmetic.divide_forward, arithmetic.negate_forward
larger = maximum_forward
