"""Sandwiches are their layers one after the other, keep statistics where they belong, and may be asked twice."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.checks.gradcheck import check_gradient
from pellucid.scratch.layers import sandwich
from pellucid.scratch.layers.affine import affine_backward, affine_forward

CONV, POOL = {"stride": 1, "pad": 1}, {"pool_height": 2, "pool_width": 2, "stride": 2}
PICTURES = ((2, 3, 4, 4), (5, 3, 3, 3), (5,))
ROWS = ((4, 2, 3), (6, 5), (5,))
NORM = ((5,), (5,))
# forward, backward, shapes of the arrays, settings
SANDWICHES: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...], tuple[Any, ...]]] = {
    "affine_relu": (sandwich.affine_relu_forward, sandwich.affine_relu_backward, ROWS, ()),
    "affine_bn_relu": (
        sandwich.affine_bn_relu_forward,
        sandwich.affine_bn_relu_backward,
        ROWS + NORM,
        ({"mode": "train"},),
    ),
    "affine_ln_relu": (sandwich.affine_ln_relu_forward, sandwich.affine_ln_relu_backward, ROWS + NORM, ({},)),
    "conv_relu": (sandwich.conv_relu_forward, sandwich.conv_relu_backward, PICTURES, (CONV,)),
    "conv_bn_relu": (
        sandwich.conv_bn_relu_forward,
        sandwich.conv_bn_relu_backward,
        PICTURES + NORM,
        (CONV, {"mode": "train"}),
    ),
    "conv_relu_pool": (sandwich.conv_relu_pool_forward, sandwich.conv_relu_pool_backward, PICTURES, (CONV, POOL)),
}


def arrays(shapes: tuple[tuple[int, ...], ...], kind: type = np.float64) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(kind) for shape in shapes]


def test_affine_relu_is_affine_then_relu() -> None:
    x, w, b = arrays(ROWS)
    out, cache = sandwich.affine_relu_forward(x, w, b)
    z, affine = affine_forward(x, w, b)
    expected, relu = relu_forward(z)
    np.testing.assert_array_equal(out, expected)
    dout = np.random.default_rng(1).standard_normal(out.shape)
    by_parts = affine_backward(relu_backward(dout, relu), affine)
    for ours, theirs in zip(sandwich.affine_relu_backward(dout, cache), by_parts, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("forward", "backward", "shapes", "settings"), SANDWICHES.values(), ids=SANDWICHES)
class TestEverySandwich:
    def test_has_the_gradient_of_what_it_computes(
        self, forward: Callable[..., Any], backward: Callable[..., Any], shapes: Any, settings: Any
    ) -> None:
        arguments = arrays(shapes)
        out, cache = forward(*arguments, *settings)
        dout = np.random.default_rng(1).standard_normal(out.shape)

        def loss(_: np.ndarray) -> float:
            return float(np.sum(forward(*arguments, *settings)[0] * dout))

        for argument, gradient in zip(arguments[1:], backward(dout, cache)[1:], strict=True):  # weights and scales
            assert check_gradient(loss, argument, gradient).passed()

    def test_may_be_asked_twice_and_keeps_the_type(
        self, forward: Callable[..., Any], backward: Callable[..., Any], shapes: Any, settings: Any
    ) -> None:
        arguments = arrays(shapes, np.float32)
        out, cache = forward(*arguments, *settings)
        first, second = (backward(np.ones_like(out), cache) for _ in range(2))
        for argument, one, other in zip(arguments, first, second, strict=True):
            assert one.shape == argument.shape
            assert out.dtype == one.dtype == np.float32
            np.testing.assert_array_equal(one, other)
        assert out.min() == 0

    def test_works_for_one_sample(
        self, forward: Callable[..., Any], backward: Callable[..., Any], shapes: Any, settings: Any
    ) -> None:
        x, *rest = arrays(shapes)
        out, cache = forward(x[:1], *rest, *settings)
        dx, *_ = backward(np.ones_like(out), cache)
        assert dx.shape == (1, *x.shape[1:])
        assert np.isfinite(dx).all()


@pytest.mark.parametrize("name", ["affine_bn_relu", "conv_bn_relu"])
def test_batch_normalisation_takes_the_bias_off_and_keeps_its_statistics_outside(name: str) -> None:
    forward, backward, shapes, (*settings, _) = SANDWICHES[name]
    bn_param: dict[str, Any] = {"mode": "train"}
    out, cache = forward(*arrays(shapes), *settings, bn_param)
    _, _, db, _, _ = backward(np.ones_like(out) * np.arange(len(out)).reshape(-1, *[1] * (out.ndim - 1)), cache)
    np.testing.assert_allclose(db, 0, atol=1e-12)
    assert bn_param["running_mean"].shape == bn_param["running_var"].shape == (5,)
    shifted, _ = forward(*(a + 7 * (i == 2) for i, a in enumerate(arrays(shapes))), *settings, bn_param)
    np.testing.assert_allclose(shifted, out, atol=1e-12)


def test_a_shape_that_does_not_fit_is_said_by_the_layer_that_cannot_use_it() -> None:
    x, w, b = arrays(PICTURES)
    with pytest.raises(DataError, match="^convolution: x must be"):
        sandwich.conv_relu_pool_forward(np.ones((2, 4, 4, 4)), w, b, CONV, POOL)
    with pytest.raises(DataError, match="^affine: x"):
        sandwich.affine_relu_forward(x, np.ones((7, 2)), b)
