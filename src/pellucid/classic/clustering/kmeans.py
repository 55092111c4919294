"""k-means: k centres, and each row belongs to the nearest one.

Lloyd's two steps (Least squares quantization in PCM, 1957/1982) take turns: give every row to its nearest centre, move
every centre to the mean of its rows. Neither step can raise the inertia, the sum of squared distances. The start is
k-means++ (Arthur & Vassilvitskii, 2007) in its greedy form, which draws a few candidates each time and keeps the best.
"""

from numbers import Integral
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from pellucid.classic.rows import as_rows
from pellucid.core.config import is_number, is_whole, require
from pellucid.core.errors import DataError

# N rows, D features, k centres

Seed: TypeAlias = "int | np.random.Generator"
STEP = 512  # rows compared with the centres at a time: their products stay in the cache
BLOCK = 1 << 18  # numbers brought to float64 at a time
START_ROWS = 1 << 14  # k-means++ looks at no more rows than these, or at 32 for each centre


class Clusters(NamedTuple):
    """Centres (k, D) of X's type, labels (N,) and the inertia of the start and after each iteration."""

    centres: np.ndarray
    labels: np.ndarray
    history: np.ndarray


def kmeans(
    X: np.ndarray,
    k: int,
    seed: Seed = 0,
    n_init: int = 1,
    max_iter: int = 300,
    tol: float = 0.0,
    start: np.ndarray | None = None,
) -> Clusters:
    """Find k centres.

    A centre that loses all its rows moves to the row that is farthest from its own. With fewer than k different rows
    some centres stay without any. Memory is one copy of X and a block of products, never N x k x D.

    Args:
        X: (N, D). float32 and float64 are computed as such, bytes as float32, other numbers as float64.
        k: number of centres, 1..N.
        seed: of the start.
        n_init: starts; the run with the least inertia is kept.
        max_iter: most iterations of a run.
        tol: a run ends when an iteration lowers the inertia by less than this share; at 0 when no label changes.
        start: (k, D) first centres, in place of k-means++.

    Returns:
        Centres, labels and history; each label is the nearest of the centres returned. The history
        never rises: where rounding would make it, the run ends before.

    Raises:
        DataError: X is not (N, D), is not finite or has fewer than k rows; `start` does not fit.
        ConfigError: k, n_init, max_iter or tol out of range.
    """
    for name, value, least in (("k", k, 1), ("n_init", n_init, 1), ("max_iter", max_iter, 0)):
        require(is_whole(value) and value >= least, name, f"a whole number of at least {least}", value)
    require(is_number(tol) and tol >= 0, "tol", "at least 0", tol)
    X = _as_floats(X, k)
    middle = X.mean(axis=0, dtype=np.float64).astype(X.dtype)
    rows = _with_ones(X, middle)
    rng, runs = np.random.default_rng(seed), 1 if start is not None else n_init
    found = [
        _lloyd(
            rows, _plus_plus(rows[:, :-1], k, rng) if start is None else _checked(start, k, X) - middle, max_iter, tol
        )
        for _ in range(runs)
    ]
    best = min(found, key=lambda run: run.history[-1])
    return best._replace(centres=best.centres + middle)


def nearest_centre(X: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Which of the centres (k, D) is nearest to each row of X (N, D): (N,). Rounding decides between equals."""
    middle = centres.mean(axis=0, dtype=np.float64).astype(X.dtype)
    return _nearest(_with_ones(X, middle), centres - middle)


def _with_ones(X: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """X - middle and a column of ones: (N, D + 1).

    Without the shift, float32 would spend its digits on a far-away mean. The ones add -|c|²/2 inside the product with
    the centres, and count the rows inside the sums of the clusters.
    """
    rows = np.empty((len(X), X.shape[1] + 1), X.dtype)
    np.subtract(X, middle, out=rows[:, :-1])
    rows[:, -1] = 1
    return rows


def _nearest(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Labels (N,) of rows (N, D + 1) with ones: |x - c|² is least where x·c - |c|²/2 is largest."""
    half = np.einsum("kd,kd->k", centres, centres) / -2
    across = np.ascontiguousarray(np.column_stack([centres, half]).T.astype(rows.dtype, copy=False))
    labels, products = np.empty(len(rows), np.intp), np.empty((min(STEP, len(rows)), len(centres)), rows.dtype)
    for at in range(0, len(rows), STEP):
        some = rows[at : at + STEP]
        near = np.matmul(some, across, out=products[: len(some)])
        near.argmax(axis=1, out=labels[at : at + STEP])
    return labels


def _lloyd(rows: np.ndarray, centres: np.ndarray, max_iter: int, tol: float) -> Clusters:
    """One run on rows (N, D + 1) with ones."""
    k, square = len(centres), sum(float(np.vdot(some, some)) for some in _blocks(rows[:, :-1]))
    sums = np.zeros((k + 1, rows.shape[1]))  # of the rows of each cluster and, last, of those without a label
    labels, history = np.full(len(rows), k), [np.inf]
    best = Clusters(centres, labels, np.empty(0))
    for _ in range(max_iter + 1):
        found = _nearest(rows, centres)
        moved = np.flatnonzero(found != labels)
        _move(sums, rows, moved, labels, found)
        total, counts = sums[:k, :-1], sums[:k, -1:]
        # Σ|x - c|² from the sums in float64, without a second pass over the rows
        exact = centres.astype(np.float64)
        inertia = max(square + float((counts * exact**2 - 2 * exact * total).sum()), 0.0)
        if inertia >= history[-1]:
            break  # only rounding is left
        fall, labels, best = history[-1] - inertia, found, Clusters(centres, found, np.empty(0))
        history.append(inertia)
        if not len(moved) or fall < tol * inertia:
            break
        centres = np.where(counts > 0, total / np.maximum(counts, 1), exact).astype(rows.dtype)
        _reseed(centres, counts[:, 0] == 0, rows[:, :-1], labels)
    return best._replace(history=np.array(history[1:]))


def _move(sums: np.ndarray, rows: np.ndarray, moved: np.ndarray, old: np.ndarray, new: np.ndarray) -> None:
    """Bring the sums (k + 1, D + 1) of the clusters up to date; only rows that changed their label are read."""
    step = max(1, BLOCK // rows.shape[1])
    for at in range(0, len(moved), step):
        some = moved[at : at + step]
        columns, signs = np.stack([new[some], old[some]], axis=1).ravel(), np.tile([1.0, -1.0], len(some))
        change = csr_matrix((signs, columns, np.arange(0, 2 * len(some) + 1, 2)), shape=(len(some), len(sums)))
        sums += change.T @ rows[some].astype(np.float64, copy=False)


def _reseed(centres: np.ndarray, empty: np.ndarray, X: np.ndarray, labels: np.ndarray) -> None:
    """Put every centre without rows on one of the rows that are farthest from their own centre."""
    missing = int(empty.sum())
    if not missing:
        return
    far = np.concatenate([((rows - centres[own]) ** 2).sum(axis=1) for rows, own in _blocks(X, labels)])
    rows = np.argsort(-far, kind="stable")[:missing]
    rows = rows[far[rows] > 0]
    centres[np.flatnonzero(empty)[: len(rows)]] = X[rows]


def _plus_plus(X: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Start with k rows: each drawn with a chance in proportion to the squared distance to the nearest before it."""
    limit = max(START_ROWS, 32 * k)
    if len(X) > limit:
        X = X[np.sort(rng.choice(len(X), limit, replace=False))]
    squares = np.einsum("nd,nd->n", X, X)
    candidates, chosen = 2 + int(np.log(k)), [int(rng.integers(len(X)))]
    closest = _squared(X, squares, chosen)[0]
    closest[chosen] = 0
    for _ in range(1, k):
        upto = np.cumsum(closest, dtype=np.float64)
        if upto[-1] <= 0:  # all rows are chosen already, or equal to one that is
            chosen.append(int(rng.integers(len(X))))
            continue
        drawn = np.searchsorted(upto, rng.random(candidates) * upto[-1], side="right").clip(max=len(X) - 1)
        left = np.minimum(_squared(X, squares, drawn), closest)  # (candidates, N)
        best = int(left.sum(axis=1, dtype=np.float64).argmin())
        closest, row = left[best], int(drawn[best])
        closest[row] = 0
        chosen.append(row)
    return X[chosen]


def _squared(X: np.ndarray, squares: np.ndarray, rows: Any) -> np.ndarray:
    """Squared distances of the named rows to all rows: (R, N); rounding never makes them negative."""
    found = X[rows] @ X.T
    found *= -2
    found += squares
    found += squares[rows][:, None]
    return np.maximum(found, 0, out=found)


def _blocks(X: np.ndarray, labels: np.ndarray | None = None) -> Any:
    """Some rows at a time in float64, with their labels where there are any."""
    step = max(1, BLOCK // X.shape[1])
    for at in range(0, len(X), step):
        rows = X[at : at + step].astype(np.float64, copy=False)
        yield rows if labels is None else (rows, labels[at : at + step])


def _as_floats(X: Any, k: int) -> np.ndarray:
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[1] == 0:
        raise DataError(f"kmeans: X must be (N, D) with D at least 1, got shape {X.shape}.")
    if X.dtype.kind not in "fiub":
        raise DataError(f"kmeans: X must hold numbers, got {X.dtype}.")
    if len(X) < k:
        raise DataError(f"kmeans: {k} clusters need at least {k} rows, got {len(X)}.")
    kind = X.dtype if X.dtype in (np.float32, np.float64) else np.float32 if X.dtype == np.uint8 else np.float64
    X = X.astype(kind, copy=False)
    if not np.isfinite(X).all():
        raise DataError("kmeans: X holds NaN or infinity. Replace or drop such rows first.")
    return X


def _checked(start: Any, k: int, X: np.ndarray) -> np.ndarray:
    start = np.asarray(start)
    if start.shape != (k, X.shape[1]):
        raise DataError(f"kmeans: start must be ({k}, {X.shape[1]}), k x D, got {start.shape}.")
    return start.astype(X.dtype)


class KMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """The estimator of k-means.

    Args:
        n_clusters: centres, at most as many as rows.
        n_init: starts, of which the best is kept.
        max_iter: most iterations of each.
        tol: a run ends when an iteration lowers the inertia by less than this share.
        random_state: None, a number or a `numpy.random.RandomState`.

    Attributes:
        cluster_centers_: (n_clusters, D).
        labels_: (N,) the centre of each row seen in fit.
        inertia_: sum of squared distances to it.
        inertia_history_: of the start and after each iteration.
        n_iter_: iterations.
    """

    def __init__(
        self,
        n_clusters: int = 8,
        n_init: int = 1,
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: "int | np.random.RandomState | None" = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "KMeans":
        """Find the centres of X (N, D).

        Raises:
            DataError: X is no finite (N, D), or has fewer rows than clusters.
            ConfigError: a setting out of range.
        """
        X, state = as_rows(self, X, reset=True), self.random_state
        seed = state if isinstance(state, Integral) else int(check_random_state(state).randint(2**31 - 1))
        found = kmeans(X, self.n_clusters, seed, self.n_init, self.max_iter, self.tol)
        self.cluster_centers_, self.labels_, self.inertia_history_ = found
        self.inertia_ = float(found.history[-1])
        self.n_iter_ = len(found.history) - 1
        self._n_features_out = len(found.centres)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The nearest centre of each row: (N,)."""
        check_is_fitted(self)
        return nearest_centre(as_rows(self, X, reset=False), self.cluster_centers_)

    def transform(self, X: Any) -> np.ndarray:
        """Distance of each row to each centre: (N, n_clusters)."""
        check_is_fitted(self)
        X = as_rows(self, X, reset=False)
        middle = self.cluster_centers_.mean(axis=0)
        X, centres = X - middle, self.cluster_centers_ - middle
        products = X @ centres.T
        products *= -2
        products += np.einsum("nd,nd->n", X, X)[:, None]
        products += np.einsum("kd,kd->k", centres, centres)
        return np.sqrt(np.maximum(products, 0, out=products), out=products)
