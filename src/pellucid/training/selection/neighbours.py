"""Cross-validation of k and the distance of nearest neighbours, with one search for each distance.

The neighbours of a sample in the other folds, in order, are its neighbours among all samples without those of its own
fold. So each sample's nearest are found once, a quarter more of them than needed for five folds, and serve every k,
every fold and every repeat; the few samples that have too many of them in their own fold are searched again.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from pellucid.classic.neighbours.search import nearest
from pellucid.classic.neighbours.vote import vote
from pellucid.core.config import require
from pellucid.core.errors import DataError
from pellucid.data.splits import Groups
from pellucid.training.selection.candidates import Samples, Table, all_of, require_samples, share_right
from pellucid.training.selection.cross_validation import Fold, parts_of, table_of

# N samples of D numbers, F folds x repeats, K neighbours, W of them searched


def cross_validate_neighbours(
    ks: Sequence[int],
    distances: Sequence[str | Callable[..., Any]],
    X: Samples,
    y: Any,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    ties: str = "nearest",
    groups: Groups | None = None,
) -> Table:
    """What `cross_validate(KNearestNeighbors, {"k": ks, "distance": distances}, ...)` gives, much sooner.

    Args:
        ks: numbers of neighbours to try.
        distances: "l1", "l2" or a function, as `classic.neighbours.search.nearest` takes them.
        X: (N, D) samples.
        ties: which class wins equal votes, as in `classic.neighbours.vote`.
        y, folds, repeats, seed, groups: as for `cross_validate`.

    Returns:
        A table with the settings k and distance; k in the order given, and for each the distances.

    Raises:
        ConfigError: nothing to try, a k below 1, or a distance or tie rule that does not exist.
        DataError: as `cross_validate`, or k is larger than the smallest training part.
    """
    X, y = require_samples(X, y)
    candidates = all_of({"k": ks, "distance": distances})
    for k in ks:
        require(isinstance(k, (int, np.integer)) and k >= 1, "k", "a whole number of at least 1", k)
    parts = parts_of(y, folds, repeats, seed, groups)
    smallest, most = min(len(train) for train, _ in parts), int(max(ks))
    if most > smallest:
        raise DataError(f"k={most} neighbours need as many samples to train on, but a fold leaves {smallest}.")
    classes, labels = np.unique(y, return_inverse=True)
    scores = np.empty((len(candidates), len(parts)))
    for distance in distances:
        found = _neighbours(X, parts, folds, most, distance)
        for f, (_, held_out) in enumerate(parts):
            voters = labels[found[f // folds, held_out]]  # (n, K)
            for c, settings in enumerate(candidates):
                if settings["distance"] is distance:
                    winners, _ = vote(voters[:, : settings["k"]], len(classes), ties)
                    scores[c, f] = share_right(labels[held_out], np.asarray(winners))
    return table_of(candidates, scores)


def _neighbours(X: Samples, parts: Sequence[Fold], folds: int, k: int, distance: Any) -> np.ndarray:
    """(repeats, N, K): in each repeat, each sample's nearest among those of the other folds, nearest first."""
    n, repeats = len(X), len(parts) // folds
    fold_of = np.empty((repeats, n), dtype=np.int64)
    for f, (_, held_out) in enumerate(parts):
        fold_of[f // folds, held_out] = f % folds
    found = np.empty((repeats, n, k), dtype=np.int64)
    rows = np.arange(n)
    # Of w neighbours about w / folds lie in the sample's own fold, give or take the square root of that.
    wide = math.ceil(k * folds / (folds - 1) + 3 * math.sqrt(k)) + 2
    while len(rows):
        wide = min(wide, n)
        _, near = nearest(X if len(rows) == n else X[rows], X, wide, distance)
        indices = near.cpu().numpy() if isinstance(near, Tensor) else near  # (n, W)
        other = fold_of[:, indices] != fold_of[:, rows, None]  # (repeats, n, W)
        complete = (other.sum(axis=2) >= k).all(axis=0)  # (n,)
        for repeat in range(repeats):
            usable = other[repeat, complete]
            first = np.argsort(~usable, axis=1, kind="stable")[:, :k]  # those of other folds, in their order
            found[repeat, rows[complete]] = np.take_along_axis(indices[complete], first, axis=1)
        rows, wide = rows[~complete], 2 * wide
    return found
