"""Votes: the two rules for ties, counted by hand and by NumPy."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pellucid.classic.neighbours.vote import distance_weights, vote
from pellucid.core.errors import ConfigError, DataError


@pytest.mark.parametrize("make", [np.array, torch.tensor])
def test_both_rules_for_ties(make: Any) -> None:
    labels = make([[2, 1, 1, 2], [3, 0, 1, 2], [1, 0, 0, 1], [0, 3, 3, 1]])
    assert vote(labels, 4)[0].tolist() == [2, 3, 1, 3]
    assert vote(labels, 4, "smallest")[0].tolist() == [1, 0, 0, 3]
    assert isinstance(vote(labels, 4)[0], type(labels)) and isinstance(vote(labels, 4)[1], type(labels))


def test_the_nearest_of_the_tied_not_the_nearest_of_all() -> None:
    """The nearest neighbour is of class 0, but 0 does not lead."""
    assert vote(np.array([[0, 2, 1, 1, 2]]), 3)[0].tolist() == [2]


def test_shares() -> None:
    _, shares = vote(np.array([[0, 2, 2, 1, 2]]), 4)
    np.testing.assert_allclose(shares, [[0.2, 0.2, 0.6, 0.0]])
    assert shares.dtype == np.float64


@settings(max_examples=60, deadline=None)
@given(arrays(np.int64, st.tuples(st.integers(1, 8), st.integers(1, 7)), elements=st.integers(0, 3)))
def test_equals_counting_row_by_row(labels: np.ndarray) -> None:
    smallest, shares = vote(labels, 4, "smallest")
    first, _ = vote(labels, 4, "nearest")
    for row, members in enumerate(labels):
        counts = np.bincount(members, minlength=4)
        assert smallest[row] == counts.argmax()
        assert first[row] == next(member for member in members if counts[member] == counts.max())
        np.testing.assert_allclose(shares[row], counts / len(members))


def test_weights() -> None:
    labels = np.array([[0, 1, 1]])
    winners, shares = vote(labels, 2, weights=np.array([[3.0, 1.0, 1.0]]))
    assert winners.tolist() == [0]
    np.testing.assert_allclose(shares, [[0.6, 0.4]])


def test_weights_of_distances() -> None:
    weights = distance_weights(np.array([[0.5, 2.0], [0.0, 1.0], [0.0, 0.0]]))
    assert weights.tolist() == [[2.0, 0.5], [1.0, 0.0], [1.0, 1.0]]
    assert isinstance(distance_weights(torch.ones(1, 1)), torch.Tensor)


def test_read_only_labels_stay_as_they_are() -> None:
    labels = np.array([[1, 0, 1]])
    labels.setflags(write=False)
    assert vote(labels, 2)[0].tolist() == [1]


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (([[0]], 1, "first"), ConfigError, "ties must be 'nearest' or 'smallest', got 'first'"),
        (([[0]], 0), ConfigError, "n_classes must be at least 1, got 0"),
        (([0, 1], 2), DataError, r"labels must be \(N, k\) integers, got shape \(2,\)"),
        (([[0.5]], 2), DataError, r"labels must be \(N, k\) integers, got shape \(1, 1\) of torch.float64"),
        (([[0, 2]], 2), DataError, "labels must be 0 to 1 for 2 classes, got 0 to 2"),
        (([[-1, 0]], 2), DataError, "labels must be 0 to 1 for 2 classes, got -1 to 0"),
        (
            ([[0, 1]], 2, "nearest", [[1.0]]),
            DataError,
            r"weights must have the shape of labels, \(1, 2\), got \(1, 1\)",
        ),
        (([[0, 1]], 2, "nearest", [[0.0, 0.0]]), DataError, "weights must be numbers from 0 up"),
        (([[0, 1]], 2, "nearest", [[np.nan, 1.0]]), DataError, "weights must be numbers from 0 up"),
    ],
)
def test_refusals(arguments: Any, error: type[Exception], text: str) -> None:
    labels, *rest = arguments
    with pytest.raises(error, match=text):
        vote(np.array(labels), *rest)
