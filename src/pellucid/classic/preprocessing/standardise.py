"""Standardise: mean 0 and standard deviation 1, feature by feature."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from pellucid.classic.preprocessing.moments import mean_of, variance_of
from pellucid.classic.rows import as_rows

# N rows, D features


class Standardise(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """(x - mean) / standard deviation, both of the training rows.

    The deviation is that of the rows themselves (divided by N). A feature that is constant in the training rows has the
    scale 1: it becomes 0 there, and elsewhere its plain distance from the constant.

    Attributes:
        mean_: (D,) of the rows seen in fit.
        scale_: (D,) their standard deviation; 1 for constant features.
    """

    def fit(self, X: Any, y: Any = None) -> "Standardise":
        """Measure mean and standard deviation of X (N, D).

        Raises:
            DataError: X is no finite (N, D).
        """
        X = as_rows(self, X, reset=True)
        constant = X.min(axis=0) == X.max(axis=0)
        # the mean of many equal numbers is off by rounding, and a deviation of 1e-17 would be divided by
        self.mean_ = np.where(constant, X[0].astype(np.float64), mean_of(X))
        self.scale_ = np.where(constant, 1.0, np.sqrt(variance_of(X, self.mean_)))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """(X - mean_) / scale_: (N, D)."""
        check_is_fitted(self)
        X = as_rows(self, X, reset=False)
        out = X - self.mean_.astype(X.dtype)
        out /= self.scale_.astype(X.dtype)
        return np.asarray(out)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """X · scale_ + mean_: (N, D)."""
        check_is_fitted(self)
        X = as_rows(self, X, reset=False)
        out = X * self.scale_.astype(X.dtype)
        out += self.mean_.astype(X.dtype)
        return np.asarray(out)
