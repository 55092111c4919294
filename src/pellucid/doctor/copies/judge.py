"""What copies mean: inside a split they count double, across splits they make the result too good."""

from collections.abc import Mapping, Sequence

import numpy as np

from pellucid.core.verdict import Status, Verdict
from pellucid.doctor.copies.pairs import Copy
from pellucid.doctor.finding import Finding

# N rows of the pack

NOWHERE = ""
FEW = 0.01  # share of the held-out pictures that has copies, below which a published set is no alarm
RANKS = {"equal": 0, "nearly equal": 1, "mirrored": 2, "part": 3}


def side_of(n: int, sides: Mapping[str, np.ndarray]) -> np.ndarray:
    """(N,) the split of each row; "" for rows in none."""
    names = np.full(n, NOWHERE, dtype="<U8")
    for role, rows in sides.items():
        names[rows] = role
    return names


def judge_copies(
    copies: Sequence[Copy],
    sides: Mapping[str, np.ndarray],
    names: Sequence[str],
    labels: np.ndarray | None = None,
    classes: Sequence[str] = (),
    left_out: str = "",
    published: bool = False,
) -> list[Finding]:
    """`leaked-duplicates` for copies that lie in two splits, `duplicates` for the others.

    Args:
        copies: found pairs.
        sides: split -> rows.
        names: N record names.
        labels: (N,) classes, where pictures have one; copies with different ones are named first.
        left_out: what was not searched for, where not all was; said in the evidence.
        published: many have measured on this set with its copies, so that it must not be changed; a few are no alarm.
    """
    side = side_of(len(names), sides)
    ordered = sorted(copies, key=lambda each: (not _contradicts(each, labels), RANKS[each.kind], -each.likeness))
    held = [each for each in ordered if NOWHERE not in (side[each.first], side[each.second])]
    across = [each for each in held if side[each.first] != side[each.second]]
    inside = [each for each in held if side[each.first] == side[each.second]]
    findings = []
    for rule, found in (("leaked-duplicates", across), ("duplicates", inside)):
        if found:
            status: Status = "fail" if rule == "leaked-duplicates" else "warn"
            if published:
                held_out = sum(len(rows) for role, rows in sides.items() if role != "train")
                few = len(found) <= FEW * (held_out if rule == "leaked-duplicates" else len(names))
                status = "info" if few else "warn"
            findings.append(_finding(rule, status, found, side, names, labels, classes, left_out))
    return findings


def _finding(
    rule: str,
    status: Status,
    copies: Sequence[Copy],
    side: np.ndarray,
    names: Sequence[str],
    labels: np.ndarray | None,
    classes: Sequence[str],
    left_out: str,
) -> Finding:
    leak = rule == "leaked-duplicates"
    n, worst = len(copies), copies[0]
    kinds = ", ".join(f"{count} {kind}" for kind in RANKS if (count := sum(each.kind == kind for each in copies)))
    where = "in two splits" if leak else "in one split"
    evidence = (
        f"{n:,} {'pair' if n == 1 else 'pairs'} of copies {where} ({kinds}), such as {_named(worst, side, names)}"
    )
    contradicting = sum(_contradicts(each, labels) for each in copies)
    if contradicting:
        assert labels is not None
        pair = " and ".join(classes[labels[row]] for row in (worst.first, worst.second))
        evidence += f"; {contradicting:,} of the pairs have two different labels (that pair: {pair})"
    if left_out:
        evidence += f"; {left_out}"
    if leak:
        cause = "pictures were collected twice, or copies were made before the split"
        cure = "remove one of each pair, or give copies one group and divide with --group"
    else:
        cause = "pictures were collected twice, or a class was filled up with copies"
        cure = "remove one of each pair" + (", and find out which label is right" if contradicting else "")
    if status == "info":
        evidence += "; the set was published so, and results on it compare only if it stays so"
        cause, cure = "", ""
    notes = tuple(_kind(each, labels, classes) for each in copies)
    pairs = tuple((each.first, each.second) for each in copies)
    return Finding(Verdict(rule, status, evidence, cause, cure), pairs=pairs, notes=notes)


def _named(copy: Copy, side: np.ndarray, names: Sequence[str]) -> str:
    first, second = (f"{names[row]} ({side[row]})" for row in (copy.first, copy.second))
    return f"{first} and {second}"


def _kind(copy: Copy, labels: np.ndarray | None, classes: Sequence[str]) -> str:
    if not _contradicts(copy, labels):
        return copy.kind
    assert labels is not None
    return f"{copy.kind}, labelled {classes[labels[copy.first]]} and {classes[labels[copy.second]]}"


def _contradicts(copy: Copy, labels: np.ndarray | None) -> bool:
    if labels is None:
        return False
    first, second = labels[copy.first], labels[copy.second]
    return bool(first != second and min(first, second) >= 0)
