"""Labels and masks whose numbers cannot be what they seem: out of range, or nothing but ignored pixels."""

from collections.abc import Sequence

import numpy as np

from pellucid.core.verdict import Verdict
from pellucid.data.canvas import IGNORE
from pellucid.doctor.finding import Finding

# N records, K classes

UNLABELLED = -1


def judge_labels(labels: np.ndarray, classes: Sequence[str]) -> list[Finding]:
    """Labels (N,) that are no class; -1 means unlabelled."""
    outside = np.flatnonzero((labels < UNLABELLED) | (labels >= len(classes)))
    findings = []
    if len(outside):
        notes = tuple(f"label {labels[row]}" for row in outside)
        evidence = (
            f"{len(outside):,} of {len(labels):,} labels are outside 0..{len(classes) - 1} ({len(classes)} classes), "
            f"such as {labels[outside[0]]}"
        )
        cause = "labels that count from 1, or a class that is missing from the list"
        cure = "subtract 1, or name all classes"
        verdict = Verdict("labels-out-of-range", "fail", evidence, cause, cure)
        findings.append(Finding(verdict, tuple(outside.tolist()), notes=notes))
    elif len(labels) and labels.min() == 1 and labels.max() == len(classes) - 1:
        evidence = f"labels run from 1 to {labels.max()}, and class 0 ({classes[0]}) never occurs"
        cause, cure = "labels that count from 1", "subtract 1, and name only the classes there are"
        findings.append(Finding(Verdict("labels-out-of-range", "warn", evidence, cause, cure)))
    return findings


def judge_masks(counts: np.ndarray, values: np.ndarray, classes: Sequence[str]) -> list[Finding]:
    """Masks with values that are no class, and masks without a single pixel that has one.

    Args:
        counts: (N, 256) how often each value occurs in each mask, padding left out.
        values: (256,) bool, which values are allowed.
    """
    findings = []
    wrong = np.flatnonzero(counts[:, ~values].any(axis=1))
    if len(wrong):
        first = int(np.flatnonzero(counts[wrong[0]] * ~values)[0])
        evidence = f"{len(wrong):,} of {len(counts):,} masks hold values outside 0..{len(classes) - 1}, such as {first}"
        verdict = Verdict(
            "labels-out-of-range",
            "fail",
            evidence,
            "ids that count from 1, colours instead of ids, or a class missing from the list",
            f"map the ids to 0..{len(classes) - 1}, and what has no class to {IGNORE}",
        )
        findings.append(Finding(verdict, tuple(wrong.tolist())))
    empty = np.flatnonzero(counts[:, :IGNORE].sum(axis=1) == 0)
    if len(empty):
        evidence = f"{len(empty):,} of {len(counts):,} masks have no pixel with a class: all is ignored ({IGNORE})"
        cause = "masks that were not drawn, or saved with the wrong values"
        cure = "draw or remove them; a picture that shows nothing but background needs the background's id everywhere"
        findings.append(Finding(Verdict("empty-masks", "warn", evidence, cause, cure), tuple(empty.tolist())))
    return findings
