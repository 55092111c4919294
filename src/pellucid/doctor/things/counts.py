"""How many things there are of each class, and how many pictures without any."""

from collections.abc import Sequence

import numpy as np

from pellucid.core.verdict import Status, Verdict
from pellucid.doctor.finding import Finding
from pellucid.doctor.labels.background import NOTHING, plain_name
from pellucid.doctor.things.listed import Listed

# K classes

MOSTLY = 0.5  # share of pictures without things from which on they deserve a thought


def judge_nothing(things: Listed, sides: dict[str, np.ndarray]) -> list[Finding]:
    """Pictures without any thing, which teach a detector what is none.

    Args:
        sides: split -> rows of its pictures.
    """
    shows = np.zeros(things.pictures, dtype=bool)
    shows[things.rows] = True
    empty = np.flatnonzero(~shows)
    if not len(empty):
        return []
    bare = [role for role, rows in sides.items() if len(rows) and not shows[rows].any()]
    share = len(empty) / things.pictures
    evidence = f"{len(empty):,} of {things.pictures:,} pictures ({share:.0%}) have no thing in them"
    status: Status = "info"
    cause = cure = ""
    if bare:
        status = "fail"
        evidence += f", among them all of {' and '.join(bare)}"
        cause = "annotations have other names than the pictures, or were left out"
        cure = "see that names agree, or move pictures with things there"
    elif share >= MOSTLY:
        status, cause = "warn", "pictures that are not annotated yet, or annotations that have other names"
        cure = "remove the pictures that nobody looked at; those that truly show nothing may stay"
    return [Finding(Verdict("empty-pictures", status, evidence, cause, cure), tuple(empty.tolist()))]


def judge_named_background(classes: Sequence[str], counts: np.ndarray) -> list[Finding]:
    """A class of things that means nothing. `counts` (K,): how many things of each class."""
    named = [k for k, name in enumerate(classes) if plain_name(name) in NOTHING]
    if not named:
        return []
    k = named[0]
    evidence = f"{classes[k]!r} is one of {len(classes)} classes of things, with {counts[k]:,} boxes"
    cause = "a list of classes that begins with the background; a detector adds that by itself"
    cure = "take it off the list, and count the other classes from 0"
    return [Finding(Verdict("background-class", "warn", evidence, cause, cure))]
