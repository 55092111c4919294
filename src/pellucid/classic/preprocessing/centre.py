"""Centre: subtract the mean of the training rows."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from pellucid.classic.preprocessing.moments import mean_of
from pellucid.classic.rows import as_rows

# N rows, D features


class Centre(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """x - mean, so that every feature of the training rows has mean 0. For pictures it is the mean image.

    Attributes:
        mean_: (D,) of the rows seen in fit.
    """

    def fit(self, X: Any, y: Any = None) -> "Centre":
        """Measure the mean of X (N, D).

        Raises:
            DataError: X is no finite (N, D).
        """
        self.mean_ = mean_of(as_rows(self, X, reset=True))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """X - mean_: (N, D)."""
        check_is_fitted(self)
        X = as_rows(self, X, reset=False)
        return np.asarray(X - self.mean_.astype(X.dtype))

    def inverse_transform(self, X: Any) -> np.ndarray:
        """X + mean_: (N, D)."""
        check_is_fitted(self)
        X = as_rows(self, X, reset=False)
        return np.asarray(X + self.mean_.astype(X.dtype))
