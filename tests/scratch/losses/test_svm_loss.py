"""The two hinges: the numbers of the slides, the questions asked beside them, and what a margin means."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pellucid.scratch.losses.penalties import l2_penalty
from pellucid.scratch.losses.softmax import softmax_loss
from pellucid.scratch.losses.squared_hinge import (
    squared_hinge_loss,
    squared_hinge_loss_naive,
    squared_hinge_loss_vectorized,
)
from pellucid.scratch.losses.svm import svm_loss, svm_loss_naive, svm_loss_vectorized, svm_margins

SCORES = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])  # cat, car, frog
Y = np.array([0, 1, 2])
Function = Callable[..., Any]


def each(loss: Function, scores: np.ndarray = SCORES, y: np.ndarray = Y) -> list[float]:
    """The loss of every sample alone."""
    return [loss(scores[i : i + 1], y[i : i + 1])[0] for i in range(len(y))]


def test_hinge_of_the_slides() -> None:
    assert each(svm_loss) == pytest.approx([2.9, 0.0, 12.9], abs=1e-12)
    assert svm_loss(SCORES, Y)[0] == pytest.approx(5.266667, abs=5e-7)


def test_squared_hinge_of_the_slides() -> None:
    assert each(squared_hinge_loss) == pytest.approx([8.41, 0.0, 83.25], abs=1e-12)
    assert squared_hinge_loss(SCORES, Y)[0] == pytest.approx(30.553333, abs=5e-7)


def test_question_1_a_lower_car_score_changes_nothing() -> None:
    lower = SCORES.copy()
    lower[1, 1] -= 0.5
    assert each(svm_loss, lower) == each(svm_loss)


def test_question_2_smallest_is_zero_and_there_is_no_largest() -> None:
    assert svm_loss(10 * np.eye(3), Y)[0] == 0.0
    wrong = np.roll(np.eye(3), 1, axis=1)
    assert svm_loss(1e6 * wrong, Y)[0] == pytest.approx(1e6 + 2)  # C - 1, and 1e6 for the class that won
    assert svm_loss(1e12 * wrong, Y)[0] > 1e11


@pytest.mark.parametrize("n_classes", [3, 10])
def test_question_3_equal_scores_cost_classes_less_one(n_classes: int) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(n_classes, size=7)
    scores = np.full((7, n_classes), 0.3)
    assert each(svm_loss, scores, y) == [n_classes - 1] * 7
    assert svm_loss(scores, y)[0] == pytest.approx(n_classes - 1)


def test_question_4_the_right_class_in_the_sum_adds_one() -> None:
    with_right_class = np.maximum(0, SCORES - SCORES[np.arange(3), Y][:, None] + 1).sum(axis=1)
    assert with_right_class == pytest.approx([3.9, 1.0, 13.9])
    assert np.array(each(svm_loss)) + 1 == pytest.approx(with_right_class)


def test_question_5_a_mean_over_classes_only_rescales() -> None:
    """Losses and gradients are all divided by the same number, so what is best stays best."""
    rng = np.random.default_rng(1)
    first, second = rng.standard_normal((2, 4, 5))
    y = rng.integers(5, size=4)

    def with_mean(scores: np.ndarray) -> float:
        margins = svm_margins(scores, y, 1.0)
        return float(np.mean([row[np.arange(5) != right].mean() for row, right in zip(margins, y, strict=True)]))

    for scores in (first, second):
        assert with_mean(scores) * 4 == pytest.approx(svm_loss(scores, y)[0])
    assert (with_mean(first) < with_mean(second)) == (svm_loss(first, y)[0] < svm_loss(second, y)[0])


def test_question_6_weights_without_loss_are_not_unique_and_the_penalty_chooses() -> None:
    X, W = np.eye(3), 2 * np.eye(3)
    assert svm_loss_vectorized(W, X, Y, 0.0)[0] == svm_loss_vectorized(2 * W, X, Y, 0.0)[0] == 0.0
    assert svm_loss_vectorized(W, X, Y, 0.1)[0] < svm_loss_vectorized(2 * W, X, Y, 0.1)[0]


def test_hinge_stops_caring_past_the_margin_and_softmax_never_does() -> None:
    scores, y = np.array([[1.0, 0.0, 0.0]]), np.array([0])
    for more in (0.0, 0.5, 5.0, 30.0):
        scores[0, 0] = 1.0 + more
        assert not svm_loss(scores, y)[1].any()  # exactly 0, also where the margin is just kept
        assert softmax_loss(scores, y)[1][0, 0] < 0  # a higher score of the right class still lowers the loss
    assert svm_loss(np.array([[0.999, 0.0, 0.0]]), y)[1][0, 0] == -2.0


def test_slope_of_the_right_class_counts_the_violations() -> None:
    dx = svm_loss(SCORES, Y)[1] * 3
    assert np.array_equal(dx, [[-1, 1, 0], [0, 0, 0], [1, 1, -2]])


def test_the_printed_row_index_raises_and_ours_does_not() -> None:
    """`margins[range(N, y)]` gives `range` an array; `range(N), y` are the two indices that were meant."""
    margins, n = SCORES.copy(), len(SCORES)
    with pytest.raises(TypeError):
        margins[range(n, Y)] = 0
    margins[range(n), Y] = 0
    assert not margins[np.arange(n), Y].any()


@pytest.mark.parametrize("layer", [svm_loss, squared_hinge_loss])
def test_only_differences_of_scores_count(layer: Function) -> None:
    """A number added to all scores of a sample changes nothing, so its gradient sums to 0."""
    rng = np.random.default_rng(2)
    scores, y = rng.standard_normal((6, 4)), rng.integers(4, size=6)
    moved = scores + rng.standard_normal((6, 1))
    assert layer(moved, y)[0] == pytest.approx(layer(scores, y)[0])
    assert layer(scores, y)[1].sum(axis=1) == pytest.approx(np.zeros(6), abs=1e-15)


@pytest.mark.parametrize(
    ("fast", "slow"),
    [(svm_loss_vectorized, svm_loss_naive), (squared_hinge_loss_vectorized, squared_hinge_loss_naive)],
)
def test_loops_and_vectorised_agree_to_the_last_digits(fast: Function, slow: Function) -> None:
    """At the size of the course: 3,073 numbers a picture, 10 classes, small weights, a loss near 9."""
    rng = np.random.default_rng(3)
    W, X, y = 1e-4 * rng.standard_normal((3073, 10)), rng.standard_normal((20, 3073)), rng.integers(10, size=20)
    (quick, dquick), (plain, dplain) = fast(W, X, y, 5e-6), slow(W, X, y, 5e-6)
    assert abs(quick - plain) <= 1e-12
    assert np.max(np.abs(dquick - dplain)) <= 1e-12
    assert quick == pytest.approx(9, abs=0.1)


def test_course_value_of_the_layer() -> None:
    """As the notebook of the fully connected networks draws it."""
    legacy = np.random.RandomState(231)
    x, y = 0.001 * legacy.randn(50, 10), legacy.randint(10, size=50)
    assert svm_loss(x, y)[0] == pytest.approx(8.999602749096233, rel=1e-14)


@pytest.mark.parametrize("delta", [0.5, 2.0, 8.0])
def test_margin_and_penalty_are_one_trade_off(delta: float) -> None:
    """With W = δ V: loss(W; δ, λ) = δ loss(V; 1, λ δ), and the gradients are the same."""
    rng = np.random.default_rng(4)
    V, X, y, reg = rng.standard_normal((3, 4)), rng.standard_normal((9, 3)), rng.integers(4, size=9), 0.05
    loss, dW = svm_loss_vectorized(delta * V, X, y, reg, delta=delta)
    scaled, dV = svm_loss_vectorized(V, X, y, reg * delta)
    assert loss == pytest.approx(delta * scaled, rel=1e-13)
    assert dW == pytest.approx(dV, rel=1e-12)


def test_two_margins_learn_the_same_classifier() -> None:
    """Descent with δ = 4 and λ walks along 4 times the path of descent with δ = 1 and 4 λ; predictions are equal."""
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((30, 4)), rng.integers(3, size=30)
    wide, narrow, delta, reg, lr = np.zeros((4, 3)), np.zeros((4, 3)), 4.0, 0.02, 0.1
    for _ in range(50):
        wide = wide - lr * svm_loss_vectorized(wide, X, y, reg, delta=delta)[1]
        narrow = narrow - lr / delta * svm_loss_vectorized(narrow, X, y, reg * delta)[1]
    assert np.abs(narrow).max() > 0.01
    assert wide == pytest.approx(delta * narrow, rel=1e-10, abs=1e-12)
    assert np.array_equal((X @ wide).argmax(axis=1), (X @ narrow).argmax(axis=1))


def test_larger_weights_make_larger_margins() -> None:
    """a W has a times the differences of scores, so the smallest loss alone would always ask for more."""
    rng = np.random.default_rng(6)
    X, W = rng.standard_normal((5, 3)), rng.standard_normal((3, 2))
    y = (X @ W).argmax(axis=1)
    losses = [svm_loss_vectorized(a * W, X, y, 0.0)[0] for a in (0.1, 1.0, 10.0, 1000.0)]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 0.5
    assert losses[-1] == 0.0


def test_total_loss_is_data_loss_plus_penalty() -> None:
    rng = np.random.default_rng(7)
    W, X, y = rng.standard_normal((3, 4)), rng.standard_normal((5, 3)), rng.integers(4, size=5)
    loss, dW = svm_loss_vectorized(W, X, y, 0.3)
    data, ddata = svm_loss_vectorized(W, X, y, 0.0)
    penalty, dpenalty = l2_penalty(W, 0.3)
    assert loss == pytest.approx(data + penalty)
    assert dW == pytest.approx(ddata + dpenalty)
    assert dpenalty == pytest.approx(2 * 0.3 * W)


def test_mean_over_samples_not_sum() -> None:
    twice = svm_loss(np.tile(SCORES, (2, 1)), np.tile(Y, 2))
    assert twice[0] == pytest.approx(svm_loss(SCORES, Y)[0])
    assert twice[1][:3] == pytest.approx(svm_loss(SCORES, Y)[1] / 2)
