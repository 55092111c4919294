"""One-hot: a class as a row of zeros with a single one. Its product with a table of embeddings is a look-up."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from pellucid.classic.rows import complaints_in_one_line
from pellucid.core.config import require
from pellucid.core.errors import DataError

# N rows, D features, n classes


def one_hot(ids: Any, n: int | None = None, dtype: Any = np.float32) -> np.ndarray:
    """Whole numbers as rows with a single 1; `one_hot(ids, n) @ E` is `E[ids]`, to the bit.

    Args:
        ids: whole numbers in 0..n-1, of any shape.
        n: classes; None for the largest id + 1.
        dtype: of the result.

    Returns:
        (*ids.shape, n).

    Raises:
        DataError: ids are no whole numbers, or lie outside 0..n-1.
        ConfigError: n is below 1.
    """
    ids = np.asarray(ids)
    if ids.dtype.kind not in "iu" and ids.size:
        raise DataError(f"one_hot: ids must be whole numbers, got {ids.dtype}.")
    low, high = (int(ids.min()), int(ids.max())) if ids.size else (0, 0)
    n = high + 1 if n is None else n
    require(n >= 1, "n", "at least 1", n)
    if low < 0 or high >= n:
        raise DataError(f"one_hot: ids must lie in 0..{n - 1}, got {low if low < 0 else high}.")
    out = np.zeros((ids.size, n), dtype)
    out[np.arange(ids.size), ids.ravel().astype(np.intp)] = 1
    return out.reshape(*ids.shape, n)


class OneHot(TransformerMixin, BaseEstimator):
    """One-hot codes of columns of classes, of numbers or words, side by side.

    Attributes:
        categories_: for each column the classes seen in fit, sorted.
    """

    def fit(self, X: Any, y: Any = None) -> "OneHot":
        """Collect the classes of each column of X (N, D).

        Raises:
            DataError: X is no (N, D), has NaN, or a column mixes words and numbers.
        """
        self.categories_ = []
        for number, column in enumerate(self._columns(X, reset=True)):
            try:
                self.categories_.append(np.unique(column))
            except TypeError as error:
                raise DataError(f"Column {number} mixes kinds that have no order, as words and numbers.") from error
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Codes (N, classes of all columns) float32.

        Raises:
            DataError: a class that fit did not see.
        """
        check_is_fitted(self)
        codes = []
        for number, (column, classes) in enumerate(zip(self._columns(X, reset=False), self.categories_, strict=True)):
            at = np.searchsorted(classes, column).clip(max=len(classes) - 1)
            strange = classes[at] != column
            if strange.any():
                first = column[strange][:1].tolist()[0]
                raise DataError(f"Column {number} holds {first!r}, which is none of the {len(classes)} classes of fit.")
            codes.append(one_hot(at, len(classes)))
        return np.concatenate(codes, axis=1)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Classes (N, D) of codes (N, classes of all columns): in each column the one with the largest entry.

        Raises:
            DataError: X has another number of columns than transform gave.
        """
        check_is_fitted(self)
        X, widths = np.asarray(X), [len(classes) for classes in self.categories_]
        if X.ndim != 2 or X.shape[1] != sum(widths):
            raise DataError(f"inverse_transform needs (N, {sum(widths)}), as transform gave, got shape {X.shape}.")
        parts = np.split(X, np.cumsum(widths)[:-1], axis=1)
        columns = [classes[part.argmax(axis=1)] for classes, part in zip(self.categories_, parts, strict=True)]
        return np.stack(columns, axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the output columns: `x0_red`."""
        check_is_fitted(self)
        names = [f"x{k}" for k in range(len(self.categories_))] if input_features is None else list(input_features)
        both = zip(names, self.categories_, strict=True)
        return np.array([f"{name}_{one}" for name, classes in both for one in classes], dtype=object)

    def _columns(self, X: Any, reset: bool) -> list[np.ndarray]:
        with complaints_in_one_line():
            return list(validate_data(self, X, reset=reset, dtype=None).T)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # codes are float32, whatever the classes are
        tags.input_tags.categorical = tags.input_tags.string = True
        return tags
