"""One-hot codes, beside PyTorch's and scikit-learn's, and as a look-up."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.preprocessing import OneHotEncoder

from pellucid.classic.preprocessing.one_hot import OneHot, one_hot
from pellucid.core.errors import ConfigError, DataError


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_code_times_a_table_is_a_look_up_to_the_bit(kind: type) -> None:
    rng = np.random.default_rng(0)
    ids, table = rng.integers(0, 50, 300), rng.standard_normal((50, 16)).astype(kind)
    np.testing.assert_array_equal(one_hot(ids, 50, kind) @ table, table[ids])


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 4), (0,), (2, 0, 3)], ids=str)
def test_codes_equal_pytorch(shape: tuple[int, ...]) -> None:
    ids = np.random.default_rng(0).integers(0, 6, shape)
    expected = torch.nn.functional.one_hot(torch.as_tensor(ids), 6).numpy()
    assert one_hot(ids, 6).dtype == np.float32
    np.testing.assert_array_equal(one_hot(ids, 6), expected)


def test_without_n_the_largest_id_decides() -> None:
    assert one_hot([2, 0]).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert one_hot(np.array([2, 0], np.uint8)).shape == (2, 3)


@pytest.mark.parametrize(
    ("ids", "n", "said"),
    [
        ([0, 3], 3, "one_hot: ids must lie in 0..2, got 3."),
        ([-1, 1], 3, "one_hot: ids must lie in 0..2, got -1."),
        ([0.0, 1.0], 3, "one_hot: ids must be whole numbers, got float64."),
        ([True, False], 2, "one_hot: ids must be whole numbers, got bool."),
    ],
)
def test_ids_that_are_no_classes(ids: Any, n: int, said: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(said)}$"):
        one_hot(ids, n)


def test_no_classes() -> None:
    with pytest.raises(ConfigError, match=re.escape("n must be at least 1, got 0.")):
        one_hot([], 0)


@pytest.mark.parametrize(
    "X",
    [
        np.array([["red", "s"], ["blue", "l"], ["red", "m"]]),
        np.array([["red", "s"], ["blue", "l"], ["red", "m"]], dtype=object),
        np.array([[3, 1], [7, 1], [3, 2]]),
        np.array([[0.5], [-1.0], [0.5]]),
    ],
    ids=["words", "objects", "numbers", "floats"],
)
def test_the_estimator_equals_scikit_learn(X: np.ndarray) -> None:
    own, other = OneHot().fit(X), OneHotEncoder(sparse_output=False).fit(X)
    np.testing.assert_array_equal(own.transform(X), other.transform(X))
    np.testing.assert_array_equal(own.inverse_transform(own.transform(X)), X)
    np.testing.assert_array_equal(own.get_feature_names_out(), other.get_feature_names_out())


def test_a_class_that_fit_did_not_see() -> None:
    own = OneHot().fit(np.array([["red", "s"], ["blue", "m"]]))
    with pytest.raises(DataError, match=r"^Column 1 holds 'xl', which is none of the 2 classes of fit\.$"):
        own.transform(np.array([["red", "xl"]]))
    with pytest.raises(DataError, match=r"needs \(N, 4\), as transform gave, got shape \(1, 3\)"):
        own.inverse_transform(np.zeros((1, 3)))


def test_words_that_cannot_be_sorted() -> None:
    with pytest.raises(DataError, match=r"Column 0 mixes kinds that have no order"):
        OneHot().fit(np.array([["a"], [1]], dtype=object))


def test_missing_values() -> None:
    with pytest.raises(DataError, match=r"^[^\n]*NaN[^\n]*$"):
        OneHot().fit(np.array([[np.nan], [1.0]]))
