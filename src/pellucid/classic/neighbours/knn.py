"""The k-nearest-neighbours classifier: it remembers all samples, and asks the nearest ones.

Training is O(1), predicting O(N): the wrong way round for a classifier, which may take its time to learn but should be
quick to answer. The nearest is the one of the smallest distance (a minimum, though some notes say maximum).
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_is_fitted, column_or_1d, validate_data

from pellucid.classic.neighbours.distances import (
    compute_distances_no_loops,
    compute_distances_one_loop,
    compute_distances_two_loops,
)
from pellucid.classic.neighbours.search import Distance, nearest, require_distance, require_k
from pellucid.classic.neighbours.vote import TIES, distance_weights, vote
from pellucid.classic.rows import complaints_in_one_line
from pellucid.core.config import require
from pellucid.core.device import choose_device
from pellucid.core.errors import DataError

# N samples to classify, M remembered ones, D numbers each, k neighbours, C classes

Samples: TypeAlias = "np.ndarray | Sequence[Any]"

WAYS: dict[str, Callable[..., np.ndarray]] = {
    "vectorised": compute_distances_no_loops,
    "one_loop": compute_distances_one_loop,
    "two_loops": compute_distances_two_loops,
}
METHODS = ("fast", *WAYS)
WEIGHTS = ("uniform", "distance")


class KNearestNeighbors(ClassifierMixin, BaseEstimator):
    """The class that most of the k nearest samples have.

    Args:
        k: neighbours that vote.
        distance: "l2", "l1", or a function of two samples that gives a number. With a function, samples may be
            anything: a list of words, say. A two-dimensional array of numbers is still rows.
        ties: of classes with equally many votes, "nearest" takes the one whose first member is nearest, "smallest"
            the first in the order of `classes_`.
        weights: "uniform": one vote each; "distance": a vote counts 1 / distance.
        method: "fast" is the exact search by blocks; "vectorised", "one_loop" and "two_loops" are the course's, with
            all distances in memory; all give the same labels. A function is always called pair by pair.
        device: where "fast" computes: "cpu", "cuda", "auto", ...

    Attributes:
        classes_: (C,) labels, sorted.
        samples_: (M, D) as they were given, uint8 too; or the list of them.
        labels_: (M,) index into `classes_`.
        n_features_in_: D, for rows.
    """

    def __init__(
        self,
        k: int = 5,
        distance: Distance = "l2",
        ties: str = "nearest",
        weights: str = "uniform",
        method: str = "fast",
        device: str = "cpu",
    ) -> None:
        self.k = k
        self.distance = distance
        self.ties = ties
        self.weights = weights
        self.method = method
        self.device = device

    def fit(self, X: Samples, y: Any) -> "KNearestNeighbors":
        """Remember M samples X, and their labels y (M,) of any type.

        Raises:
            ConfigError: a setting that does not exist, or k above M.
            DataError: X is no (M, D), holds NaN, or labels do not match.
            TypeError: a sparse matrix.
        """
        require(self.ties in TIES, "ties", " or ".join(map(repr, TIES)), self.ties)
        require(self.weights in WEIGHTS, "weights", " or ".join(map(repr, WEIGHTS)), self.weights)
        require(self.method in METHODS, "method", " or ".join(map(repr, METHODS)), self.method)
        require_distance(self.distance)
        choose_device(self.device)
        samples = self._samples(X, reset=True)
        with complaints_in_one_line():
            y = column_or_1d(y, warn=True)
            assert_all_finite(y, input_name="y")
            check_classification_targets(y)
        if len(y) != len(samples):
            raise DataError(f"y must have one label for each of the {len(samples)} samples, got {len(y)} labels.")
        require_k(self.k, len(samples))
        self.classes_, self.labels_ = np.unique(y, return_inverse=True)
        self.samples_ = samples
        return self

    def kneighbors(self, X: Samples, k: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Distances (N, k) float64, ascending, and indices (N, k) int64 of the nearest remembered samples."""
        check_is_fitted(self)
        return self._nearest(self._samples(X, reset=False), self.k if k is None else k)

    def predict(self, X: Samples) -> np.ndarray:
        """The label (N,) of each sample."""
        winners, _ = self._votes(X)
        return self.classes_[winners]

    def predict_proba(self, X: Samples) -> np.ndarray:
        """The share (N, C) of the votes that each class has, in the order of `classes_`.

        Of equal shares the winner's is larger by the last bit, so that the largest is always that of `predict`.
        """
        winners, shares = self._votes(X)
        rows = np.arange(len(winners))
        shares[rows, winners] = np.minimum(np.nextafter(shares[rows, winners], 2), 1)
        return shares

    def _votes(self, X: Samples) -> tuple[np.ndarray, np.ndarray]:
        distances, indices = self.kneighbors(X)
        weights = None if self.weights == "uniform" else distance_weights(distances)
        winners, shares = vote(self.labels_[indices], len(self.classes_), self.ties, weights)
        return winners, shares

    def _nearest(self, X: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
        if callable(self.distance):
            return nearest(X, self.samples_, k, self.distance)
        if self.method == "fast":
            device = choose_device(self.device)
            if device.type == "cpu":
                return nearest(X, self.samples_, k, self.distance)
            queries, memory = (torch.tensor(rows, device=device) for rows in (X, self.samples_))
            distances, indices = nearest(queries, memory, k, self.distance)
            return distances.cpu().numpy(), indices.cpu().numpy()
        require_k(k, len(self.samples_))
        distances = WAYS[self.method](X.astype(np.float64), self.samples_.astype(np.float64), self.distance)
        indices = np.argsort(distances, axis=1, kind="stable")[:, :k]  # stable: of equals the lower index first
        return np.take_along_axis(distances, indices, axis=1), indices

    def _samples(self, X: Any, reset: bool) -> Any:
        """Rows (n, D) of numbers; with a function for a distance, whatever has a length and an order."""
        if callable(self.distance) and not _is_rows(X):
            if not hasattr(X, "__len__") or not hasattr(X, "__getitem__") or not len(X):
                raise DataError(f"X must be a sequence of samples that is not empty, got {type(X).__name__}.")
            return X if isinstance(X, np.ndarray) else list(X)
        with complaints_in_one_line():
            rows = np.asarray(validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite=False))
        if rows.dtype.kind == "f" and not np.isfinite(rows).all():
            raise DataError("X holds NaN or infinity. Replace such numbers first, as numpy.nan_to_num does.")
        return rows


def _is_rows(X: Any) -> bool:
    """Whether it is a two-dimensional array of numbers."""
    return getattr(X, "ndim", 0) == 2 and getattr(getattr(X, "dtype", None), "kind", "O") in "uifb"
