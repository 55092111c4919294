"""How often each class occurs: in all, and in each split."""

from collections.abc import Sequence

import numpy as np

from pellucid.core.verdict import Status, Verdict
from pellucid.doctor.finding import Finding

# K classes

UNEVEN, UNEVEN_PIXELS = 10.0, 200.0  # most frequent class / rarest one; of pixels, far more is usual
UNEVEN_THINGS = 50.0  # several of one class lie in one picture
EXPECTED, EXPECTED_MASKS = 1.0, 6.0  # masks cannot be dealt out evenly: of 6 expected, none comes once in 400 times
SHOWN = 5  # classes that are named


def judge_balance(
    counts: np.ndarray, classes: Sequence[str], pixels: bool = False, things: bool = False
) -> list[Finding]:
    """Whether the most frequent class of the training split leaves something for the rarest.

    Args:
        counts: (K,) how often each class occurs in training, in pictures, in pixels of masks, or in things.
        pixels, things: which of the three.
    """
    there = np.flatnonzero(counts)
    if len(there) < 2:
        return []
    most, least = (int(there[pick(counts[there])]) for pick in (np.argmax, np.argmin))
    ratio, limit = counts[most] / counts[least], UNEVEN_THINGS if things else UNEVEN_PIXELS if pixels else UNEVEN
    if ratio < limit:
        return []
    unit = "things" if things else "pixels" if pixels else "pictures"
    evidence = (
        f"{classes[most]} has {counts[most]:,} {unit} to train on, {classes[least]} {counts[least]:,}: "
        f"{ratio:.0f} to 1 (even enough: below {limit:.0f})"
    )
    cause = "classes are as rare as in the world, or were collected unevenly; a model can do well without the rare ones"
    cure = (
        "weigh the classes in the loss with --balance, choose by a metric that counts each class alike, or collect more"
    )
    if things:
        cure = "read the numbers of each class (mean AP counts all alike), or collect more of the rare ones"
    return [Finding(Verdict("class-imbalance", "warn", evidence, cause, cure))]


def judge_empty(counts: np.ndarray, classes: Sequence[str]) -> list[Finding]:
    """Classes that no record has.

    Args:
        counts: (K,) how often each class occurs in all splits together.
    """
    names = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    if not names:
        return []
    evidence = f"{len(names)} of {len(classes)} classes occur nowhere: {_some(names)}"
    cause = "a list of classes longer than the data, an empty folder, or labels that count from 1"
    return [Finding(Verdict("empty-class", "warn", evidence, cause, "add pictures of them, or take them off the list"))]


def judge_missing(
    counts: dict[str, np.ndarray], classes: Sequence[str], expected_at_least: float = EXPECTED
) -> list[Finding]:
    """Classes that occur, but not in every split: what is not trained on cannot be known, what is not in validation or
    test is not measured.

    A held-out split too small to expect one of the class by its share is only told about.

    Args:
        counts: split -> (K,) how many pictures of it show each class; splits without records left out.
        expected_at_least: pictures of a class that a split would have by its share, from which to miss them is odd.
    """
    total = np.sum(list(counts.values()), axis=0) if counts else np.zeros(0)
    findings = []
    for role, inside in counts.items():
        missing = np.flatnonzero((inside == 0) & (total > 0))
        if not len(missing):
            continue
        expected = total[missing] * (inside.sum() / max(total.sum(), 1))
        small = role != "train" and bool((expected < expected_at_least).all())
        status: Status = "fail" if role == "train" else "info" if small else "warn"
        names = [classes[k] for k in missing.tolist()]
        evidence = f"{len(names)} of {len(classes)} classes have nothing in {role}: {_some(names)}"
        if role == "train":
            cause, cure = "the split was made without looking at classes", "move some of their pictures to train"
        else:
            cause = "the split is small, or was made without looking at classes; the metric says nothing about them"
            cure = (
                f"move some of their pictures to {role}, or let the split be drawn anew with equal shares of each class"
            )
        findings.append(
            Finding(Verdict("class-missing-from-split", status, evidence, *(("", "") if small else (cause, cure))))
        )
    return findings


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + ", ..." * (len(names) > SHOWN)
