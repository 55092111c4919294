"""Shift and scale, beside scikit-learn's and by what they promise."""

import re

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from pellucid.classic.preprocessing.centre import Centre
from pellucid.classic.preprocessing.min_max import MinMax
from pellucid.classic.preprocessing.standardise import Standardise
from pellucid.core.errors import ConfigError

X = np.random.default_rng(0).standard_normal((50, 6)) * np.geomspace(0.01, 100, 6) + 7
NEW = X[:9] * 1.5 - 3


def test_centre_takes_the_mean_away() -> None:
    centre = Centre().fit(X)
    np.testing.assert_allclose(centre.transform(X).mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(centre.transform(NEW), NEW - X.mean(axis=0), atol=1e-13)


def test_standardise_equals_scikit_learn() -> None:
    own, other = Standardise().fit(X), StandardScaler().fit(X)
    np.testing.assert_allclose(own.mean_, other.mean_, rtol=1e-13)
    np.testing.assert_allclose(own.scale_, other.scale_, rtol=1e-13)
    np.testing.assert_allclose(own.transform(NEW), other.transform(NEW), rtol=1e-10, atol=1e-12)
    seen = own.transform(X)
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(seen.std(axis=0), 1, rtol=1e-12)


def test_standardise_leaves_constant_columns_at_scale_one() -> None:
    same = X.copy()
    same[:, 1] = 5
    own = Standardise().fit(same)
    assert own.scale_[1] == 1 and (own.transform(same)[:, 1] == 0).all()
    np.testing.assert_allclose(own.transform(same + 2)[:, 1], 2)


def test_standardise_keeps_its_digits_far_from_zero() -> None:
    far = X[:, :1] * 1e-2 + 1e6  # the mean square minus the squared mean would lose every digit
    assert Standardise().fit(far).scale_[0] == pytest.approx(X[:, 0].std() * 1e-2, rel=1e-4)


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-1.0, 1.0), (5.0, 9.0)])
def test_min_max_equals_scikit_learn_and_fills_the_range(ends: tuple[float, float]) -> None:
    own, other = MinMax(*ends).fit(X), MinMaxScaler(ends).fit(X)
    np.testing.assert_allclose(own.transform(NEW), other.transform(NEW), rtol=1e-10, atol=1e-10)
    seen = own.transform(X)
    np.testing.assert_allclose(seen.min(axis=0), ends[0], atol=1e-14)
    np.testing.assert_allclose(seen.max(axis=0), ends[1], rtol=1e-14)


def test_min_max_puts_constants_at_the_low_end_and_does_not_cut() -> None:
    own = MinMax(2, 4).fit(np.array([[1.0, 0.0], [1.0, 10.0]]))
    np.testing.assert_array_equal(own.transform(np.array([[1.0, 20.0]])), [[2.0, 6.0]])


def test_a_single_row_is_enough() -> None:
    for each in (Centre(), Standardise(), MinMax()):
        assert (each.fit_transform(X[:1]) == 0).all()


def test_an_empty_range() -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape('high must be above low=1.0, got 1.0.')}$"):
        MinMax(1.0, 1.0).fit(X)
