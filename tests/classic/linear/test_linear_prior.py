"""What the bias knows about the frequency of classes."""

import numpy as np
import pytest

from pellucid.classic.linear.prior import prior_corrected_intercept
from pellucid.classic.linear.softmax import SoftmaxRegression
from pellucid.core.errors import DataError


def test_where_the_features_tell_nothing_the_bias_is_the_log_class_ratio() -> None:
    y = np.repeat([0, 1, 2], [10, 30, 60])
    b = SoftmaxRegression(1e-3, tol=1e-12).fit(np.zeros((100, 2)), y).intercept_
    assert b[1] - b[0] == pytest.approx(np.log(3), abs=1e-4)
    assert b[2] - b[1] == pytest.approx(np.log(2), abs=1e-4)
    two = SoftmaxRegression(1e-3, tol=1e-12).fit(np.zeros((40, 1)), np.repeat([0, 1], [10, 30])).intercept_
    assert two == pytest.approx([np.log(3)], abs=1e-4)


def test_trained_on_balanced_data_corrected_for_unbalanced() -> None:
    """Gaussians of one covariance: the logarithm of the odds is linear, with the ratio of the classes in the bias."""
    rng = np.random.default_rng(0)

    def draw(cats: int, dogs: int) -> tuple[np.ndarray, np.ndarray]:
        return rng.standard_normal((cats + dogs, 2)) + np.repeat([[-1, 0], [1, 0]], [cats, dogs], axis=0), np.repeat(
            [0, 1], [cats, dogs]
        )

    model = SoftmaxRegression(1e-6).fit(*draw(20_000, 20_000))
    unbalanced = SoftmaxRegression(1e-6).fit(*draw(36_000, 4_000))
    corrected = prior_corrected_intercept(model.intercept_, [1, 1], [9, 1])
    assert corrected - model.intercept_ == pytest.approx([-np.log(9)])
    assert corrected == pytest.approx(unbalanced.intercept_, abs=0.1)
    assert corrected == pytest.approx([-np.log(9)], abs=0.1)  # by symmetry the rest of the bias is 0
    X, y = draw(9_000, 1_000)
    before = model.score(X, y)
    model.intercept_ = corrected
    assert model.score(X, y) > before + 0.05


def test_there_and_back() -> None:
    b = np.array([0.5, -1, 2], dtype=np.float32)
    there = prior_corrected_intercept(b, [1, 2, 3], [30, 20, 10])
    assert there.dtype == np.float32
    np.testing.assert_allclose(prior_corrected_intercept(there, [3, 2, 1], [1, 2, 3]), b, atol=1e-6)
    np.testing.assert_allclose(prior_corrected_intercept(b, [1, 2, 3], [10, 20, 30]), b, atol=1e-6)


def test_errors() -> None:
    with pytest.raises(DataError, match=r"used_on must hold 3 numbers, one for each class, got shape \(2,\)."):
        prior_corrected_intercept(np.zeros(3), [1, 1, 1], [1, 1])
    with pytest.raises(DataError, match="trained_on must be above 0 for each class, got "):
        prior_corrected_intercept(np.zeros(1), [0, 1], [1, 1])
