"""The engine: worked numbers, PyTorch on random graphs, reuse, depth, refusals."""

import math

import numpy as np
import pytest
import torch

from pellucid.core.errors import DataError
from pellucid.scratch.checks.numerical import eval_numerical_gradient
from pellucid.scratch.graph.functions.exponentials import ln
from pellucid.scratch.graph.functions.hyperbolic import tanh
from pellucid.scratch.graph.functions.trigonometric import sin
from pellucid.scratch.graph.gates import maximum
from pellucid.scratch.graph.node import Node, apply
from pellucid.scratch.graph.operation import Pair
from pellucid.scratch.layers.affine import affine_backward, affine_forward
from pellucid.scratch.losses.softmax import softmax_loss


def test_square_has_slope_two_at_one():
    w = Node(1.0)
    loss = w**2
    loss.backward()
    assert (loss.value, w.gradient) == (1, 2)
    square = eval_numerical_gradient(lambda x: float(x[0] ** 2), np.array([1.0]), h=1e-3, centred=False)
    assert square == pytest.approx(2.001)  # one-sided; the second derivative times h/2 is what is too much


def test_sum_times_number():
    x, y, z = Node(-2), Node(5), Node(-4)
    q = x + y
    f = q * z
    f.backward()
    assert (q.value, f.value) == (3, -12)
    assert (x.gradient, y.gradient, z.gradient, q.gradient) == (-4, -4, 3, -4)


def test_squared_length_of_a_matrix_times_a_vector():
    W, x = Node([[0.1, 0.5], [-0.3, 0.8]]), Node([0.2, 0.4])
    q = W @ x
    f = (q**2).sum()
    f.backward()
    np.testing.assert_allclose(q.value, [0.22, 0.26])
    assert f.value == pytest.approx(0.116)
    np.testing.assert_allclose(q.gradient, [0.44, 0.52])
    np.testing.assert_allclose(W.gradient, [[0.088, 0.176], [0.104, 0.208]])
    np.testing.assert_allclose(x.gradient, [-0.112, 0.636])


OPERATIONS = {
    "add": (lambda a, b: a + b, lambda a, b: a + b),
    "subtract": (lambda a, b: a - b, lambda a, b: a - b),
    "multiply": (lambda a, b: a * b, lambda a, b: a * b),
    "divide": (lambda a, b: a / (b * b + 1), lambda a, b: a / (b * b + 1)),
    "maximum": (maximum, torch.maximum),
    "sin": (lambda a, b: apply(sin, a), lambda a, b: a.sin()),
    "tanh": (lambda a, b: apply(tanh, b), lambda a, b: b.tanh()),
    "row sums": (lambda a, b: a.sum(axis=1, keepdims=True) * b, lambda a, b: a.sum(1, keepdim=True) * b),
    "product": (lambda a, b: a @ b.T @ b, lambda a, b: a @ b.T @ b),
    "column": (lambda a, b: a[:, :1] - b, lambda a, b: a[:, :1] - b),
}


@pytest.mark.parametrize("seed", range(50))
def test_random_graphs_agree_with_pytorch(seed: int):
    rng = np.random.default_rng(seed)
    shapes = [(3, 4), (1, 4), (3, 1), ()]
    arrays = [0.5 * rng.standard_normal(shapes[k]) for k in rng.permutation(4)]
    ours, theirs = [Node(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    inputs = list(ours), list(theirs)
    ours, theirs = [x + np.zeros((3, 4)) for x in ours], [x + torch.zeros(3, 4, dtype=torch.float64) for x in theirs]
    for _ in range(12):
        name = rng.choice(list(OPERATIONS))
        first, second = rng.integers(len(ours), size=2)  # often a node that was used before, or twice the same
        ours.append(OPERATIONS[name][0](ours[first], ours[second]) * 0.5)
        theirs.append(OPERATIONS[name][1](theirs[first], theirs[second]) * 0.5)
    out, torch_out = sum(x.sum() for x in ours), sum(x.sum() for x in theirs)
    out.backward()
    torch_out.backward()
    assert out.value == pytest.approx(torch_out.item(), rel=1e-12)
    for node, tensor in zip(*inputs, strict=True):
        expected = tensor.grad.numpy()
        np.testing.assert_allclose(node.gradient, expected, rtol=1e-9, atol=1e-9 * (1 + np.abs(expected).max()))


def test_a_node_that_is_used_often_adds_up_what_comes_back():
    x = Node(3.0)
    y = x * x + x + 2 * x  # 2x + 1 + 2
    y.backward()
    assert x.gradient == 9
    y.backward()
    assert x.gradient == 9  # a second pass starts from nothing


def test_only_one_backward_per_node_however_many_paths():
    calls = []

    def backward(dout, cache):
        calls.append(1)
        return dout

    x = Node(1.0)
    for _ in range(40):
        x = apply(Pair("same", lambda x: (x, None), backward), x)
        x = x + x  # 2^40 paths
    x.backward()
    assert len(calls) == 40 and x.ancestors()[0].gradient == 2.0**40


def test_chains_of_ten_thousand_nodes():
    x = Node(1.0)
    y = x
    for _ in range(10_000):
        y = y + 1
    y.backward()
    assert (y.value, x.gradient) == (10_001, 1)
    x.value = np.array(5.0)
    assert y.forward() == 10_005


def test_the_graph_is_kept_and_can_be_run_again():
    x, y = Node([1.0, 2.0]), Node([3.0, 4.0])
    out = (x * y).sum()
    x.value = np.array([10, 20])
    assert out.forward() == 110
    out.backward()
    np.testing.assert_array_equal(y.gradient, [10, 20])


def test_the_house_s_layers_are_nodes():
    rng = np.random.default_rng(0)
    x, w, b = Node(rng.standard_normal((2, 3, 2))), Node(rng.standard_normal((6, 4))), Node(rng.standard_normal(4))
    y = np.array([1, 3])
    scores = apply(Pair("affine", affine_forward, affine_backward), x, w, b)
    loss = apply(Pair("softmax loss", lambda s: softmax_loss(s, y), lambda dout, dx: dout * dx), scores)
    loss.backward()
    by_parts = x.reshape(2, 6) @ w + b
    shifted = by_parts - by_parts.max(axis=1, keepdims=True)
    mean = (apply(ln, shifted.exp().sum(axis=1)) - shifted[np.arange(2), y]).sum() / 2
    before = [node.gradient for node in (x, w, b)]
    mean.backward()
    assert mean.value == pytest.approx(loss.value)
    for node, gradient in zip((x, w, b), before, strict=True):
        np.testing.assert_allclose(node.gradient, gradient, atol=1e-12)


def test_a_two_layer_net_learns_exclusive_or():
    rng = np.random.default_rng(1)
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    weights = [Node(rng.standard_normal(shape)) for shape in ((2, 8), (8,), (8, 2), (2,))]
    W1, b1, W2, b2 = weights
    scores = maximum(0, X @ W1 + b1) @ W2 + b2
    shifted = scores - scores.max(axis=1, keepdims=True)
    loss = (apply(ln, shifted.exp().sum(axis=1)) - shifted[np.arange(4), y]).sum() / 4
    for _ in range(300):
        loss.backward()
        for weight in weights:
            weight.value = weight.value - 0.3 * weight.gradient
        loss.forward()
    assert loss.value < 0.05
    np.testing.assert_array_equal(scores.value.argmax(axis=1), y)


def test_arrays_may_stand_on_the_left():
    x = Node(np.ones(2))
    for out in (np.array([1.0, 2.0]) * x, np.array([1.0, 2.0]) + x, np.array([1.0, 2.0]) @ x, np.float64(3) * x):
        assert isinstance(out, Node)


def test_single_precision_stays_single():
    x = Node(np.array([0.5, 0.25], np.float32))
    out = (apply(sin, x) * 2 / (1 + x**2)).sum()
    out.backward()
    assert out.value.dtype == x.gradient.dtype == np.float32


def test_names_and_values_are_shown():
    assert repr(Node(2, "w")) == "Node('w', value=2.0, gradient=None)"
    assert repr(Node(2) * 3) == "Node('×', value=6.0, gradient=None)"


def test_backward_of_several_numbers_needs_a_seed():
    x = Node([1.0, 2.0])
    y = x * x
    with pytest.raises(DataError) as caught:
        y.backward()
    assert str(caught.value) == (
        "backward() starts at a single number, this node has shape (2,): sum it first, "
        "or give the gradient of the loss with respect to it as a seed of that shape."
    )
    with pytest.raises(DataError, match=r"^The seed of backward\(\) must have the node's shape \(2,\), got \(1,\)\.$"):
        y.backward(np.ones(1))
    y.backward(np.array([1.0, 10.0]))
    np.testing.assert_array_equal(x.gradient, [2, 40])


def test_an_operation_that_forgets_a_gradient_is_named():
    out = apply(Pair("lazy", lambda x, y: (x * y, None), lambda dout, cache: dout), Node(1.0), Node(2.0))
    with pytest.raises(DataError) as caught:
        out.backward()
    wanted = "backward of 'lazy' must return a gradient for each of its 2 arguments, it returned 1."
    assert str(caught.value) == wanted


@pytest.mark.parametrize(
    ("a", "b"),
    [((2, 3), (2, 3)), ((3,), (2,)), ((2, 2, 3), (3, 3, 2)), ((), (2, 2)), ((2, 2), ()), ((2, 3), (4, 2, 3))],
)
def test_shapes_that_do_not_multiply_are_refused(a: tuple[int, ...], b: tuple[int, ...]):
    with pytest.raises(DataError) as caught:
        Node(np.ones(a)) @ Node(np.ones(b))
    assert str(caught.value) == (
        "matmul: needs (..., N, D) or (D,) times (..., D, M) or (D,), with axes in front that broadcast, "
        f"got {a} times {b}."
    )


def test_a_matrix_used_for_a_whole_stack_gets_the_sum_of_its_gradients():
    rng = np.random.default_rng(0)
    stack, matrix = Node(rng.standard_normal((4, 2, 3))), Node(rng.standard_normal((3, 5)))
    out = stack @ matrix
    out.backward(seed := rng.standard_normal((4, 2, 5)))
    one_by_one = [Node(each) @ Node(matrix.value) for each in stack.value]
    np.testing.assert_array_equal(out.value, [each.value for each in one_by_one])
    of_each = [x.T @ dy for x, dy in zip(stack.value, seed, strict=True)]
    np.testing.assert_allclose(matrix.gradient, np.sum(of_each, axis=0), rtol=0, atol=1e-14)
    assert stack.gradient.shape == (4, 2, 3)


@pytest.mark.parametrize(
    ("a", "b"), [((0, 2, 3), (3, 4)), ((2, 3), (0, 3, 4)), ((2, 2, 0), (2, 0, 4)), ((0,), (0,)), ((3, 0, 2), (2,))]
)
def test_empty_stacks_multiply(a: tuple[int, ...], b: tuple[int, ...]):
    x, y = Node(np.ones(a)), Node(np.ones(b))
    out = x @ y
    out.backward(np.ones_like(out.value))
    assert x.gradient.shape == a and y.gradient.shape == b
    assert not out.value.any() and not x.gradient.any() and not y.gradient.any()


def test_empty_arrays_sum_to_nothing():
    x = Node(np.ones((0, 3)))
    out = (x * 2).sum() + math.pi
    out.backward()
    assert out.value == math.pi and x.gradient.shape == (0, 3)
