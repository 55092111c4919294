"""Classification metrics against counts by hand and scikit-learn."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from pellucid.core.errors import ConfigError, DataError, NonFiniteError
from pellucid.metrics.classification import (
    Confusion,
    accuracy,
    balanced_accuracy,
    confident_errors,
    confusion_matrix,
    labelled,
    macro_f1,
    most_confused,
    per_class,
    top_k_accuracy,
)


def one_hot(classes: list[int], n_classes: int) -> torch.Tensor:
    return torch.eye(n_classes)[torch.tensor(classes, dtype=torch.int64)]


def random_case(seed: int, n: int, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k)) * 2
    return torch.from_numpy(logits).softmax(1), torch.from_numpy(rng.integers(0, k, n))


def test_confusion_has_true_rows_and_predicted_columns() -> None:
    matrix = confusion_matrix(one_hot([0, 1, 1, 2, 0], 3), torch.tensor([0, 0, 1, 2, -1]))
    assert matrix.dtype == torch.int64
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 40), k=st.integers(2, 6))
def test_everything_equals_scikit_learn(seed: int, n: int, k: int) -> None:
    probabilities, labels = random_case(seed, n, k)
    called, names = probabilities.argmax(1), list(range(k))
    matrix = confusion_matrix(probabilities, labels)
    assert np.array_equal(matrix, sk.confusion_matrix(labels, called, labels=names))
    assert accuracy(matrix) == pytest.approx(sk.accuracy_score(labels, called))
    assert macro_f1(matrix) == pytest.approx(sk.f1_score(labels, called, average="macro", zero_division=0))
    ours = per_class(matrix)
    theirs = sk.precision_recall_fscore_support(labels, called, labels=names, zero_division=0)
    for mine, other in zip((ours.precision, ours.recall, ours.f1), theirs[:3], strict=True):
        assert np.allclose(np.nan_to_num(mine.numpy()), other)
    assert np.array_equal(ours.support, theirs[3])
    present = np.unique(labels)
    assert balanced_accuracy(matrix) == pytest.approx(np.mean(theirs[1][present]))
    for top in range(1, k) if k > 2 else ():  # scikit-learn wants another shape for two classes
        expected = sk.top_k_accuracy_score(labels, probabilities, k=top, labels=names)
        assert top_k_accuracy(probabilities, labels, top) == pytest.approx(expected)


def test_absent_and_silent_classes() -> None:
    # Class 0: right once. Class 1: occurs, never predicted. Class 2: predicted, never occurs. Class 3: neither.
    result = per_class(torch.tensor([[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]))
    nan = float("nan")
    for values, expected in (
        (result.precision, [1, 0, 0, nan]),
        (result.recall, [1, 0, nan, nan]),
        (result.f1, [1, 0, 0, nan]),
    ):
        assert torch.equal(values.nan_to_num(-1), torch.tensor(expected, dtype=torch.float64).nan_to_num(-1))
    assert result.support.tolist() == [1, 1, 0, 0]


def test_averages_skip_absent_classes() -> None:
    matrix = torch.tensor([[3, 1, 0], [0, 4, 0], [0, 0, 0]])
    assert balanced_accuracy(matrix) == (3 / 4 + 1) / 2
    assert macro_f1(matrix) == pytest.approx((6 / 7 + 8 / 9) / 2)


def test_one_class_only() -> None:
    probabilities = torch.ones(4, 1)
    matrix = confusion_matrix(probabilities, torch.zeros(4, dtype=torch.int64))
    assert matrix.tolist() == [[4]]
    assert accuracy(matrix) == balanced_accuracy(matrix) == macro_f1(matrix) == 1
    assert most_confused(matrix) == []


def test_top_k_counts_the_rank_of_the_true_class() -> None:
    probabilities = torch.tensor([[0.5, 0.3, 0.2]]).repeat(3, 1)
    labels = torch.tensor([0, 1, 2])
    assert [top_k_accuracy(probabilities, labels, k) for k in (1, 2, 3, 9)] == [1 / 3, 2 / 3, 1, 1]


def test_a_model_that_says_nothing_gains_nothing_by_ties() -> None:
    labels = torch.arange(4)
    assert [top_k_accuracy(torch.full((4, 4), 0.25), labels, k) for k in (1, 2, 3)] == [0.25, 0.5, 0.75]


def test_top_1_is_the_accuracy_of_the_matrix_even_with_ties() -> None:
    probabilities = torch.tensor([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [0.4, 0.2, 0.4]])
    for labels in torch.cartesian_prod(*[torch.arange(3)] * 3):
        assert top_k_accuracy(probabilities, labels) == accuracy(confusion_matrix(probabilities, labels))


def test_most_confused_names_pairs_with_the_share_of_the_true_class() -> None:
    matrix = torch.tensor([[5, 3, 0], [1, 6, 3], [0, 0, 0]])
    assert most_confused(matrix) == [Confusion(0, 1, 3, 3 / 8), Confusion(1, 2, 3, 0.3), Confusion(1, 0, 1, 0.1)]
    assert most_confused(matrix, limit=1) == [Confusion(0, 1, 3, 3 / 8)]
    assert matrix.diagonal().tolist() == [5, 6, 0], "the argument must stay as it was"


def test_confident_errors_are_rows_of_the_whole_list_surest_first() -> None:
    probabilities = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.4, 0.6], [0.9, 0.1], [0.4, 0.6]])
    labels = torch.tensor([0, 1, 0, 0, -1, 0])
    assert confident_errors(probabilities, labels).tolist() == [2, 1, 3, 5]
    assert confident_errors(probabilities, labels, limit=2).tolist() == [2, 1]
    assert confident_errors(probabilities, labels, limit=0).tolist() == []


def test_nothing_labelled_is_nan_and_not_an_error() -> None:
    for n in (0, 3):
        probabilities, labels = torch.full((n, 3), 1 / 3), torch.full((n,), -1)
        matrix = confusion_matrix(probabilities, labels)
        assert matrix.tolist() == [[0] * 3] * 3
        numbers = [top_k_accuracy(probabilities, labels), accuracy(matrix), balanced_accuracy(matrix), macro_f1(matrix)]
        assert all(math.isnan(number) for number in numbers)
        assert confident_errors(probabilities, labels).shape == (0,)
        assert most_confused(matrix) == []


def test_bad_input_is_refused_in_one_line() -> None:
    good, labels = torch.full((2, 3), 1 / 3), torch.tensor([0, 1])
    with pytest.raises(DataError, match=r"^Labels must be 0\.\.2 \(3 classes\) or -1 \(unlabelled\), got 3\.$"):
        labelled(good, torch.tensor([0, 3]))
    with pytest.raises(DataError, match=r"got -2\.$"):
        labelled(good, torch.tensor([0, -2]))
    with pytest.raises(DataError, match=r"^labels must have shape \(N\) = \(2\), got \(3,\)\.$"):
        labelled(good, torch.tensor([0, 1, 2]))
    with pytest.raises(DataError, match=r"^probabilities must have shape \(N, K\)"):
        labelled(good[0], labels)
    with pytest.raises(
        DataError, match=r"^Probabilities must lie in \[0, 1\], got -1: take the softmax of logits first\.$"
    ):
        labelled(torch.tensor([[0.5, 0.5, 0.0], [-1.0, 1.0, 1.0]]), labels)
    with pytest.raises(DataError, match=r"got 7\.5: take the softmax"):
        labelled(torch.tensor([[0.5, 0.5, 0.0], [7.5, 1.0, 1.0]]), labels)
    with pytest.raises(ConfigError, match=r"^k must be 1 or more, got 0\.$"):
        top_k_accuracy(good, labels, 0)


def test_nan_is_never_counted_as_a_prediction() -> None:
    probabilities = torch.tensor([[float("nan")] * 2, [0.3, 0.7]])
    with pytest.raises(
        NonFiniteError, match=r"^1 of 2 predictions are NaN: look for NaN in the weights or the pictures\.$"
    ):
        top_k_accuracy(probabilities, torch.tensor([0, 1]))
    assert top_k_accuracy(probabilities, torch.tensor([-1, 1])) == 1, "a NaN in an unlabelled row does not matter"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_every_floating_type_is_read(dtype: torch.dtype) -> None:
    probabilities = torch.randn(64, 10, generator=torch.Generator().manual_seed(0)).to(dtype).softmax(1)
    assert accuracy(confusion_matrix(probabilities, probabilities.argmax(1))) == 1
