"""Wrong labels, found by confident learning (Northcutt, Jiang, Chuang 2021, arXiv:1911.00068).

A model that never saw a picture says which class it is. Where it is as sure of another class than the given one as it
is of pictures that do have that class, the label is doubted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.verdict import Verdict
from pellucid.doctor.finding import Finding

# N records, K classes

SURE = 0.5  # margin from which a doubt is strong
RARELY = 0.05  # mean probability of one class on pictures of the other, up to which the two are not mixed up
FEWEST, SHARE = 3, 0.02  # strong doubts, in number and as a share of the labels, from which there is an alarm


@dataclass(frozen=True)
class Doubts:
    """What confident learning says.

    Attributes:
        joint: (K, K) estimated share of records with label i that are class j; sums to 1.
        rows: records whose label is doubted, the surest case first.
        suggested: the class each of them seems to be.
        margin: for each of them, probability of the suggested class minus that of the label.
    """

    joint: np.ndarray
    rows: np.ndarray
    suggested: np.ndarray
    margin: np.ndarray


def confident_joint(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(K, K) int64: how many records with label i are confidently class j.

    Confident is a probability of at least the class's threshold: the mean probability of class j over the records with
    label j. Of several confident classes the most probable counts; a record without one counts nowhere (equation 1).

    Args:
        probabilities: (N, K) of models that did not see the record; rows sum to 1.
        labels: (N,) given classes; -1 counts nowhere.
    """
    counted, _ = _confident(probabilities, labels)
    joint = np.zeros((probabilities.shape[1],) * 2, dtype=np.int64)
    there = counted >= 0
    np.add.at(joint, (labels[there], counted[there]), 1)
    return joint


def doubt(probabilities: np.ndarray, labels: np.ndarray) -> Doubts:
    """The off-diagonal records of the confident joint, ordered by margin.

    The joint is calibrated as in equation 3 of the paper: each row is scaled to the number of records with that label.

    Raises:
        DataError: shapes that do not fit, or what is no probability.
    """
    probabilities, labels = np.asarray(probabilities, dtype=np.float64), np.asarray(labels)
    _require(probabilities, labels)
    counted, _ = _confident(probabilities, labels)
    joint = confident_joint(probabilities, labels).astype(np.float64)
    n_labels = np.bincount(labels[labels >= 0], minlength=len(joint))
    joint *= (n_labels / np.maximum(joint.sum(axis=1), 1))[:, None]
    joint /= max(joint.sum(), 1)
    rows = np.flatnonzero((labels >= 0) & (counted >= 0) & (counted != labels))
    margin = probabilities[rows, counted[rows]] - probabilities[rows, labels[rows]]
    order = np.argsort(-margin, kind="stable")
    return Doubts(joint, rows[order], counted[rows][order], margin[order])


def _confident(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) the class each record confidently is, -1 for none, and (K,) the thresholds."""
    n, k = probabilities.shape
    thresholds = np.full(k, np.inf)  # of a class that no record has, nothing is confident
    for j in range(k):
        inside = probabilities[labels == j, j]
        if len(inside):
            thresholds[j] = inside.mean()
    confident = probabilities >= thresholds
    best = np.where(confident, probabilities, -1).argmax(axis=1)
    return np.where(confident[np.arange(n), best], best, -1), thresholds


def _require(probabilities: np.ndarray, labels: np.ndarray) -> None:
    if probabilities.ndim != 2 or labels.shape != (len(probabilities),):
        raise DataError(f"probabilities must be (N, K) and labels (N,), got {probabilities.shape} and {labels.shape}.")
    if len(labels) and labels.max() >= probabilities.shape[1]:
        raise DataError(f"label {labels.max()} has no column in probabilities of {probabilities.shape[1]} classes.")
    sums = probabilities.sum(axis=1)
    if not np.isfinite(probabilities).all() or (probabilities < -1e-6).any() or (np.abs(sums - 1) > 1e-3).any():
        raise DataError("probabilities must be finite, not negative, and sum to 1 in every row.")


def confusability(probabilities: np.ndarray, labels: np.ndarray, doubted: np.ndarray) -> np.ndarray:
    """(K, K) mean probability of class j over the records with label i that are not doubted; 1 where there are none."""
    k = probabilities.shape[1]
    trusted = labels >= 0
    trusted[doubted] = False
    means = np.ones((k, k))
    for i in np.unique(labels[trusted]):
        means[i] = probabilities[trusted & (labels == i)].mean(axis=0)
    return means


def judge_noise(
    probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str], rows: np.ndarray | None = None
) -> list[Finding]:
    """How many labels are doubted, and which.

    Models err too, but mostly between classes that resemble each other. So the alarm counts the doubts with a large
    margin between classes that are hardly ever mixed up otherwise; they are named first.

    Args:
        rows: (N,) what the records are called in the finding, such as rows of the pack; None for 0..N-1.
    """
    found = doubt(probabilities, labels)
    if not len(found.rows):
        return []
    mixed_up = confusability(probabilities, labels, found.rows)[labels[found.rows], found.suggested]
    strange = (found.margin >= SURE) & (mixed_up <= RARELY)
    order = np.lexsort((-found.margin, ~strange))
    names = np.arange(len(labels)) if rows is None else rows
    notes = tuple(
        f"labelled {classes[labels[found.rows[i]]]}, seems {classes[found.suggested[i]]} (margin {found.margin[i]:.2f})"
        for i in order.tolist()
    )
    n, n_labels = int(strange.sum()), int((labels >= 0).sum())
    evidence = f"{len(found.rows):,} of {n_labels:,} labels are doubted, {n:,} of them strongly; the first: {notes[0]}"
    verdict = Verdict("label-noise", "info", evidence)
    if n >= max(FEWEST, SHARE * n_labels):
        cause = "labels given by mistake; some may be hard pictures with the right label"
        verdict = Verdict("label-noise", "warn", evidence, cause, "look at the doubted ones, and correct their labels")
    return [Finding(verdict, tuple(names[found.rows[order]].tolist()), notes=notes)]
