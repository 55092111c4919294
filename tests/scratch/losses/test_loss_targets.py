"""Labels and targets that do not fit: one line that names the value and what was expected."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.losses.binary_cross_entropy import binary_cross_entropy
from pellucid.scratch.losses.l1 import l1_loss
from pellucid.scratch.losses.l2 import l2_loss
from pellucid.scratch.losses.smooth_l1 import smooth_l1_loss
from pellucid.scratch.losses.softmax import softmax_loss, softmax_loss_naive, softmax_loss_vectorized
from pellucid.scratch.losses.squared_hinge import (
    squared_hinge_loss,
    squared_hinge_loss_naive,
    squared_hinge_loss_vectorized,
)
from pellucid.scratch.losses.svm import svm_loss, svm_loss_naive, svm_loss_vectorized
from pellucid.scratch.losses.temporal_softmax import temporal_softmax_loss

Function = Callable[..., Any]
ON_SCORES = [svm_loss, squared_hinge_loss, softmax_loss]
ON_WEIGHTS = [
    svm_loss_vectorized,
    svm_loss_naive,
    squared_hinge_loss_vectorized,
    squared_hinge_loss_naive,
    softmax_loss_vectorized,
    softmax_loss_naive,
]
WRONG = [
    (np.array([0, 1]), "The labels must be (3,), one for each row of the scores (3, 4), got (2,)."),
    (np.zeros((3, 1), int), "The labels must be (3,), one for each row of the scores (3, 4), got (3, 1)."),
    (np.array([0.0, 1.0, 2.0]), "The labels must be integers, got float64. Convert them with .astype(np.int64)."),
    (np.array([True, False, True]), "The labels must be integers, got bool. Convert them with .astype(np.int64)."),
    (np.array([0, 4, 7]), "Label 4 of sample 1 is not in 0..3: the scores (3, 4) have 4 classes."),
    (np.array([0, 1, -1]), "Label -1 of sample 2 is not in 0..3: the scores (3, 4) have 4 classes."),
]


def message(function: Function, *arguments: Any) -> str:
    with pytest.raises(DataError) as error:
        function(*arguments)
    return str(error.value)


@pytest.mark.parametrize(("y", "expected"), WRONG)
def test_wrong_labels(y: np.ndarray, expected: str) -> None:
    assert {message(function, np.zeros((3, 4)), y) for function in ON_SCORES} == {expected}
    assert {message(function, np.zeros((2, 4)), np.zeros((3, 2)), y, 0.0) for function in ON_WEIGHTS} == {expected}


@pytest.mark.parametrize("function", ON_SCORES)
def test_scores_of_another_rank(function: Function) -> None:
    expected = "The scores must be (N, C), a row for each sample, got (4,)."
    assert message(function, np.zeros(4), np.zeros(4, int)) == expected


@pytest.mark.parametrize("function", ON_WEIGHTS)
def test_weights_that_do_not_fit_the_samples(function: Function) -> None:
    expected = "X must be (N, D) and W (D, C) with the same D, got X (3, 5) and W (2, 4)."
    assert message(function, np.zeros((2, 4)), np.zeros((3, 5)), np.zeros(3, int), 0.0) == expected


@pytest.mark.parametrize("function", [l1_loss, l2_loss, smooth_l1_loss, binary_cross_entropy])
def test_targets_of_another_shape_are_not_spread(function: Function) -> None:
    """(3,) beside (3, 1) would quietly become (3, 3)."""
    expected = "The target must have the shape (3, 1) of the outputs, got (3,)."
    assert message(function, np.zeros((3, 1)), np.zeros(3)) == expected
    expected = "The outputs must have samples along their first axis, got a single number."
    assert message(function, np.array(0.0), np.array(0.0)) == expected


def test_messages_of_single_losses() -> None:
    ones = np.ones((2, 3))
    assert message(binary_cross_entropy, ones, -ones) == (
        "The targets must be in [0, 1], got -1. A signed target becomes (target + 1) / 2."
    )
    assert "got nan" in message(binary_cross_entropy, ones, np.nan * ones)
    assert message(binary_cross_entropy, ones, ones, ones[0]) == (
        "The weight must have the shape (2, 3) of the outputs, got (3,)."
    )
    for beta in (0, -1):
        assert message(smooth_l1_loss, ones, ones, beta) == (
            f"beta must be above 0, got {beta}. With beta going to 0 this is l1_loss."
        )


def test_messages_of_sequences() -> None:
    x, y, mask = np.zeros((2, 3, 4)), np.zeros((2, 3), int), np.ones((2, 3))
    assert message(temporal_softmax_loss, x[0], y, mask) == "The scores must be (N, T, V), got (3, 4)."
    assert message(temporal_softmax_loss, x, y.T, mask) == (
        "The labels must be (2, 3) to fit the scores (2, 3, 4), got (3, 2)."
    )
    assert message(temporal_softmax_loss, x, y, mask[0]) == (
        "The mask must be (2, 3) to fit the scores (2, 3, 4), got (3,)."
    )
    assert message(temporal_softmax_loss, x, y, 0.5 * mask) == (
        "The mask must hold booleans, or zeros and ones, got 0.5."
    )
    assert message(temporal_softmax_loss, x, y + 4, mask).startswith("Label 4 of sample 0 is not in 0..3")


@pytest.mark.parametrize("function", ON_SCORES)
def test_an_empty_batch_costs_nothing(function: Function) -> None:
    loss, dx = function(np.zeros((0, 4)), np.zeros(0, int))
    assert loss == 0.0
    assert dx.shape == (0, 4)


@pytest.mark.parametrize("function", ON_WEIGHTS)
def test_an_empty_batch_costs_the_penalty_alone(function: Function) -> None:
    W = np.arange(8.0).reshape(2, 4)
    loss, dW = function(W, np.zeros((0, 2)), np.zeros(0, int), 0.5)
    assert loss == pytest.approx(0.5 * np.sum(W**2))
    assert dW == pytest.approx(W)


def test_targets_of_another_type_keep_the_type_of_the_outputs() -> None:
    x = np.ones((2, 3), np.float32)
    for function in (l1_loss, l2_loss, smooth_l1_loss, binary_cross_entropy):
        for target in (np.ones((2, 3), int), np.ones((2, 3), bool), np.ones((2, 3))):
            assert function(x, target)[1].dtype == np.float32
