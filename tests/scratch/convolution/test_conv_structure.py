"""What kinds of convolution are: a layer at each pixel, a stack of small ones, a product of thin ones, a matrix."""

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.convolution.dilated import conv_backward_dilated, conv_forward_dilated, conv_forward_holes
from pellucid.scratch.convolution.fast import conv_backward_fast, conv_forward_fast
from pellucid.scratch.convolution.grouped import conv_forward_grouped
from pellucid.scratch.convolution.matrix import conv_forward_matrix, conv_matrix, conv_matrix_1d
from pellucid.scratch.convolution.separable import (
    depthwise_backward,
    depthwise_forward,
    pointwise_forward,
    separable_costs,
    separable_forward,
)
from pellucid.scratch.convolution.size import conv_window
from pellucid.scratch.layers.affine import affine_forward

PLAIN = {"stride": 1, "pad": 0}


def test_one_by_one_is_a_linear_layer_at_each_pixel(rng):
    x, w, b = rng.standard_normal((2, 5, 3, 4)), rng.standard_normal((7, 5)), rng.standard_normal(7)
    out, _ = conv_forward_fast(x, w[:, :, None, None], b, PLAIN)
    pixels, _ = affine_forward(x.transpose(0, 2, 3, 1).reshape(-1, 5), w.T, b)
    np.testing.assert_allclose(out.transpose(0, 2, 3, 1).reshape(-1, 7), pixels, atol=1e-13)
    np.testing.assert_array_equal(out, pointwise_forward(x, w, b)[0])
    assert out.shape == (2, 7, 3, 4)  # depth changes, size does not


def test_one_by_one_in_a_row_needs_something_between(rng):
    """Without a nonlinearity two of them are one, whose weights are the product; with one they are more."""
    x, w, v = rng.standard_normal((1, 3, 4, 4)), rng.standard_normal((6, 3)), rng.standard_normal((2, 6))
    between, _ = pointwise_forward(x, w, np.zeros(6))
    both, _ = pointwise_forward(between, v, np.zeros(2))
    one, _ = pointwise_forward(x, v @ w, np.zeros(2))
    bent, _ = pointwise_forward(np.maximum(between, 0), v, np.zeros(2))
    np.testing.assert_allclose(both, one, atol=1e-13)
    assert np.abs(bent - one).max() > 0.1


def seen_by_the_middle(kernels, dilations, size=41):
    """Rows of the picture that have a gradient from the middle output of a stack of layers, all weights one."""
    x, caches = np.zeros((1, 1, size, size)), []
    for kernel, dilation in zip(kernels, dilations, strict=True):
        conv_param = {"stride": 1, "pad": dilation * (kernel - 1) // 2, "dilation": dilation}
        x, cache = conv_forward_dilated(x, np.ones((1, 1, kernel, kernel)), np.zeros(1), conv_param)
        caches.append(cache)
    gradient = np.zeros_like(x)
    gradient[0, 0, size // 2, size // 2] = 1
    for cache in reversed(caches):
        gradient, _, _ = conv_backward_dilated(gradient, cache)
    return np.flatnonzero(gradient[0, 0].any(axis=1)), gradient[0, 0]


def test_two_small_kernels_see_what_a_larger_one_sees():
    for kernels, field in (([3, 3], 5), ([5], 5), ([3, 3, 3], 7), ([7], 7)):
        rows, _ = seen_by_the_middle(kernels, [1] * len(kernels))
        assert len(rows) == field == rows[-1] - rows[0] + 1


def test_two_small_kernels_give_the_size_of_a_larger_one(rng):
    x, b = rng.standard_normal((1, 3, 32, 32)), np.zeros(3)
    once, _ = conv_forward_fast(x, rng.standard_normal((3, 3, 3, 3)), b, PLAIN)
    twice, _ = conv_forward_fast(once, rng.standard_normal((3, 3, 3, 3)), b, PLAIN)
    large, _ = conv_forward_fast(x, rng.standard_normal((3, 3, 5, 5)), b, PLAIN)
    assert once.shape[2:] == (30, 30)
    assert twice.shape == large.shape == (1, 3, 28, 28)


def test_dilations_of_one_two_four_see_seven_then_fifteen():
    for number, field in ((1, 3), (2, 7), (3, 15), (4, 31)):
        rows, gradient = seen_by_the_middle([3] * number, [2**layer for layer in range(number)])
        assert len(rows) == field == 2 ** (number + 1) - 1
        assert np.count_nonzero(gradient) == field**2  # no pixel is missed


def test_the_same_dilation_throughout_misses_pixels():
    _, gradient = seen_by_the_middle([3, 3], [2, 2])
    assert np.count_nonzero(gradient) == 25  # of the 9 x 9 it reaches over


def test_a_row_after_a_column_is_a_kernel_of_rank_one(rng):
    x, row, column = rng.standard_normal((2, 1, 7, 8)), rng.standard_normal(3), rng.standard_normal(3)
    zero = np.zeros(1)
    first, _ = conv_forward_fast(x, row.reshape(1, 1, 1, 3), zero, PLAIN)
    both, _ = conv_forward_fast(first, column.reshape(1, 1, 3, 1), zero, PLAIN)
    square, _ = conv_forward_fast(x, np.outer(column, row).reshape(1, 1, 3, 3), zero, PLAIN)
    np.testing.assert_allclose(both, square, atol=1e-13)
    assert np.linalg.matrix_rank(np.outer(column, row)) == 1


def test_separable_costs_of_the_notes():
    costs = separable_costs(channels=32, filters=64, kernel=(3, 3), out=(112, 112))
    assert costs["separable"].macs == 29_302_784
    assert costs["standard"].macs == 231_211_008
    assert round(costs["separable"].macs / costs["standard"].macs, 8) == 0.12673611
    assert costs["depthwise"].parameters == 3 * 3 * 32
    assert costs["separable"].parameters == 3 * 3 * 32 + 32 * 64
    assert all(cost.macs == cost.parameters * 112 * 112 for cost in costs.values())


@pytest.mark.parametrize(("channels", "filters", "kernel"), [(7, 512, 3), (32, 64, 3), (5, 16, 5)])
def test_separable_over_standard_does_not_depend_on_the_channels(channels, filters, kernel):
    costs = separable_costs(channels, filters, (kernel, kernel), (9, 4))
    ratio = costs["separable"].parameters / costs["standard"].parameters
    assert ratio == pytest.approx(1 / filters + 1 / kernel**2)
    if (filters, kernel) == (512, 3):
        assert round(ratio, 8) == 0.11306424


def test_depthwise_is_a_convolution_in_as_many_groups_as_channels(rng):
    x, w, b = rng.standard_normal((2, 4, 6, 5)), rng.standard_normal((4, 3, 3)), rng.standard_normal(4)
    conv_param = {"stride": 2, "pad": 1}
    out, _ = depthwise_forward(x, w, b, conv_param)
    grouped, _ = conv_forward_grouped(x, w[:, None], b, {**conv_param, "groups": 4})
    np.testing.assert_allclose(out, grouped, atol=1e-13)


def test_no_pictures_depthwise():
    out, cache = depthwise_forward(np.ones((0, 4, 5, 5)), np.ones((4, 3, 3)), np.ones(4), {"stride": 2, "pad": 1})
    dx, dw, db = depthwise_backward(out, cache)
    assert out.shape == (0, 4, 3, 3)
    assert dx.shape == (0, 4, 5, 5)
    assert not dw.any() and not db.any()


def test_separable_is_a_standard_convolution_with_products_for_weights(rng):
    x, depth, point = rng.standard_normal((2, 3, 5, 5)), rng.standard_normal((3, 3, 3)), rng.standard_normal((4, 3))
    out, _ = separable_forward(x, depth, np.zeros(3), point, np.zeros(4), PLAIN)
    standard, _ = conv_forward_fast(x, point[:, :, None, None] * depth, np.zeros(4), PLAIN)
    np.testing.assert_allclose(out, standard, atol=1e-13)


def test_a_group_does_not_see_the_others(rng):
    x, w, b = rng.standard_normal((1, 6, 4, 4)), rng.standard_normal((4, 3, 3, 3)), np.zeros(4)
    before, _ = conv_forward_grouped(x, w, b, {**PLAIN, "groups": 2})
    x[:, 3:] = rng.standard_normal((1, 3, 4, 4))
    after, _ = conv_forward_grouped(x, w, b, {**PLAIN, "groups": 2})
    np.testing.assert_array_equal(before[:, :2], after[:, :2])
    assert np.abs(before[:, 2:] - after[:, 2:]).min() > 0


def test_the_matrix_of_the_notes():
    kernel, a = np.array([1.0, 2, 3]), np.array([4.0, 5, 6, 7])
    assert (conv_matrix_1d(kernel, 4, pad=1) @ a == [23, 32, 38, 20]).all()
    plain = conv_matrix_1d(kernel, 6)
    assert (plain == [[1, 2, 3, 0, 0, 0], [0, 1, 2, 3, 0, 0], [0, 0, 1, 2, 3, 0], [0, 0, 0, 1, 2, 3]]).all()
    assert (plain.T @ a == [4, 13, 28, 34, 32, 21]).all()


def test_rows_of_the_matrix_hold_the_kernel_and_its_transpose_the_kernel_reversed():
    assert (conv_matrix_1d(np.array([2.0, 3, 5]), 4) == [[2, 3, 5, 0], [0, 2, 3, 5]]).all()
    transposed = conv_matrix_1d(np.array([2.0, 3, 5]), 4, stride=1).T
    assert (transposed == [[2, 0], [3, 2], [5, 3], [0, 5]]).all()


def test_the_matrix_of_two_dimensions(rng):
    """Constant along the diagonals of its blocks, and its transpose is the way back."""
    x, w, b = rng.standard_normal((2, 2, 5, 4)), rng.standard_normal((3, 2, 3, 2)), np.zeros(3)
    window = conv_window(x, w, b, PLAIN)
    matrix = conv_matrix(w, window)
    assert matrix.shape == (3 * 3 * 3, 2 * 5 * 4)
    blocks = matrix.reshape(3, 3, 3, 2, 5, 4)  # (F, H', W', C, H, W)
    np.testing.assert_array_equal(blocks[:, 1:, :, :, 1:], blocks[:, :-1, :, :, :-1])
    np.testing.assert_array_equal(blocks[:, :, 1:, :, :, 1:], blocks[:, :, :-1, :, :, :-1])
    out, _ = conv_forward_matrix(x, w, b, PLAIN)
    _, cache = conv_forward_fast(x, w, b, PLAIN)
    dx, _, _ = conv_backward_fast(out, cache)
    np.testing.assert_allclose((out.reshape(2, -1) @ matrix).reshape(x.shape), dx, atol=1e-12)


def test_both_dilations_agree(rng):
    x, w, b = rng.standard_normal((2, 3, 12, 11)), rng.standard_normal((4, 3, 3, 2)), rng.standard_normal(4)
    for rate in (1, 2, 3, 5):
        conv_param = {"stride": 1, "pad": 2, "dilation": rate}
        sampled, _ = conv_forward_dilated(x, w, b, conv_param)
        holes, _ = conv_forward_holes(x, w, b, conv_param)
        np.testing.assert_allclose(sampled, holes, atol=1e-12)
        assert sampled.shape[2:] == (12 + 4 - (rate * 2 + 1) + 1, 11 + 4 - (rate + 1) + 1)


def test_moving_the_picture_moves_the_output(rng):
    x, w, b = rng.standard_normal((1, 16, 9, 9)), rng.standard_normal((2, 16, 3, 3)), rng.standard_normal(2)
    out, _ = conv_forward_fast(x, w, b, PLAIN)
    moved, _ = conv_forward_fast(np.roll(x, (2, 1), axis=(2, 3)), w, b, PLAIN)
    np.testing.assert_allclose(moved[:, :, 2:, 1:], out[:, :, :-2, :-1], atol=1e-12)


def test_depthwise_and_pointwise_say_what_does_not_fit():
    with pytest.raises(DataError, match=r"^depthwise convolution: w must be \(C, HH, WW\), got \(3, 1, 2, 2\)\.$"):
        depthwise_forward(np.ones((1, 3, 4, 4)), np.ones((3, 1, 2, 2)), np.ones(3), PLAIN)
    with pytest.raises(DataError) as refused:
        pointwise_forward(np.ones((1, 3, 4, 4)), np.ones((2, 4)), np.ones(2))
    assert str(refused.value) == (
        "pointwise convolution: x must be (N, C, H, W), w (F, C) and b (F,), got x (1, 3, 4, 4), w (2, 4) and b (2,)."
    )
