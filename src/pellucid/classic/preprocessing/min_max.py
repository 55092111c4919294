"""Min-max scaling: the training rows fill a given range, feature by feature."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from pellucid.classic.rows import as_rows
from pellucid.core.config import is_number, require

# N rows, D features


class MinMax(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """low + (x - least) · (high - low) / (greatest - least).

    A feature that is constant in the training rows has the range 1: it becomes `low`. Rows that fit did not see may
    leave the range; they are not cut.

    Args:
        low, high: the range, low < high.

    Attributes:
        least_, greatest_: (D,) of the rows seen in fit.
        scale_: (D,) what x - least_ is multiplied with.
    """

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        self.low = low
        self.high = high

    def fit(self, X: Any, y: Any = None) -> "MinMax":
        """Measure the extremes of X (N, D).

        Raises:
            DataError: X is no finite (N, D).
            ConfigError: the range is empty.
        """
        require(is_number(self.low), "low", "a number", self.low)
        require(is_number(self.high) and self.low < self.high, "high", f"above low={self.low}", self.high)
        X = as_rows(self, X, reset=True)
        self.least_, self.greatest_ = X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64)
        spread = self.greatest_ - self.least_
        self.scale_ = (self.high - self.low) / np.where(spread > 0, spread, 1)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Into the range: (N, D)."""
        check_is_fitted(self)
        X = as_rows(self, X, reset=False)
        out = X - self.least_.astype(X.dtype)
        out *= self.scale_.astype(X.dtype)
        out += X.dtype.type(self.low)
        return np.asarray(out)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Back from the range: (N, D)."""
        check_is_fitted(self)
        X = as_rows(self, X, reset=False)
        out = X - X.dtype.type(self.low)
        out /= self.scale_.astype(X.dtype)
        out += self.least_.astype(X.dtype)
        return np.asarray(out)
