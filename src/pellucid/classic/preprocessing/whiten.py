"""Whitening: features of variance 1 with no correlation between them.

Any rotation of white data is white. PCA whitening leaves it in the frame of the principal axes; ZCA turns it back into
the frame of the data (Bell and Sejnowski, The "independent components" of natural scenes are edge filters, 1997), and
is of all whitenings the one that moves the data least (Kessy, Lewin and Strimmer, Optimal whitening and decorrelation,
2018), so whitened pictures still look like pictures.
"""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from pellucid.classic.preprocessing.moments import mean_of, shifted_product
from pellucid.classic.preprocessing.pca import back_from, principal_axes
from pellucid.classic.rows import as_rows
from pellucid.core.choose import choose
from pellucid.core.config import is_number, require

# N rows, D features, K = min(N, D) principal axes

KINDS = {"pca": "in the frame of the principal axes", "zca": "in the frame of the data"}
NOTHING = 1e-13  # variances below this share of the largest are rounding


class Whiten(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Divide the coordinates along the principal axes by √(variance + eps); "zca" turns the result back.

    With eps = 0 the covariance of the training rows is the identity, and directions in which they do not vary at all
    become 0. Directions of little variance are mostly noise, and whitening blows them up to the size of all others:
    an `eps` of about the variance of that noise leaves them small.

    Args:
        kind: "pca", outputs (N, K) ordered by variance, or "zca", outputs (N, D) each nearest to its own feature.
        eps: added to every variance, in the units of the variance.

    Attributes:
        mean_: (D,) of the rows seen in fit.
        components_: (K, D) principal axes.
        explained_variance_: (K,) their variances, divided by N - 1.
        scale_: (K,) what coordinates are multiplied with; 0 where there is nothing to scale.
    """

    def __init__(self, kind: str = "pca", eps: float = 0.0) -> None:
        self.kind = kind
        self.eps = eps

    def fit(self, X: Any, y: Any = None) -> "Whiten":
        """Measure mean and covariance of X (N, D), N at least 2.

        Raises:
            DataError: X is no finite (N, D) of two or more rows.
            ConfigError: an unknown kind, or eps below 0.
        """
        choose(self.kind, KINDS, "whitening")
        require(is_number(self.eps) and self.eps >= 0, "eps", "at least 0", self.eps)
        X = as_rows(self, X, reset=True, min_rows=2)
        self.mean_ = mean_of(X)
        self.components_, variances, _ = principal_axes(X, self.mean_)
        varies = variances > NOTHING * max(X.shape) * variances.max()
        self.explained_variance_ = variances
        self.scale_ = np.where(varies, 1 / np.sqrt(np.where(varies, variances, 1) + self.eps), 0.0)
        self._n_features_out = X.shape[1] if self.kind == "zca" else len(variances)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """White rows: (N, K) for "pca", (N, D) for "zca"."""
        check_is_fitted(self)
        white = shifted_product(as_rows(self, X, reset=False), self.mean_, self.components_.T * self.scale_)
        return white if self.kind == "pca" else back_from(white, self.components_)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """The rows (N, D) that X came from, but for what lay in directions without variance.

        Raises:
            DataError: X has another number of columns than transform gave.
        """
        check_is_fitted(self)
        spread = np.divide(1, self.scale_, out=np.zeros_like(self.scale_), where=self.scale_ > 0)
        white = X if self.kind == "pca" else back_from(X, self.components_.T)
        rows = back_from(white, self.components_ * spread[:, None])
        rows += self.mean_.astype(rows.dtype)
        return rows
