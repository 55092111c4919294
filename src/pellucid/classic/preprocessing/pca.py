"""PCA: the directions in which the training rows vary most (Pearson 1901, Hotelling 1933)."""

from typing import Any

import numpy as np
from scipy.linalg import eigh, svd
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from pellucid.classic.preprocessing.moments import covariance_of, mean_of, shifted_product
from pellucid.classic.rows import as_rows
from pellucid.core.config import require
from pellucid.core.errors import DataError

# N rows, D features, K components


def principal_axes(X: np.ndarray, mean: np.ndarray, k: int | None = None) -> tuple[np.ndarray, np.ndarray, float]:
    """Directions of most variance of X (N, D) about `mean`.

    With at least as many rows as features they are eigenvectors of the covariance; with fewer, right singular vectors
    of the rows, so that a few pictures of many pixels need no matrix of pixels by pixels.

    Args:
        k: how many; None for all min(N, D).

    Returns:
        axes (K, D), orthonormal, each with its entry of largest size positive; their variances (K,), falling, divided
        by N - 1; the sum of all variances, also of axes not asked for.
    """
    (N, D), every = X.shape, min(X.shape)
    k = every if k is None else k
    if N >= D:
        covariance = covariance_of(X, mean)
        total = float(np.trace(covariance))
        few = None if k == D else (D - k, D - 1)
        rising, vectors = eigh(
            covariance, subset_by_index=few, driver="evd" if few is None else "evr", overwrite_a=True
        )
        variances, axes = rising[::-1], vectors.T[::-1]
    else:
        sizes, axes = svd(X - mean, full_matrices=False, overwrite_a=True)[1:]
        variances = sizes**2 / (N - 1)
        total, variances, axes = float(variances.sum()), variances[:k], axes[:k]
    largest = axes[np.arange(k), np.abs(axes).argmax(axis=1)]
    return axes * np.where(largest < 0, -1.0, 1.0)[:, None], np.maximum(variances, 0), total


class PCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Coordinates along the directions of most variance; they are uncorrelated, which is not independent.

    Args:
        n_components: how many to keep. None keeps min(N, D); a whole number that many; a share between 0 and 1 as few
            as together have that share of the variance.

    Attributes:
        mean_: (D,) of the rows seen in fit.
        components_: (K, D) orthonormal directions; the entry of largest size is positive in each.
        explained_variance_: (K,) falling, divided by N - 1.
        explained_variance_ratio_: (K,) its share of the whole.
        n_components_: K.
    """

    def __init__(self, n_components: "int | float | None" = None) -> None:
        self.n_components = n_components

    def fit(self, X: Any, y: Any = None) -> "PCA":
        """Find the directions of X (N, D), N at least 2.

        Raises:
            DataError: X is no finite (N, D) of two or more rows, or has fewer than n_components rows or columns.
            ConfigError: n_components is nothing of the three.
        """
        wanted: Any = self.n_components
        whole = isinstance(wanted, (int, np.integer)) and not isinstance(wanted, bool) and wanted >= 1
        share = isinstance(wanted, (float, np.floating)) and 0 < wanted < 1
        require(
            wanted is None or bool(whole or share), "n_components", "None, a count or a share between 0 and 1", wanted
        )
        X = as_rows(self, X, reset=True, min_rows=2)
        if whole and wanted > min(X.shape):
            raise DataError(f"n_components={wanted}, but {len(X)} rows of {X.shape[1]} have {min(X.shape)} at most.")
        self.mean_ = mean_of(X)
        axes, variances, total = principal_axes(X, self.mean_, int(wanted) if whole else None)
        ratio = variances / total if total > 0 else np.zeros_like(variances)
        keep = min(int(np.searchsorted(np.cumsum(ratio), wanted)) + 1, len(ratio)) if share else len(ratio)
        self.components_, self.explained_variance_ = np.ascontiguousarray(axes[:keep]), variances[:keep].copy()
        self.explained_variance_ratio_ = ratio[:keep]
        self.n_components_ = self._n_features_out = keep
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Coordinates (N, K)."""
        check_is_fitted(self)
        return shifted_product(as_rows(self, X, reset=False), self.mean_, self.components_.T)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """The rows (N, D) with coordinates X (N, K): the nearest ones the components can make; all, if K is D.

        Raises:
            DataError: X has not K columns.
        """
        check_is_fitted(self)
        rows = back_from(X, self.components_)
        rows += self.mean_.astype(rows.dtype)
        return rows


def back_from(X: Any, matrix: np.ndarray) -> np.ndarray:
    """X @ matrix for coordinates X (N, K) and matrix (K, D), in X's type if that is a float.

    Raises:
        DataError: X is not (N, K).
    """
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[1] != len(matrix):
        raise DataError(f"inverse_transform needs (N, {len(matrix)}), as transform gave, got shape {X.shape}.")
    X = X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
    return np.asarray(X @ matrix.astype(X.dtype, copy=False))
