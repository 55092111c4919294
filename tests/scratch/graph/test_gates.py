"""What gates do to gradients, and that it does not matter how a formula is cut into nodes."""

import numpy as np
import pytest

from pellucid.scratch.graph.gates import maximum, sigmoid, sigmoid_of_primitives
from pellucid.scratch.graph.node import Node, apply
from pellucid.scratch.graph.operation import Pair


def test_addition_distributes():
    x, y = Node(3.0), Node(-7.0)
    (x + y).backward(0.6)
    assert (x.gradient, y.gradient) == (0.6, 0.6)


def test_multiplication_switches():
    x, y = Node(3.0), Node(-7.0)
    (x * y).backward(2)
    assert (x.gradient, y.gradient) == (-14, 6)


def test_maximum_routes():
    x, y = Node([4.0, 1.0]), Node([5.0, -1.0])
    maximum(x, y).backward(np.array([9.0, 9.0]))
    np.testing.assert_array_equal(x.gradient, [0, 9])
    np.testing.assert_array_equal(y.gradient, [9, 0])


def test_on_a_tie_the_first_gets_all():
    x, y = Node(2.0), Node(2.0)
    maximum(x, y).backward(5)
    assert (x.gradient, y.gradient) == (5, 0)
    zero = Node(0.0)
    maximum(0, zero).backward()
    assert zero.gradient == 0  # a ReLU as the course has it


def test_a_branch_sums():
    x = Node(2.0)
    first, second = x * 3, x * 4
    (first + second).backward()
    assert x.gradient == first.passed[0] + second.passed[0] == 7


def neuron_forward(w0, x0, w1, x1, w2):
    out = 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))
    return out, (w0, x0, w1, x1, out)


def neuron_backward(dout, cache):
    w0, x0, w1, x1, out = cache
    dz = dout * (1 - out) * out
    return dz * x0, dz * w0, dz * x1, dz * w1, dz


def test_one_node_or_eight_give_the_same():
    """The sigmoid neuron of the course: eight primitives, five nodes with a fused sigmoid, one node for all."""
    values = (2.0, -1.0, -3.0, -2.0, -3.0)

    def cut(how):
        inputs = [Node(value) for value in values]
        w0, x0, w1, x1, w2 = inputs
        if how == "one":
            out = apply(Pair("neuron", neuron_forward, neuron_backward), *inputs)
        else:
            out = (sigmoid if how == "fused" else sigmoid_of_primitives)(w0 * x0 + w1 * x1 + w2)
        out.backward()
        computed = sum(node.operation is not None for node in out.ancestors())
        return computed, out.value, [float(node.gradient) for node in inputs]

    (one, *a), (five, *b), (eight, *c) = cut("one"), cut("fused"), cut("primitive")
    assert (one, five, eight) == (1, 5, 8)
    assert a[0] == pytest.approx(0.7310585786) == b[0] == c[0]
    np.testing.assert_allclose(a[1], [-0.1966, 0.3932, -0.3932, -0.5898, 0.1966], atol=5e-5)
    np.testing.assert_allclose(b[1], a[1], rtol=1e-14)
    np.testing.assert_allclose(c[1], a[1], rtol=1e-14)


def test_the_fused_sigmoid_does_not_overflow():
    x = Node([-1000.0, 0.0, 1000.0])
    out = sigmoid(x)
    out.sum().backward()
    np.testing.assert_array_equal(out.value, [0, 0.5, 1])
    np.testing.assert_array_equal(x.gradient, [0, 0.25, 0])
