"""Softmax, its logarithms and its loss: the numbers of the slides, extreme scores, and what the loss means."""

import numpy as np
import pytest

from pellucid.scratch.losses.softmax import (
    log_softmax,
    log_sum_exp,
    softmax,
    softmax_loss,
    softmax_loss_naive,
    softmax_loss_vectorized,
)

SCORES = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])  # cat, car, frog
Y = np.array([0, 1, 2])


def test_loss_of_the_slides() -> None:
    each = [softmax_loss(SCORES[i : i + 1], Y[i : i + 1])[0] for i in range(3)]
    assert each == pytest.approx([2.04035515, 0.07913178, 6.15647720], abs=5e-9)
    assert softmax_loss(SCORES, Y)[0] == pytest.approx(2.75865471, abs=5e-9)
    assert softmax(SCORES[0]) == pytest.approx([0.12998254, 0.86904954, 0.00096793], abs=5e-9)


@pytest.mark.parametrize(("n_classes", "expected"), [(3, 1.0986123), (10, 2.3025851), (1000, 6.9077553)])
def test_equal_scores_cost_the_logarithm_of_the_classes(n_classes: int, expected: float) -> None:
    loss = softmax_loss(np.zeros((4, n_classes)), np.arange(4) % n_classes)[0]
    assert loss == pytest.approx(np.log(n_classes))
    assert loss == pytest.approx(expected, abs=5e-8)


def test_smallest_is_zero_and_there_is_no_largest() -> None:
    """Zero is only approached: 30 ahead of two others costs 2 e⁻³⁰."""
    assert softmax_loss(30 * np.eye(3), Y)[0] == pytest.approx(2 * np.exp(-30), rel=1e-2)
    wrong = np.roll(np.eye(3), 1, axis=1)
    assert softmax_loss(1e4 * wrong, Y)[0] == pytest.approx(1e4)
    assert softmax_loss(1e12 * wrong, Y)[0] == pytest.approx(1e12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("size", "first_loss"), [(1e4, 2e4), (-1e4, 0.0)])
def test_scores_of_ten_thousand_are_finite(size: float, first_loss: float, dtype: type) -> None:
    scores = np.array([[size, 0.0, -size], [-size, -size, -size]], dtype=dtype)
    y = np.array([2, 0])
    for loss, gradient in (
        softmax_loss(scores, y),
        softmax_loss_vectorized(scores, np.eye(2, dtype=dtype), y, 0.0),
        softmax_loss_naive(scores, np.eye(2, dtype=dtype), y, 0.0),
    ):
        assert loss == pytest.approx((first_loss + np.log(3)) / 2)
        assert np.isfinite(gradient).all()
    assert np.isfinite(log_softmax(scores)).all()
    assert softmax(scores).sum(axis=1) == pytest.approx([1, 1])


def test_raw_exponentials_would_overflow() -> None:
    """What the subtraction of the largest score is for."""
    with np.errstate(all="ignore"):
        raw = np.exp(np.array([1e4, 0.0])) / np.exp(np.array([1e4, 0.0])).sum()
    assert np.isnan(raw[0])
    with np.errstate(divide="ignore"):
        assert -np.log(softmax(np.array([1e4, 0.0]))[1]) == np.inf  # nor is the probability enough
    assert -log_softmax(np.array([1e4, 0.0]))[1] == 1e4


def test_a_constant_added_to_a_row_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    scores, y = rng.standard_normal((5, 4)), rng.integers(4, size=5)
    moved = scores + 100 * rng.standard_normal((5, 1))
    assert softmax(moved) == pytest.approx(softmax(scores))
    assert softmax_loss(moved, y)[0] == pytest.approx(softmax_loss(scores, y)[0])
    assert softmax_loss(scores, y)[1].sum(axis=1) == pytest.approx(np.zeros(5), abs=1e-15)


def test_gradient_is_probability_less_one_for_the_right_class() -> None:
    gradient = softmax_loss(SCORES, Y)[1]
    assert gradient == pytest.approx((softmax(SCORES) - np.eye(3)) / 3, abs=1e-15)


def test_sum_of_losses_is_minus_the_log_likelihood() -> None:
    """The smallest loss is the largest probability of all labels together."""
    rng = np.random.default_rng(1)
    scores, y = rng.standard_normal((8, 5)), rng.integers(5, size=8)
    product = np.prod(softmax(scores)[np.arange(8), y])
    assert 8 * softmax_loss(scores, y)[0] == pytest.approx(-np.log(product), rel=1e-14)


def test_log_sum_exp_is_a_smooth_maximum() -> None:
    """Between the largest score and that plus ln C; the other two functions follow from it."""
    x = np.random.default_rng(2).standard_normal((4, 3, 6))
    smooth = log_sum_exp(x)
    assert smooth.shape == (4, 3)
    assert (smooth > x.max(axis=-1)).all()
    assert (smooth <= x.max(axis=-1) + np.log(6)).all()
    assert log_sum_exp(np.zeros(6)) == pytest.approx(np.log(6))
    assert log_softmax(x) == pytest.approx(x - smooth[..., None])
    assert softmax(x) == pytest.approx(np.exp(log_softmax(x)))


def test_a_score_of_minus_infinity_has_no_probability() -> None:
    assert np.array_equal(softmax(np.array([0.0, -np.inf, 0.0])), [0.5, 0.0, 0.5])


def test_loops_and_vectorised_agree_to_the_last_digits() -> None:
    """At the size of the course: a loss near ln 10."""
    rng = np.random.default_rng(3)
    W, X, y = 1e-4 * rng.standard_normal((3073, 10)), rng.standard_normal((20, 3073)), rng.integers(10, size=20)
    (quick, dquick), (plain, dplain) = (f(W, X, y, 5e-6) for f in (softmax_loss_vectorized, softmax_loss_naive))
    assert abs(quick - plain) <= 1e-12
    assert np.max(np.abs(dquick - dplain)) <= 1e-12
    assert quick == pytest.approx(np.log(10), abs=0.01)


def test_course_value_of_the_layer() -> None:
    """As the notebook of the fully connected networks draws it."""
    legacy = np.random.RandomState(231)
    x, y = 0.001 * legacy.randn(50, 10), legacy.randint(10, size=50)
    assert softmax_loss(x, y)[0] == pytest.approx(2.302545844500738, rel=1e-14)


def test_labels_of_any_integer_type() -> None:
    expected = softmax_loss(SCORES, Y)[0]
    assert all(softmax_loss(SCORES, Y.astype(kind))[0] == expected for kind in (np.uint8, np.int16, np.int32))
