"""Splits: properties on random data, counts against closed forms, and scikit-learn as an independent witness."""

import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.splits import Split, k_fold, make_split, repeated_k_fold, subset

SEEDS = st.integers(0, 1_000)
FRACTIONS = st.floats(0, 0.45)
LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=80).map(np.array)


def split(
    n: int,
    labels: object = None,
    roles: object = None,
    groups: object = None,
    val: float = 0.1,
    test: float = 0.1,
    stratify: bool = True,
    seed: int = 0,
    classes: tuple[str, ...] = (),
) -> Split:
    roles = np.full(n, "") if roles is None else np.array(roles)
    labels = None if labels is None else np.array(labels)
    return make_split(labels, roles, groups, val, test, stratify, seed, classes)


def counts(labels: np.ndarray, rows: np.ndarray, k: int) -> np.ndarray:
    return np.bincount(np.asarray(labels)[rows], minlength=k)


def assert_whole(result: Split, n: int) -> None:
    parts = (result.train, result.val, result.test)
    assert all(part.dtype == np.int64 and (np.diff(part) > 0).all() for part in parts)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(n))


# ------------------------------------------------------------------------------------------- make_split


@given(LABELS, FRACTIONS, FRACTIONS, st.booleans(), SEEDS)
def test_splits_are_disjoint_exhaustive_seeded_and_learnable(
    labels: np.ndarray, val: float, test: float, stratify: bool, seed: int
) -> None:
    n = len(labels)
    try:
        result = split(n, labels, val=val, test=test, stratify=stratify, seed=seed)
    except DataError as error:
        spare = np.maximum(np.bincount(labels) - 1, 0).sum() if stratify else n - 1
        assert spare < (val > 0) + (test > 0), error
        return
    assert_whole(result, n)
    again = split(n, labels, val=val, test=test, stratify=stratify, seed=seed)
    assert again.digest == result.digest
    assert (len(result.val) > 0) == (val > 0) and (len(result.test) > 0) == (test > 0) and len(result.train) > 0
    if stratify:
        assert set(labels[result.train]) == set(labels)  # every class, so also those of two records


@given(st.integers(3, 500), FRACTIONS, FRACTIONS, SEEDS)
def test_sizes_are_the_rounded_shares(n: int, val: float, test: float, seed: int) -> None:
    result = split(n, val=val, test=test, seed=seed)
    for rows, share in ((result.val, val), (result.test, test)):
        expected = max(1, round(share * n)) if share else 0
        assert len(rows) == expected or (len(result.train) == 1 and len(rows) < expected)


@given(st.lists(st.integers(10, 60), min_size=1, max_size=6), SEEDS)
def test_stratified_counts_are_within_one_of_the_quota(sizes: list[int], seed: int) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    result = split(len(labels), labels, val=0.2, test=0.2, seed=seed)
    for rows in (result.val, result.test):
        quota = np.array(sizes) * len(rows) / len(labels)
        assert (np.abs(counts(labels, rows, len(sizes)) - quota) < 1).all()


@pytest.mark.parametrize("seed", range(5))
def test_stratified_counts_agree_with_scikit_learn(seed: int) -> None:
    labels = np.repeat(np.arange(4), [7, 23, 41, 89])  # no two remainders alike, so the answer is unique
    _, theirs = train_test_split(np.arange(160), test_size=32, stratify=labels, random_state=seed)
    ours = split(160, labels, val=0, test=0.2, seed=seed).test
    assert np.array_equal(counts(labels, ours, 4), counts(labels, theirs, 4))


def test_ties_between_classes_are_broken_by_the_seed() -> None:
    labels = np.arange(20) // 2  # ten classes of two, five of which can give a record
    chosen = {tuple(split(20, labels, val=0, test=0.25, seed=seed).test // 2) for seed in range(10)}
    assert len(chosen) > 5 and all(len(set(each)) == 5 for each in chosen)


def test_seeds_differ_and_classes_are_shuffled_inside() -> None:
    labels = np.arange(100) % 2
    digests = {split(100, labels, seed=seed).digest for seed in range(20)}
    assert len(digests) == 20
    tested = Counter(row for seed in range(200) for row in split(100, labels, seed=seed).test)
    assert len(tested) == 100 and max(tested.values()) < 50  # 20 expected each


def test_given_roles_are_kept_and_only_the_rest_is_divided() -> None:
    roles = ["train"] * 10 + ["test"] * 5 + [""] * 20 + ["val"]
    result = split(36, roles=roles, val=0.5, test=0.4)
    assert np.array_equal(result.test, np.arange(10, 15)) and result.val.tolist() == [35]
    assert np.array_equal(result.train, [*range(10), *range(15, 35)])
    result = split(35, roles=roles[:-1], val=0.5, test=0.4)
    assert np.array_equal(result.test, np.arange(10, 15)) and len(result.val) == 10
    assert set(range(10)) <= set(result.train) and set(result.val) <= set(range(15, 35))


@pytest.mark.parametrize(("named", "drawn"), [("test", "val"), ("val", "test")])
def test_what_the_data_does_not_name_is_carved_from_train(named: str, drawn: str) -> None:
    labels = np.arange(50) % 5
    result = split(50, labels, roles=["train"] * 40 + [named] * 10, val=0.25, test=0.25)
    assert np.array_equal(result.role(named), np.arange(40, 50))
    assert np.array_equal(counts(labels, result.role(drawn), 5), np.full(5, 2))
    assert_whole(result, 50)


def test_nothing_is_drawn_where_the_data_names_all_or_the_fraction_is_zero() -> None:
    roles = ["train", "val", "test", "train"]
    result = split(4, roles=roles, val=0.4, test=0.4)
    assert (result.train.tolist(), result.val.tolist(), result.test.tolist()) == ([0, 3], [1], [2])
    result = split(4, val=0, test=0)
    assert result.train.tolist() == [0, 1, 2, 3] and not len(result.val) and result.val.dtype == np.int64


def test_a_class_of_one_record_trains_and_a_class_with_given_training_records_may_be_held_out() -> None:
    for seed in range(20):
        assert 0 in split(10, [1] + [0] * 9, val=0.3, test=0.3, seed=seed).train
    labels, roles = [0, 1, 0, 1], ["train", "train", "", ""]
    result = split(4, labels, roles=roles, val=0.4, test=0.4)
    assert result.train.tolist() == [0, 1] and len(result.val) == len(result.test) == 1


def test_unlabelled_records_are_divided_too() -> None:
    assert_whole(split(30, [-1] * 20 + [0] * 10), 30)


def test_a_held_out_class_without_training_records_is_refused_when_stratified() -> None:
    labels, roles = [0, 0, 0, 1, 1], ["train", "train", "train", "test", "test"]
    with pytest.raises(DataError, match=r"^Class 1 has 2 records, none of them for training: .* \(--no-stratify\)\.$"):
        split(5, labels, roles)
    with pytest.raises(DataError, match=r"^Class dog has 2 records, none of them for training"):
        split(5, labels, roles, classes=("cat", "dog"))
    assert len(split(5, labels, roles, stratify=False).test) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, r"^There are no records to split\.$"),
        ({"n": 2}, r"^2 records cannot fill train, val, test: bring more data, or set a fraction to 0\.$"),
        ({"n": 1, "val": 0.5, "test": 0}, r"^1 records cannot fill train, val: "),
        ({"n": 4, "labels": [0, 1, 2, 3]}, r"^Nothing is left for val: the 4 records hold the last records of th"),
        ({"n": 2, "roles": ["train", "dev"]}, r"^Record 1 has the role 'dev': use train, val, test or none\.$"),
        ({"n": 2, "roles": ["test", "val"]}, r"^No record is left to train on: give some the role train"),
        ({"n": 2, "roles": ["test", "test"]}, r"^0 records cannot fill train, val: "),
        ({"n": 3, "labels": [0, 1]}, r"^There are 3 records but 2 labels\.$"),
        ({"n": 3, "groups": ["a"]}, r"^There are 3 records but 1 groups\.$"),
        ({"n": 4, "groups": ["a", "a", "b", "b"]}, r"^2 groups cannot fill train, val, test: bring more data"),
        (
            {"n": 6, "groups": list("aabbcc"), "labels": [0, 0, 1, 1, 2, 2]},
            r"^Nothing is left for val: the 3 groups hold the last records of their classes\. .*--no-stratify",
        ),
        (
            {"n": 3, "groups": ["a", "b", "a"], "roles": ["train", "", "test"]},
            r"^Group a lies in train and in test: give all its records one role, or group by something else\.$",
        ),
    ],
)
def test_what_cannot_be_split_is_refused_with_the_reason(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        split(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"val": -0.1}, r"^val_fraction must be in \[0, 1\), got -0\.1\.$"),
        ({"test": 1.0}, r"^test_fraction must be in \[0, 1\), got 1\.0\.$"),
        ({"val": 0.5, "test": 0.5}, r"^val_fraction \+ test_fraction must be below 1, got 1\.0\.$"),
        ({"seed": -1}, r"^seed must be 0 or positive, got -1\.$"),
    ],
)
def test_settings_out_of_range_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        split(10, **arguments)


def test_the_digest_tells_splits_apart_and_is_sha256_of_the_lists() -> None:
    a, b, c = (np.array(rows, dtype=np.int64) for rows in ([0, 1], [2], []))
    assert len({Split(*parts).digest for parts in ((a, b, c), (a, c, b), (b, a, c), (c, a, b))}) == 4
    content = b"2\n" + a.astype("<i8").tobytes() + b"1\n" + b.astype("<i8").tobytes() + b"0\n"
    assert Split(a, b, c).digest == hashlib.sha256(content).hexdigest()


def test_roles_by_name() -> None:
    result = split(10)
    assert result.role("train") is result.train and result.role("val") is result.val
    with pytest.raises(
        ConfigError, match=r"^Unknown split 'trian'\. Did you mean 'train'\? Choose from: test, train, val"
    ):
        result.role("trian")


# ---------------------------------------------------------------------------------------------- groups


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=1, max_size=80),
    st.booleans(),
    SEEDS,
)
def test_no_group_lies_on_two_sides(records: list[tuple[int, int]], stratify: bool, seed: int) -> None:
    groups, labels = (np.array(each) for each in zip(*records, strict=True))
    try:
        result = split(len(records), labels, groups=groups, val=0.2, test=0.2, stratify=stratify, seed=seed)
    except DataError as error:
        assert stratify or len(set(groups)) < 3, error
        return
    assert_whole(result, len(records))
    sides = [set(groups[rows]) for rows in (result.train, result.val, result.test)]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2] and all(sides)
    if stratify:
        assert set(labels[result.train]) == set(labels)


def test_equal_groups_are_divided_in_proportion() -> None:
    groups = np.repeat(np.arange(20), 5)
    labels = np.tile([0, 0, 0, 0, 1], 20)
    for seed in range(5):
        result = split(100, labels, groups=groups, val=0.1, test=0.2, seed=seed)
        assert (len(result.train), len(result.val), len(result.test)) == (70, 10, 20)
        assert counts(labels, result.test, 2).tolist() == [16, 4]


def test_groups_of_one_class_each_are_stratified() -> None:
    groups = np.repeat(np.arange(40), 3)  # as patients: all their pictures have one label
    labels = groups % 2
    for seed in range(5):
        result = split(120, labels, groups=groups, val=0.2, test=0.2, seed=seed)
        for rows in (result.val, result.test):
            assert counts(labels, rows, 2).tolist() == [12, 12]


def test_a_rare_class_counts_as_much_as_a_common_one() -> None:
    groups = np.repeat(np.arange(20), 12)
    labels = (np.tile(np.arange(12), 20) >= 10) & (groups < 4)  # four groups have two of the rare class
    for seed in range(5):
        result = split(240, labels.astype(int), groups=groups, val=0.25, test=0.25, seed=seed)
        assert counts(labels, result.val, 2)[1] == counts(labels, result.test, 2)[1] == 2


def test_a_group_follows_the_role_of_one_of_its_records() -> None:
    groups, roles = ["a", "a", "b", "c", "d", None, 7.5], ["test", "", "", "", "", "", ""]
    result = split(7, roles=roles, groups=groups, val=0.2)
    assert result.test.tolist() == [0, 1] and len(result.val) >= 1
    assert_whole(result, 7)


def test_the_seed_matters_even_if_all_groups_differ_in_size() -> None:
    groups = np.repeat(np.arange(12), np.arange(9, 21))
    assert len({split(len(groups), groups=groups, seed=seed).digest for seed in range(10)}) > 5


# --------------------------------------------------------------------------------------------- k folds


@given(st.integers(2, 60), st.integers(2, 10), st.booleans(), SEEDS)
def test_every_record_is_validated_once_and_folds_differ_by_at_most_one(
    n: int, k: int, stratify: bool, seed: int
) -> None:
    assume(k <= n)
    labels = np.random.default_rng(seed).integers(4, size=n) if stratify else None
    folds = k_fold(n, k, seed, labels=labels)
    assert len(folds) == k
    assert np.array_equal(np.sort(np.concatenate([val for _, val in folds])), np.arange(n))
    for train, val in folds:
        assert np.array_equal(np.sort(np.concatenate([train, val])), np.arange(n))
    sizes = [len(val) for _, val in folds]
    assert max(sizes) - min(sizes) <= 1
    if labels is not None:
        per_fold = np.array([counts(labels, val, 4) for _, val in folds])
        assert (per_fold.max(axis=0) - per_fold.min(axis=0) <= 1).all()


def test_stratified_folds_agree_with_scikit_learn() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(3), [17, 30, 44]))
    theirs = StratifiedKFold(5, shuffle=True, random_state=0).split(labels, labels)
    ours = k_fold(91, 5, seed=0, labels=labels)
    tables = [np.sort([counts(labels, val, 3) for _, val in folds], axis=0) for folds in (ours, theirs)]
    assert np.array_equal(*tables)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 15), min_size=2, max_size=80), st.integers(2, 5), SEEDS)
def test_group_folds_tear_no_group_and_leave_no_fold_empty(members: list[int], k: int, seed: int) -> None:
    groups = np.array(members)
    assume(len(set(members)) >= k)
    labels = np.arange(len(groups)) % 3
    folds = k_fold(len(groups), k, seed, labels=labels, groups=groups)
    assert np.array_equal(np.sort(np.concatenate([val for _, val in folds])), np.arange(len(groups)))
    for train, val in folds:
        assert len(val) and not set(groups[train]) & set(groups[val])


def test_group_folds_are_about_as_even_as_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(60, size=900)
    labels = (groups + rng.integers(2, size=900)) % 3

    def spread(folds: object) -> float:
        table = np.array([counts(labels, val, 3) for _, val in folds])
        return float((table - table.mean(axis=0)).std())

    theirs = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(labels, labels, groups)
    ours = [spread(k_fold(900, 5, seed, labels, groups)) for seed in range(5)]
    assert np.median(ours) < max(2 * spread(theirs), 6)  # a fold has 60 of each class


def test_repeats_differ_and_each_is_a_full_cross_validation() -> None:
    folds = repeated_k_fold(30, 3, repeats=4, seed=1)
    assert len(folds) == 12
    rounds = [folds[3 * i : 3 * i + 3] for i in range(4)]
    for each in rounds:
        assert np.array_equal(np.sort(np.concatenate([val for _, val in each])), np.arange(30))
    assert len({tuple(sorted(tuple(val) for _, val in each)) for each in rounds}) == 4
    first = k_fold(30, 3, seed=1)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, rounds[0], strict=True))
    by_group = repeated_k_fold(30, 3, 4, seed=1, groups=np.repeat(np.arange(5), [4, 5, 6, 7, 8]))
    rounds = [by_group[3 * i : 3 * i + 3] for i in range(4)]
    assert len({tuple(sorted(tuple(val) for _, val in each)) for each in rounds}) > 1


def test_leave_one_out_is_k_equal_n() -> None:
    assert sorted(int(val[0]) for _, val in k_fold(5, 5, seed=0)) == [0, 1, 2, 3, 4]


def test_folds_that_cannot_be_filled_are_refused() -> None:
    with pytest.raises(DataError, match=r"^3 records cannot fill 5 folds: ask for at most 3, or bring more data\.$"):
        k_fold(3, 5, seed=0)
    with pytest.raises(DataError, match=r"^2 groups cannot fill 3 folds: "):
        k_fold(6, 3, seed=0, groups=["a", "b"] * 3)
    with pytest.raises(ConfigError, match=r"^k must be at least 2, got 1\.$"):
        k_fold(10, 1, seed=0)
    with pytest.raises(ConfigError, match=r"^repeats must be at least 1, got 0\.$"):
        repeated_k_fold(10, 2, 0, seed=0)


# ---------------------------------------------------------------------------------------------- subset


@given(LABELS, st.floats(0.01, 1), st.floats(0.01, 1), SEEDS)
def test_smaller_subsets_lie_in_larger_ones(labels: np.ndarray, a: float, b: float, seed: int) -> None:
    rows = np.flatnonzero(np.arange(len(labels)) % 3 != 1)
    small, large = (subset(rows, fraction, labels, seed) for fraction in sorted((a, b)))
    assert set(small) <= set(large) <= set(rows)
    assert len(small) == max(1, round(min(a, b) * len(rows))) and (np.diff(small) > 0).all()
    assert np.array_equal(small, subset(rows, min(a, b), labels, seed))
    if len(small) >= len(set(labels[rows])):
        assert set(labels[small]) == set(labels[rows])


@given(st.lists(st.integers(20, 60), min_size=1, max_size=5), st.sampled_from([0.1, 0.25, 0.5]), SEEDS)
def test_subsets_keep_the_share_of_each_class(sizes: list[int], fraction: float, seed: int) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    chosen = subset(np.arange(len(labels)), fraction, labels, seed)
    assert (np.abs(counts(labels, chosen, len(sizes)) - fraction * np.array(sizes)) <= 1.5).all()


def test_subsets_need_no_labels_and_all_of_it_is_all_of_it() -> None:
    rows = np.array([2, 3, 5, 7])
    assert np.array_equal(subset(rows, 1.0, None, 0), rows)
    assert len({tuple(subset(rows, 0.5, None, seed)) for seed in range(20)}) > 3
    assert subset(np.array([], dtype=np.int64), 0.5, None, 0).shape == (0,)
    with pytest.raises(ConfigError, match=r"^fraction must be in \(0, 1\], got 0\.$"):
        subset(rows, 0, None, 0)
