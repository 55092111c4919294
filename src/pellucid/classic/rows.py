"""Rows of numbers for an estimator: what scikit-learn checks, its complaint as one line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from pellucid.core.errors import DataError, PellucidError

# N rows, D features


def as_rows(estimator: Any, X: Any, reset: bool, min_rows: int = 1) -> np.ndarray:
    """X as an array (N, D) of float32 or float64.

    float32 and float64 stay what they are and are not copied; bytes become float32, which holds them exactly; all other
    numbers become float64.

    Args:
        estimator: whose `n_features_in_` is set or looked at.
        X: (N, D), anything NumPy understands.
        reset: whether this is `fit`, which sets the number of features; else X must have that number.
        min_rows: fewest rows allowed.

    Raises:
        DataError: another rank, no rows or columns, NaN or infinity, or another number of features than in `fit`.
        TypeError: a sparse matrix.
    """
    kinds: Any = np.float32 if getattr(X, "dtype", None) == np.uint8 else [np.float64, np.float32]
    with complaints_in_one_line():
        return np.asarray(validate_data(estimator, X, reset=reset, dtype=kinds, ensure_min_samples=min_rows))


@contextmanager
def complaints_in_one_line() -> Iterator[None]:
    """What scikit-learn says of samples and labels, shortened, as a `DataError`.

    Raises:
        DataError: in place of a `ValueError`.
    """
    try:
        yield
    except PellucidError:
        raise
    except ValueError as error:
        raise DataError(_shortened(str(error))) from error


def _shortened(said: str) -> str:
    """Without the numbers themselves, nor advice to use another estimator."""
    first = said.split("\n")[0]
    if re.search("contains (NaN|infinity)", first):
        return f"{first} Replace such numbers first, as numpy.nan_to_num does."
    if first.startswith("Complex data"):
        return f"{first}. Take the real part or the absolute value first."
    return " ".join(re.sub(r"\narray=.*\n(?=Reshape)", " ", said, flags=re.DOTALL).split())
