"""Whether training, validation and test show the same kind of pictures, in the same proportions.

A split is compared with training number by number: mean and contrast of every channel, of all pictures and of those of
each class, and the shares of the classes. A difference counts only when it is both large and beyond chance: with many
pictures the smallest difference is beyond chance, with few a large one happens by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2_contingency, ks_2samp

from pellucid.core.verdict import Verdict
from pellucid.doctor.finding import Finding

# N pictures, C channels, K classes

LARGE = 0.25  # distance between distributions (0 to 1) from which a difference is large
SMALL = 0.1  # ... and from which it is mentioned
CHANCE = 1e-3  # probability, over all comparisons of a split together, that chance makes such a difference
FEWEST = 20  # pictures on both sides below which nothing is compared
CHANNELS = {1: ("grey",), 3: ("red", "green", "blue")}


@dataclass(frozen=True)
class Difference:
    """One comparison of a split with training.

    Attributes:
        what: such as "mean of red" or "shares of the classes".
        distance: 0 to 1: Kolmogorov-Smirnov of two samples, or total variation of two shares.
        p: probability of a distance as large when nothing differs, times the number of comparisons.
        here, there: typical value in the split and in training, as text.
    """

    what: str
    distance: float
    p: float
    here: str
    there: str


def judge_drift(
    values: Mapping[str, np.ndarray],
    labels: np.ndarray | None,
    classes: Sequence[str],
    sides: Mapping[str, np.ndarray],
) -> list[Finding]:
    """One finding for each held-out split that differs from training; the largest difference is named.

    Args:
        values: "mean" and "contrast" -> (N, C) of every picture.
        labels: (N,) class of each picture, -1 for none; or None.
        sides: split -> rows; "train" is what the others are compared with.
    """
    train, findings = sides.get("train", np.empty(0, np.int64)), []
    for role, rows in sides.items():
        if role == "train" or min(len(rows), len(train)) < FEWEST:
            continue
        beyond = [each for each in differences(values, labels, classes, rows, train) if each.p < CHANCE]
        beyond.sort(key=lambda each: -each.distance)
        if not beyond or beyond[0].distance < SMALL:
            continue
        worst, large = beyond[0], sum(each.distance >= LARGE for each in beyond)
        evidence = (
            f"{role} differs from train in {worst.what}: {worst.here} there, {worst.there} in train "
            f"(distance {worst.distance:.2f} of 1, p {worst.p:.1g})"
        )
        if large:
            evidence += f"; {large} differences are larger than {LARGE}"
            cause = "the splits were collected or processed differently, or divided in order"
            cure = (
                f"mix all records and divide anew; if {role} is what the model will meet, train on pictures like those"
            )
            verdict = Verdict("drift", "warn", evidence, cause, cure)
        else:
            verdict = Verdict("drift", "info", f"{evidence}; a small difference")
        notes = tuple(f"{each.what}: distance {each.distance:.2f}" for each in beyond)
        findings.append(Finding(verdict, notes=notes))
    return findings


def differences(
    values: Mapping[str, np.ndarray],
    labels: np.ndarray | None,
    classes: Sequence[str],
    rows: np.ndarray,
    train: np.ndarray,
) -> list[Difference]:
    """Every comparison of a split with training; p is corrected for their number (Bonferroni)."""
    found = list(_pictures(values, labels, classes, rows, train))
    if labels is not None:
        found += _shares(labels, len(classes), rows, train)
    return [
        Difference(each.what, each.distance, min(1.0, each.p * len(found)), each.here, each.there) for each in found
    ]


def _pictures(
    values: Mapping[str, np.ndarray],
    labels: np.ndarray | None,
    classes: Sequence[str],
    rows: np.ndarray,
    train: np.ndarray,
) -> Iterator[Difference]:
    """Kolmogorov-Smirnov for every channel: over all pictures, then over those of each class."""
    parts = [("", rows, train)]
    if labels is not None:
        for k, name in enumerate(classes):
            here, there = rows[labels[rows] == k], train[labels[train] == k]
            if min(len(here), len(there)) >= FEWEST:
                parts.append((f" among {name}", here, there))
    for what, table in values.items():
        for channel, colour in enumerate(CHANNELS.get(table.shape[1], tuple(map(str, range(table.shape[1]))))):
            for among, here, there in parts:
                a, b = table[here, channel], table[there, channel]
                test = ks_2samp(a, b, method="asymp")
                middles = f"{np.median(a):.1f}", f"{np.median(b):.1f}"
                yield Difference(f"{what} of {colour}{among}", float(test.statistic), float(test.pvalue), *middles)


def _shares(labels: np.ndarray, n_classes: int, rows: np.ndarray, train: np.ndarray) -> list[Difference]:
    """Total variation between the shares of the classes, and the chi-squared test of their counts."""
    table = np.array([np.bincount(labels[side][labels[side] >= 0], minlength=n_classes) for side in (rows, train)])
    table = table[:, table.any(axis=0)]  # (2, classes that occur)
    if table.shape[1] < 2 or (table.sum(axis=1) < FEWEST).any():
        return []
    share = table / table.sum(axis=1, keepdims=True)
    apart = int(np.argmax(np.abs(share[0] - share[1])))
    distance = float(np.abs(share[0] - share[1]).sum() / 2)
    percent = f"{share[0, apart]:.0%} of one class", f"{share[1, apart]:.0%} of it"
    return [Difference("shares of the classes", distance, float(chi2_contingency(table).pvalue), *percent)]
