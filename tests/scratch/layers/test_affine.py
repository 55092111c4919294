"""The affine layer: the course's numbers, the rule of shapes, edges, and why depth needs activations."""

from itertools import pairwise, product

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.activations.relu import relu_forward
from pellucid.scratch.checks.gradcheck import check_gradient
from pellucid.scratch.layers.affine import affine_backward, affine_forward


def test_forward_gives_the_numbers_of_the_course() -> None:
    x = np.linspace(-0.1, 0.5, num=2 * 4 * 5 * 6).reshape(2, 4, 5, 6)
    w = np.linspace(-0.2, 0.3, num=4 * 5 * 6 * 3).reshape(120, 3)
    out, _ = affine_forward(x, w, np.linspace(-0.3, 0.1, num=3))
    expected = [[1.49834967, 1.70660132, 1.91485297], [3.25553199, 3.5141327, 3.77273342]]
    np.testing.assert_allclose(out, expected, rtol=3e-9)


def test_gradients_of_an_input_of_rank_four() -> None:
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((3, 2, 1, 4)), rng.standard_normal((8, 5)), rng.standard_normal(5)
    dout = rng.standard_normal((3, 5))
    gradients = affine_backward(dout, affine_forward(x, w, b)[1])
    for argument, gradient in zip((x, w, b), gradients, strict=True):
        assert check_gradient(lambda _: float(np.sum(affine_forward(x, w, b)[0] * dout)), argument, gradient).passed()


def test_shapes_leave_one_product_for_each_gradient() -> None:
    """With N, D and M all different, dL/dx = dL/dy Wᵀ and dL/dW = xᵀ dL/dy are the only products that fit."""
    rng = np.random.default_rng(0)
    x, w, dout = rng.standard_normal((2, 3)), rng.standard_normal((3, 5)), rng.standard_normal((2, 5))
    dx, dw, _ = affine_backward(dout, affine_forward(x, w, np.zeros(5))[1])

    def products(one: np.ndarray, other: np.ndarray, shape: tuple[int, ...]) -> list[np.ndarray]:
        pairs = [*product((one, one.T), (other, other.T)), *product((other, other.T), (one, one.T))]
        return [a @ b for a, b in pairs if a.shape[1] == b.shape[0] and (a @ b).shape == shape]

    for found, gradient in ((products(dout, w, x.shape), dx), (products(x, dout, w.shape), dw)):
        (only,) = found
        np.testing.assert_allclose(only, gradient)


def test_an_input_without_samples_has_gradients_without_samples() -> None:
    out, cache = affine_forward(np.empty((0, 2, 3)), np.ones((6, 4)), np.ones(4))
    dx, dw, db = affine_backward(np.empty((0, 4)), cache)
    assert out.shape == (0, 4)
    assert dx.shape == (0, 2, 3)
    assert not dw.any()
    assert not db.any()


def test_without_activations_depth_is_one_linear_map() -> None:
    """Five affine layers are the product of their weights; one ReLU among them, and no matrix is them."""
    rng = np.random.default_rng(0)
    widths = [4, 9, 3, 8, 6, 2]
    layers = [(rng.standard_normal(shape), rng.standard_normal(shape[1])) for shape in pairwise(widths)]
    x = rng.standard_normal((20, 4))
    deep, bent = x, x
    w, b = np.eye(4), np.zeros(4)
    for weights, biases in layers:
        deep, bent = affine_forward(deep, weights, biases)[0], relu_forward(affine_forward(bent, weights, biases)[0])[0]
        w, b = w @ weights, b @ weights + biases
    np.testing.assert_allclose(affine_forward(x, w, b)[0], deep, rtol=1e-10, atol=1e-10)
    columns = np.column_stack([x, np.ones(20)])
    for out, linear in ((deep, True), (bent, False)):
        fitted = columns @ np.linalg.lstsq(columns, out)[0]
        assert (np.abs(fitted - out).max() < 1e-10 * np.abs(out).max()) == linear


@pytest.mark.parametrize(
    ("w", "b", "message"),
    [
        ((7, 2), (2,), "affine: x (2, 2, 3) has 6 numbers a sample, so w must be (6, M), got (7, 2)."),
        ((6,), (2,), "affine: x (2, 2, 3) has 6 numbers a sample, so w must be (6, M), got (6,)."),
        ((6, 2), (1, 2), "affine: w (6, 2) gives 2 outputs, so b must be (2,), got (1, 2)."),
    ],
)
def test_shapes_that_do_not_fit_are_said(w: tuple[int, ...], b: tuple[int, ...], message: str) -> None:
    with pytest.raises(DataError) as caught:
        affine_forward(np.ones((2, 2, 3)), np.ones(w), np.ones(b))
    assert str(caught.value) == message
