"""The k nearest rows of memory, exact.

Never all N x M distances at once: memory is looked over tile by tile, with a score for each pair from a matrix product
(`screens`). Of a tile, only the best score of each small group is looked at; a group is opened when that beats the k-th
nearest found so far. What is left over gets its exact distance (`best`).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from pellucid.classic.neighbours.best import Best
from pellucid.classic.neighbours.screens import SIDE, Absolute, Codes, Floats, Integers, Part, Screen
from pellucid.classic.neighbours.thermometer import BINS, Thermometer
from pellucid.core.choose import unknown
from pellucid.core.config import require
from pellucid.core.errors import ConfigError, DataError

# N queries, M rows of memory, D numbers each, k neighbours; a tile is q x m

Distance: TypeAlias = str | Callable[[Any, Any], float]
DISTANCES = ("l1", "l2")
TILE = (512, 4096)  # queries and rows of memory that are compared at a time: scores that fit into the cache
TRIAL = 64  # queries with which it is tried whether a screen is worth while
MANY = 2**18  # pairs of a tile that are looked at one by one, at a time
SMALL = 2**24  # multiply-adds below which coding numbers as other integers is not worth while


def nearest(queries: Any, memory: Any, k: int, distance: Distance = "l2", block_mb: float = 64.0) -> tuple[Any, Any]:
    """For each query the k nearest rows of memory, in order.

    Args:
        queries: (N, D) uint8, floating point or integers; an array or a tensor on any device.
        memory: (M, D) of the same kind, on the same device.
        k: 1 to M.
        distance: "l2" Euclidean, "l1" sum of absolute differences, or a function of a row of `queries` and a row of
            `memory` that gives a number; with a function both may be any sequences, of words say.
        block_mb: how much memory the search may use for its work, in MB, beside its inputs and results.

    Returns:
        distances (N, k) float64, ascending, and indices (N, k) int64 into memory; of equally far rows the lower index
        comes first. Arrays or tensors, as `memory` is. Neighbours and distances are those of differences in float64;
        on uint8 they are exact.

    Raises:
        ConfigError: an unknown distance, k outside 1..M, or no block.
        DataError: shapes or types that do not fit, NaN, infinity, or a distance that is no number.
    """
    require(block_mb > 0, "block_mb", "above 0", block_mb)
    if callable(distance):
        return _by_function(queries, memory, k, distance)
    require_distance(distance)
    a, b = _rows(queries, "queries"), _rows(memory, "memory")
    if a.shape[1] != b.shape[1] or a.device != b.device:
        raise DataError(
            f"queries and memory must have rows of one length on one device, got {tuple(a.shape)} on {a.device} and "
            f"{tuple(b.shape)} on {b.device}."
        )
    require_k(k, len(b))
    with torch.no_grad(), torch.autocast(a.device.type, enabled=False):
        for screen in _screens(a, b, distance):
            best = Best(len(a), k, screen.rank, a.device)
            if _search(screen, a, b, best, block_mb):
                break
        distances = screen.distances(best.ranks)
    if isinstance(memory, Tensor):
        return distances, best.indices
    return distances.numpy(), best.indices.numpy()


def _screens(a: Tensor, b: Tensor, distance: str) -> Iterator[Screen]:
    """The quickest first; the last one always does."""
    large = len(a) * b.numel() > SMALL
    if distance == "l1":
        if large:
            yield from (Thermometer(b, a, bins) for bins in BINS)
        yield Absolute(b, a)
    elif a.dtype == b.dtype == torch.uint8:
        yield Integers(a.shape[1])
    else:
        if large:
            yield Codes(b, a)
        yield Floats(b, a)


def _search(screen: Screen, a: Tensor, b: Tensor, best: Best, block_mb: float) -> bool:
    """Fill `best`; false when the first block of queries shows that another screen is better."""
    space = block_mb * 2**20
    fitting = int(space / 4 / (screen.width * b.shape[1])) // SIDE * SIDE
    columns = min(TILE[1], max(SIDE, fitting)) if space >= 2**25 else SIDE
    # an eighth for scores of four bytes, one for codes of queries, ...
    lines = int(min(TILE[0], max(1, min(space / columns / 32, space / 8 / (screen.width * b.shape[1])))))
    rows = max(columns, fitting // columns * columns)  # ... a quarter for codes
    firsts = [0, *range(min(TRIAL, lines) if screen.worth < 1 else lines, len(a), lines)]
    for start in range(0, len(b), rows):
        memory = screen.memory(b[start : start + rows])
        for first, last in zip(firsts, [*firsts[1:], len(a)], strict=True):
            block = slice(first, last)
            queries, opened = screen.queries(a[block]), 0
            first_of_all = start == first == 0 and screen.worth < 1
            expected = len(queries.rows) * (screen.worth * len(memory.rows) + 4 * best.ranks.shape[1])
            most = expected if first_of_all else math.inf
            for left in range(0, len(memory.rows), columns):
                tile = memory[left : left + columns]
                scores = screen.scores(queries, tile)
                opened += _look_over(screen, queries, tile, best, block, start + left, most - opened, scores)
                if opened > most:
                    return False
    return True


def _look_over(
    screen: Screen, queries: Part, tile: Part, best: Best, block: slice, start: int, most: float, scores: Tensor
) -> int:
    """Offer to `best` whatever of this tile may be among the nearest; of more than `most` pairs, nothing or a part."""
    q, m = scores.shape
    k = best.ranks.shape[1]
    group = next((size for size in (64, 32, 16, 8, 4, 2) if m >= 4 * k * size), 1)
    grouped = scores.view(q, m // group, group)
    peaks = grouped.amax(dim=2) if group > 1 else scores
    worst = best.worst(block)
    if start == 0 and peaks.shape[1] >= k:  # nothing is known yet; but k groups have a member as good as the k-th peak
        peak, where = peaks.topk(k, dim=1)
        known = _farthest(screen, queries, tile, grouped, where) if screen.one_sided else None
        worst = torch.minimum(worst, screen.reach(queries, tile, peak[:, -1]) if known is None else known)
    bound = screen.bound(queries, tile, worst)[:, None]
    rows, groups = (peaks >= bound).nonzero(as_tuple=True)
    if len(rows) * group > MANY and q > 1:  # half of the queries at a time
        opened, middle = 0, block.start + q // 2
        for half, part in (
            (slice(block.start, middle), slice(0, q // 2)),
            (slice(middle, block.stop), slice(q // 2, q)),
        ):
            if opened <= most:
                opened += _look_over(screen, queries[part], tile, best, half, start, most - opened, scores[part])
        return opened
    members = grouped[rows, groups]
    which, member = (members >= bound[rows]).nonzero(as_tuple=True)
    rows, columns = rows[which], groups[which] * group + member
    if len(rows) <= most:
        ranks = screen.ranks(queries, tile, rows, columns, members[which, member])
        best.offer(block, rows, start + columns, ranks)
    return len(rows)


def _farthest(screen: Screen, queries: Part, tile: Part, scores: Tensor, groups: Tensor) -> Tensor:
    """(q,) a rank just above those of the best rows of some groups (q, k, of `scores` as (q, groups, size))."""
    q, k = groups.shape
    rows = torch.arange(q, device=groups.device)[:, None].expand(q, k)
    best = scores[rows, groups].argmax(dim=2)
    columns = groups * scores.shape[2] + best
    there = columns < len(tile.rows)  # and not padding
    inside = torch.where(there, columns, 0)
    ranks = screen.ranks(queries, tile, rows.flatten(), inside.flatten(), scores[rows, groups, best].flatten())
    ranks = torch.where(there, ranks.view(q, k), math.inf).amax(dim=1)
    return torch.nextafter(ranks, torch.full_like(ranks, math.inf))


def _by_function(queries: Any, memory: Any, k: int, distance: Callable[[Any, Any], float]) -> tuple[Any, Any]:
    """One query after the other: M distances at a time."""
    a, b = _sequence(queries, "queries"), _sequence(memory, "memory")
    require_k(k, len(b))
    distances, indices = np.empty((len(a), k)), np.empty((len(a), k), np.int64)
    for row, query in enumerate(a):
        found = np.array([float(distance(query, other)) for other in b])
        if np.isnan(found).any():
            raise DataError(f"distance gave NaN between query {row} and row {int(np.isnan(found).argmax())} of memory.")
        indices[row] = np.argsort(found, kind="stable")[:k]
        distances[row] = found[indices[row]]
    if isinstance(memory, Tensor):
        return torch.from_numpy(distances).to(memory.device), torch.from_numpy(indices).to(memory.device)
    return distances, indices


def _rows(given: Any, name: str) -> Tensor:
    """(n, D) uint8 or floating point that can be searched."""
    if not isinstance(given, (np.ndarray, Tensor)):
        raise DataError(f"{name} must be a NumPy array or a torch tensor, got {type(given).__name__}.")
    if given.ndim != 2 or 0 in given.shape:
        raise DataError(
            f"{name} must be (rows, numbers) and not empty, got shape {tuple(given.shape)}. Pictures are flattened "
            "with .reshape(len(pictures), -1)."
        )
    if isinstance(given, np.ndarray):
        if given.dtype.kind not in "uifb":
            raise DataError(f"{name} must be uint8, integers or floating point, got {given.dtype}.")
        if given.dtype.kind != "f" and given.dtype != np.uint8:
            given = given.astype(np.float64)
        native = given.astype(given.dtype.newbyteorder("="), copy=False)
        usable = native.flags.writeable and all(step >= 0 for step in native.strides)
        rows = torch.from_numpy(native if usable else native.copy())
    else:
        rows = given.detach()
        if rows.is_complex():
            raise DataError(f"{name} must be uint8, integers or floating point, got {given.dtype}.")
        rows = rows if rows.dtype == torch.uint8 or rows.is_floating_point() else rows.to(torch.float64)
    if rows.is_floating_point() and not bool(torch.isfinite(torch.stack(rows.aminmax())).all()):
        raise DataError(f"{name} holds NaN or infinity. Replace such numbers first, as numpy.nan_to_num does.")
    return rows


def _sequence(given: Any, name: str) -> Sequence[Any]:
    if not hasattr(given, "__len__") or not hasattr(given, "__getitem__") or not len(given):
        raise DataError(f"{name} must be a sequence that is not empty, got {type(given).__name__}.")
    return given


def require_distance(distance: Distance) -> None:
    """Refuse a distance that does not exist.

    Raises:
        ConfigError: as it says.
    """
    if not callable(distance) and distance not in DISTANCES:
        raise ConfigError(unknown(str(distance), DISTANCES, "distance") + " A function of two rows will do too.")


def require_k(k: int, rows: int) -> None:
    """Refuse more neighbours than there are, or none.

    Raises:
        ConfigError: as it says.
    """
    fits = isinstance(k, (int, np.integer)) and 1 <= k <= rows
    require(fits, "k", f"a whole number from 1 to the {rows} samples in memory", k)
