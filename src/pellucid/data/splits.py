"""Who trains, who decides, who judges: train, validation and test rows; k folds; and shares of a split.

Letters: N records, K classes, S sides (train, val, test; or the folds), G groups. Everything is a pure function
of its arguments; the seed fixes the result.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.errors import DataError
from pellucid.data.source import ROLES

Groups = Sequence[object] | np.ndarray
TRAIN = 0  # position of "train" in ROLES
SPLIT, FOLDS, SUBSET = range(3)  # streams of random numbers


@dataclass(frozen=True, eq=False)
class Split:
    """Three disjoint sets of rows that together are all of them, each ascending, int64."""

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the three lists: equal if and only if the splits are."""
        digest = hashlib.sha256()
        for rows in (self.train, self.val, self.test):
            digest.update(f"{len(rows)}\n".encode())
            digest.update(rows.astype("<i8").tobytes())
        return digest.hexdigest()

    def role(self, name: str) -> np.ndarray:
        """The rows of "train", "val" or "test".

        Raises:
            ConfigError: another name.
        """
        return choose(name, {"train": self.train, "val": self.val, "test": self.test}, "split")


def make_split(
    source_labels: np.ndarray | None,
    roles: np.ndarray | Sequence[str],
    groups: Groups | None,
    val_fraction: float,
    test_fraction: float,
    stratify: bool,
    seed: int,
    classes: Sequence[str] = (),
) -> Split:
    """Give every record one role.

    Records whose role is given keep it, and so does the rest of their group. The pool, from which val and test
    are drawn where the data names none, is the records without a role; if all have one, it is the training
    records. The fractions are shares of the pool; each side asked for gets at least one record.

    Args:
        source_labels: (N,) class of each record, -1 = not labelled; None does without.
        roles: (N,) "train", "val", "test" or "" each.
        groups: (N,) hashable each: records of one group stay on one side. None: each stands for itself.
        stratify: give the sides the same share of each class (by largest remainders; with groups as near as a
            greedy choice comes), and every class with two or more records at least one for training.
        classes: class names, for messages.

    Raises:
        DataError: a role is unknown, a group lies in two given roles, there are too few records or groups, or
            (with `stratify`) a class that is held out has nothing to train on.
        ConfigError: fractions or seed are out of range.
    """
    require(0 <= val_fraction < 1, "val_fraction", "in [0, 1)", val_fraction)
    require(0 <= test_fraction < 1, "test_fraction", "in [0, 1)", test_fraction)
    require(val_fraction + test_fraction < 1, "val_fraction + test_fraction", "below 1", val_fraction + test_fraction)
    rng = _generator(seed, SPLIT)
    side = _given_sides(roles)
    labels = _class_ids(source_labels if stratify else None, len(side))
    group_ids = _group_ids(groups, len(side))
    _spread_to_groups(side, group_ids, groups)
    named = [bool((side == position).any()) for position in range(len(ROLES))]
    pool = side < 0 if (side < 0).any() else side == TRAIN
    shares = np.array([0.0, 0.0 if named[1] else val_fraction, 0.0 if named[2] else test_fraction])
    trained = np.bincount(labels[~pool & (side == TRAIN)], minlength=labels.max() + 1) > 0
    side[pool] = _divide(labels[pool], None if group_ids is None else group_ids[pool], shares, trained, rng)
    if not (side == TRAIN).any():
        raise DataError("No record is left to train on: give some the role train, or none at all.")
    if stratify and source_labels is not None:
        _require_trained(np.asarray(source_labels), side, classes)
    return Split(*(np.flatnonzero(side == s) for s in range(len(ROLES))))


def keep_together(split: Split, first: np.ndarray, roles: np.ndarray) -> Split:
    """The split with equal pictures on one side, as far as it was drawn: those held out are trained on instead.

    Records whose role is given keep it. The split stays as it was if that would take more than half of a held-out side.

    Args:
        first: (N,) for each record the first one that has the same picture; see `data.pack.equal`.
        roles: (N,) the roles that were given, "" for none.
    """
    side = np.full(len(first), TRAIN)
    for position, role in enumerate(ROLES):
        side[split.role(role)] = position
    held = [np.zeros(len(first), bool) for _ in ROLES]
    for position in range(len(ROLES)):
        held[position][first[side == position]] = True  # by the first of each kind
    torn = np.sum(held, axis=0) > 1
    given = np.asarray(roles) == np.asarray(ROLES)[side]
    moved = torn[first] & ~given & (side != TRAIN)
    if not moved.any() or any(moved[rows].sum() > len(rows) / 2 for rows in (split.val, split.test) if len(rows)):
        return split
    side[moved] = TRAIN
    return Split(*(np.flatnonzero(side == position) for position in range(len(ROLES))))


def k_fold(
    n: int, k: int, seed: int, labels: np.ndarray | None = None, groups: Groups | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cross-validation: k pairs (train rows, val rows), each row in exactly one val.

    Fold sizes differ by at most one, and so do the counts of each class if `labels` are given. With `groups`
    whole groups are dealt, and sizes are as near as a greedy choice comes.

    Args:
        n: number of records.
        k: number of folds, at least 2.
        labels: (N,) to balance classes by.
        groups: (N,) hashable each: records of one group share a fold.

    Raises:
        ConfigError: k is below 2, or the seed is negative.
        DataError: there are fewer records or groups than folds.
    """
    return repeated_k_fold(n, k, 1, seed, labels, groups)


def repeated_k_fold(
    n: int, k: int, repeats: int, seed: int, labels: np.ndarray | None = None, groups: Groups | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """`k_fold` again and again, shuffled anew each time: repeats * k pairs (train rows, val rows).

    Raises:
        ConfigError: k is below 2, repeats below 1, or the seed negative.
        DataError: there are fewer records or groups than folds.
    """
    require(k >= 2, "k", "at least 2", k)
    require(repeats >= 1, "repeats", "at least 1", repeats)
    group_ids = _group_ids(groups, n)
    units, what = (n, "records") if group_ids is None else (len(np.unique(group_ids)), "groups")
    if units < k:
        raise DataError(f"{units} {what} cannot fill {k} folds: ask for at most {units}, or bring more data.")
    folds = []
    for repeat in range(repeats):
        fold = _deal(_class_ids(labels, n), group_ids, k, _generator(seed, FOLDS, repeat))
        folds += [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(k)]
    return folds


def subset(rows: np.ndarray, fraction: float, labels: np.ndarray | None, seed: int) -> np.ndarray:
    """A share of `rows`, ascending, at least one; the share of every class is kept.

    Nested: with one seed, a smaller fraction's rows all lie in a larger one's. As long as there are as many rows
    as classes, every class keeps one.

    Args:
        rows: (M,) int64, distinct.
        fraction: in (0, 1]; the size is round(fraction * M).
        labels: (N,) class of every record, not only of `rows`; or None.

    Raises:
        ConfigError: the fraction is out of range.
    """
    require(0 < fraction <= 1, "fraction", "in (0, 1]", fraction)
    rows = np.asarray(rows, dtype=np.int64)
    if not len(rows):
        return rows
    shuffled = _generator(seed, SUBSET).permutation(len(rows))
    class_ids = _class_ids(None if labels is None else np.asarray(labels)[rows], len(rows))[shuffled]
    counts = np.bincount(class_ids)
    # Record r of the c of its class comes at (r + 1/2) / c, so any prefix has each class in proportion.
    rank = _rank_in_class(class_ids)
    position = (rank + 0.5) / counts[class_ids]
    order = shuffled[np.lexsort((position, rank > 0))]  # but one of each class before all others
    return np.sort(rows[order[: max(1, round(fraction * len(rows)))]])


def _generator(seed: int, *stream: int) -> np.random.Generator:
    require(seed >= 0, "seed", "0 or positive", seed)
    return np.random.default_rng([seed, *stream])


def _given_sides(roles: np.ndarray | Sequence[str]) -> np.ndarray:
    """(N,) position of each role in `ROLES`, -1 where none is given."""
    names = np.asarray(roles, dtype=str)
    if not len(names):
        raise DataError("There are no records to split.")
    side = np.full(len(names), -1)
    for position, role in enumerate(ROLES):
        side[names == role] = position
    unknown = np.flatnonzero((side < 0) & (names != ""))
    if len(unknown):
        raise DataError(f"Record {unknown[0]} has the role {str(names[unknown[0]])!r}: use train, val, test or none.")
    return side


def _class_ids(labels: np.ndarray | None, n: int) -> np.ndarray:
    """(N,) ids 0..K-1 of the labels that occur; all 0 without labels."""
    if labels is None:
        return np.zeros(n, dtype=np.int64)
    if len(labels) != n:
        raise DataError(f"There are {n} records but {len(labels)} labels.")
    return np.unique(labels, return_inverse=True)[1]


def _group_ids(groups: Groups | None, n: int) -> np.ndarray | None:
    """(N,) ids 0..G-1 in order of first appearance; groups may be of mixed types."""
    if groups is None:
        return None
    if len(groups) != n:
        raise DataError(f"There are {n} records but {len(groups)} groups.")
    ids: dict[object, int] = {}
    return np.array([ids.setdefault(group, len(ids)) for group in groups], dtype=np.int64)


def _spread_to_groups(side: np.ndarray, group_ids: np.ndarray | None, groups: Groups | None) -> None:
    """Where one record of a group has a role, give it to the whole group, in place."""
    if group_ids is None or groups is None:
        return
    of_group = np.full(group_ids.max() + 1, -1)
    given = side >= 0
    of_group[group_ids[given]] = side[given]
    torn = np.flatnonzero(given & (of_group[group_ids] != side))
    if len(torn):
        both = ROLES[side[torn[0]]], ROLES[of_group[group_ids[torn[0]]]]
        raise DataError(
            f"Group {groups[torn[0]]} lies in {both[0]} and in {both[1]}: give all its records one role, "
            "or group by something else."
        )
    side[:] = of_group[group_ids]


def _divide(
    labels: np.ndarray, group_ids: np.ndarray | None, shares: np.ndarray, trained: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(n,) side of each record of the pool.

    Args:
        shares: (3,) share of the pool for each side; what is 0 is not drawn, what is left over trains.
        trained: (K,) whether a class has training records outside the pool.
    """
    if not shares.any():
        return np.full(len(labels), TRAIN)
    wanted = shares > 0
    wanted[TRAIN] = not trained.any()
    units = len(labels) if group_ids is None else len(np.unique(group_ids))
    what = "records" if group_ids is None else "groups"
    if units < wanted.sum():
        names = ", ".join(role for role, want in zip(ROLES, wanted, strict=True) if want)
        raise DataError(f"{units} {what} cannot fill {names}: bring more data, or set a fraction to 0.")
    if group_ids is None:
        side = _draw(labels, shares, trained, rng)
    else:
        targets = np.array([1 - shares.sum(), *shares[1:]])
        side = _assign_groups(labels, group_ids, targets, wanted, trained, rng)
    for position in np.flatnonzero(wanted):
        if not (side == position).any():
            raise DataError(
                f"Nothing is left for {ROLES[position]}: the {units} {what} hold the last records of their classes. "
                "Bring more data, switch stratification off (--no-stratify), or set a fraction to 0."
            )
    return side


def _draw(labels: np.ndarray, shares: np.ndarray, trained: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) side of each record: test, then val, are drawn from each class; the rest trains."""
    n, counts = len(labels), np.bincount(labels, minlength=len(trained))
    free = np.maximum(counts - ~trained, 0)  # each class keeps one to train on
    shuffled = rng.permutation(n)
    rank = np.empty(n, dtype=np.int64)
    rank[shuffled] = _rank_in_class(labels[shuffled])
    side = np.full(n, TRAIN)
    start = np.zeros_like(counts)
    reserve = np.count_nonzero(shares) - 1  # what a later side needs
    for position in (2, 1):
        if not shares[position]:
            continue
        size = min(max(1, round(shares[position] * n)), int(free.sum()) - reserve)
        taken = _largest_remainders(counts, size, free, rng)
        side[(rank >= start[labels]) & (rank < (start + taken)[labels])] = position
        start, free, reserve = start + taken, free - taken, reserve - 1
    return side


def _largest_remainders(counts: np.ndarray, size: int, limit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(K,) how many to take of each class: `size` in all, in proportion to `counts`, at most `limit` of each.

    Whole parts first; what is missing goes to the largest remainders, ties at random (Hamilton's method).
    """
    size = int(np.clip(size, 0, limit.sum()))
    quota = counts * (size / max(counts.sum(), 1))
    taken = np.minimum(np.floor(quota).astype(np.int64), limit)
    while taken.sum() < size:
        open_ = np.flatnonzero(taken < limit)
        most_missing = np.lexsort((rng.random(len(open_)), -np.round((quota - taken)[open_], 9)))
        taken[open_[most_missing[: size - taken.sum()]]] += 1
    return taken


def _deal(labels: np.ndarray, group_ids: np.ndarray | None, k: int, rng: np.random.Generator) -> np.ndarray:
    """(N,) fold of each record: sorted by class and dealt like cards, or groups assigned greedily."""
    if group_ids is not None:
        every, trained = np.ones(k, dtype=bool), np.ones(labels.max() + 1, dtype=bool)  # no fold trains
        return _assign_groups(labels, group_ids, np.full(k, 1 / k), every, trained, rng)
    shuffled = rng.permutation(len(labels))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    fold = np.empty(len(labels), dtype=np.int64)
    fold[order] = rng.permutation(k)[np.arange(len(labels)) % k]
    return fold


def _assign_groups(
    labels: np.ndarray,
    group_ids: np.ndarray,
    targets: np.ndarray,
    must_fill: np.ndarray,
    trained: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """(n,) side of each record, whole groups at a time.

    Large groups first; each goes where the class counts come nearest to their targets (smallest growth of the
    squared distance, each class by its own size). Groups within a factor of two count as equally large, and come
    in random order: else the seed would change nothing when all sizes differ.

    Args:
        targets: (S,) share of the records for each side.
        must_fill: (S,) sides that need at least one group.
        trained: (K,) classes that need no group on the training side; for the others, the last group that has
            the class goes there.
    """
    groups, group_ids = np.unique(group_ids, return_inverse=True)
    content = np.zeros((len(groups), len(trained)), dtype=np.int64)  # (G, K)
    np.add.at(content, (group_ids, labels), 1)
    totals = content.sum(axis=0)  # (K,)
    room = np.outer(targets, totals)  # (S, K), what is missing to the target
    scale = 1 / np.maximum(totals, 1) ** 2  # (K,)
    chances = np.count_nonzero(content, axis=0)  # (K,), groups to come that have the class
    allowed = (targets > 0) | must_fill
    sides = np.arange(len(targets))
    empty = must_fill
    chosen = np.empty(len(groups), dtype=np.int64)
    order = np.lexsort((rng.random(len(groups)), -np.frexp(content.sum(axis=1))[1]))
    for left, group in zip(range(len(groups), 0, -1), order, strict=True):
        present = content[group] > 0
        cost = ((content[group] ** 2 - 2 * content[group] * room) * scale).sum(axis=1)  # (S,)
        candidates = empty if left <= empty.sum() else allowed
        if (present & ~trained & (chances == 1)).any():
            candidates = sides == TRAIN
        side = int(np.argmin(np.where(candidates, cost, np.inf)))
        chosen[group] = side
        room[side] -= content[group]
        chances -= present
        empty = empty & (sides != side)
        trained = trained | (present & (side == TRAIN))
    return chosen[group_ids]


def _rank_in_class(labels: np.ndarray) -> np.ndarray:
    """(N,) how many records of the same class come before each."""
    order = np.argsort(labels, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(labels))[:-1]])
    rank = np.empty(len(labels), dtype=np.int64)
    rank[order] = np.arange(len(labels)) - starts[labels[order]]
    return rank


def _require_trained(labels: np.ndarray, side: np.ndarray, classes: Sequence[str]) -> None:
    """Every class that is held out must be trained on too; -1 is no class."""
    held_out, trained = (np.unique(labels[(labels >= 0) & each]) for each in (side != TRAIN, side == TRAIN))
    missing = np.setdiff1d(held_out, trained)
    if len(missing):
        name = classes[missing[0]] if len(classes) > missing[0] else str(missing[0])
        raise DataError(
            f"Class {name} has {np.count_nonzero(labels == missing[0])} records, none of them for training: "
            "add some to train, or switch stratification off (--no-stratify)."
        )
