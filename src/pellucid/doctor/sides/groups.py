"""Groups that lie on two sides: a patient, a video, a place that is both trained on and tested on."""

from collections.abc import Mapping, Sequence

import numpy as np

from pellucid.core.verdict import Verdict
from pellucid.doctor.finding import Finding

SHOWN = 3


def judge_groups(groups: Sequence[object] | np.ndarray, sides: Mapping[str, np.ndarray]) -> list[Finding]:
    """One finding if any group has records in two splits; its pairs are one record of each side.

    Args:
        groups: (N,) hashable, one for each row of the pack; None is no group.
        sides: split -> its rows.
    """
    first: dict[object, tuple[str, int]] = {}
    torn: dict[object, tuple[tuple[str, int], tuple[str, int]]] = {}
    for role, rows in sides.items():
        for row in rows.tolist():
            group = groups[row]
            if group is None:
                continue
            before = first.setdefault(group, (role, row))
            if before[0] != role:
                torn.setdefault(group, (before, (role, row)))
    if not torn:
        return []
    pairs = tuple((before[1], after[1]) for before, after in torn.values())
    notes = tuple(f"{group}: {before[0]} and {after[0]}" for group, (before, after) in torn.items())
    evidence = f"{len(torn):,} of {len(first):,} groups lie in more than one split, such as {'; '.join(notes[:SHOWN])}"
    cause = "records were divided one by one, though those of a group resemble each other"
    cure = "let whole groups be divided with --group, or give all records of a group one split"
    return [Finding(Verdict("leaked-groups", "fail", evidence, cause, cure), pairs=pairs, notes=notes)]
