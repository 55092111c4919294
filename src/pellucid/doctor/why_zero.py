"""Why is my metric zero? From what an evaluation knows, the one mistake that explains it.

All causes are told apart by the confusion matrix (rows true, columns predicted), by how much did not count, and by
what entered the network. Where none of them explains the number, nothing is said: then the model has not learned yet.

Letters: K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.core.shapes import require_shape
from pellucid.core.verdict import Verdict

IGNORED = 0.99  # share of pixels that do not count, from which on nothing worth measuring is left
EXPLAINS = 0.6  # mean recall under another reading of the classes, from which on that reading is believed
INSTEAD = 0.3  # pixels that do not count, as a share of what other classes had in training, that may be those classes
ONE_CLASS = 0.99  # share of all answers
RARE = 0.005  # share of the truth below which a class is too rare to miss
RANKS = 0.8  # area under the curve from which on the scores are right and only the decision is wrong
ENOUGH = 10  # answers for each class, below which nothing is read into them
FAR, SQUEEZED = 1.5, 3.0  # of standardised input: mean in standard deviations; factor of the deviation itself


@dataclass(frozen=True)
class Answers:
    """What was answered, and what was true.

    Attributes:
        matrix: (K, K) counts of pixels or pictures, rows true, columns predicted.
        classes: K names.
        ignored: pixels or pictures that did not count: ignored in the mask, or unlabelled.
        train_counts: (K,) how often each class occurs in the training split; empty when it is not known.
        ranking: (K,) area under the ROC curve of each class's score against all others, 0.5 by chance, NaN where
            there is nothing to compare; empty when only decisions were kept.
        unit: what is counted: "pixels" or "pictures".
    """

    matrix: np.ndarray
    classes: Sequence[str]
    ignored: int = 0
    train_counts: Sequence[int] = ()
    ranking: Sequence[float] = ()
    unit: str = "pixels"

    def __post_init__(self) -> None:
        require_shape(self.matrix, "K K", "matrix", K=len(self.classes))


def why_zero(answers: Answers) -> list[Verdict]:
    """The likely cause of a metric at or below chance: one verdict, or none.

    Raises:
        DataError: the matrix does not fit the classes.
    """
    enough = answers.matrix.sum() >= ENOUGH * len(answers.classes)
    rules = (_nothing_counted, *((_one_true_class, _offset, _permuted, _collapsed) if enough else ()))
    return next(([verdict] for rule in rules if (verdict := rule(answers))), [])


def judge_input(mean: Sequence[float], deviation: Sequence[float]) -> list[Verdict]:
    """Whether what enters the network is as far from 0 and as wide as what it was trained on.

    Args:
        mean, deviation: of each channel of the evaluated pictures, in standard deviations of the training pictures
            around their mean: about 0 and 1 where the data are alike.
    """
    far = max(abs(value) for value in mean)
    widest, narrowest = max(deviation), min(deviation)
    if far <= FAR and widest <= SQUEEZED and narrowest >= 1 / SQUEEZED:
        return []
    numbers = ", ".join(f"{m:+.2f} and {s:.2f}" for m, s in zip(mean, deviation, strict=True))
    return [
        Verdict(
            "zero-metric-preprocessing",
            "fail",
            f"mean and spread of what enters the network, in those of its training pictures: {numbers} a channel; "
            "they should be near 0 and 1",
            "the pictures were prepared in another way than those of training: values 0..1 instead of 0..255, already "
            "standardised, inverted, or of another camera",
            "give the pictures as they were in training (0..255, not inverted), and let the run's own preprocessing do "
            "the rest",
        )
    ]


def _nothing_counted(answers: Answers) -> Verdict | None:
    counted = int(answers.matrix.sum())
    total = counted + answers.ignored
    if counted and answers.ignored < IGNORED * total:
        return None
    if answers.ignored:
        return Verdict(
            "zero-metric-ignored-everything",
            "fail",
            f"{answers.ignored:,} of {total:,} {answers.unit} do not count ({answers.ignored / total:.1%})",
            "labels hold the value that means 'ignore': 255 in masks (often an inverted or a 0/255 mask), -1 or no "
            "label for pictures",
            "look at the values of one label file; write class numbers 0..K-1, or name the value of each class in "
            "classes.txt",
        )
    return Verdict(
        "zero-metric-empty-targets",
        "fail",
        f"there are no labelled {answers.unit} to measure on",
        "label files are empty, or were not found beside the pictures",
        "look at the labels of the split that is measured: pellucid check DATA",
    )


def _one_true_class(answers: Answers) -> Verdict | None:
    true = answers.matrix.sum(1)
    present = np.flatnonzero(true)
    others = sum(count for k, count in enumerate(answers.train_counts) if k not in present)
    if len(present) != 1 or answers.matrix.shape[0] < 2 or others <= RARE * sum(answers.train_counts):
        return None
    name, rest = answers.classes[int(present[0])], others / sum(answers.train_counts)
    evidence = (
        f"every {answers.unit.rstrip('s')} that counts is of class {name!r}; training knew {len(answers.classes)} "
        f"classes, and {rest:.1%} of it was not {name!r}"
    )
    ignored = answers.ignored / (int(true.sum()) + answers.ignored)
    if answers.unit == "pixels" and ignored > INSTEAD * rest:
        return Verdict(
            "zero-metric-ignored-everything",
            "fail",
            f"{evidence}; {ignored:.1%} of the pixels do not count, as if the other classes were among them",
            "masks of 0 and 255, where 255 was meant to be a class and is read as 'ignore'",
            "write class numbers 0..K-1, or name the value of each class in classes.txt",
        )
    return Verdict(
        "zero-metric-empty-targets",
        "fail",
        evidence,
        "the labels of this split are empty: masks without an object, or written by a step that lost them",
        "open a few labels of the split that is measured, and export them again",
    )


def _offset(answers: Answers) -> Verdict | None:
    """Truth k answered as k + 1, or as k - 1, in most classes."""
    matrix = answers.matrix.astype(np.float64)
    k = len(matrix)
    own = _mean_recall(matrix, np.arange(k))
    for shift in (1, -1):
        rows = np.array([row for row in range(k) if 0 <= row + shift < k and matrix[row].sum()])
        if len(rows) < 2 or k < 3:
            continue
        recall = matrix[rows, rows + shift] / matrix[rows].sum(1)
        if recall.mean() >= EXPLAINS and recall.mean() > 2 * own and (recall > 0.5).mean() > 0.5:
            other = "1 more" if shift > 0 else "1 less"
            return Verdict(
                "zero-metric-label-offset",
                "fail",
                f"{recall.mean():.0%} of each class is answered with a class number {other} than the label, {own:.0%} "
                "with the label",
                "labels were counted from 1 in one place and from 0 in the other, or a background class was added or "
                "removed",
                f"{'add 1 to' if shift > 0 else 'subtract 1 from'} the class numbers of this data, or write the class "
                "names in the order of training",
            )
    return None


def _permuted(answers: Answers) -> Verdict | None:
    """Another naming of the classes makes the answers right."""
    from scipy.optimize import linear_sum_assignment  # takes a moment to import, and is seldom needed

    matrix = answers.matrix.astype(np.float64)
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    rows, columns = linear_sum_assignment(share, maximize=True)
    own, best = _mean_recall(matrix, np.arange(len(matrix))), _mean_recall(matrix, columns)
    seen = matrix.sum(1) > 0
    moved = [int(r) for r in rows if columns[r] != r and seen[r] and share[r, columns[r]] > 0.5]
    if len(moved) < 2 or best < EXPLAINS or best < own + 0.3:
        return None
    pairs = [f"{answers.classes[r]!r} is answered {answers.classes[columns[r]]!r}" for r in moved]
    told = "; ".join(pairs[:5]) + (f"; and {len(pairs) - 5} more" if len(pairs) > 5 else "")
    return Verdict(
        "zero-metric-class-map",
        "fail",
        f"under other names of the classes {best:.0%} of each is right, now {own:.0%}: {told}",
        "the classes of this data stand in another order than in training, or channels of a mask are swapped",
        "write the class names of this data in the order of training (classes.txt, or the list given with the arrays)",
    )


def _collapsed(answers: Answers) -> Verdict | None:
    matrix = answers.matrix.astype(np.float64)
    called, true = matrix.sum(0) / matrix.sum(), matrix.sum(1) / matrix.sum()
    winner = int(called.argmax())
    if called[winner] < ONE_CLASS or len(matrix) < 2 or 1 - true[winner] < max(RARE, 2 * (1 - called[winner])):
        return None
    name = answers.classes[winner]
    seen = f"{called[winner]:.1%} of all {answers.unit} are answered {name!r}, which {true[winner]:.1%} are"
    ranking = np.asarray(answers.ranking, dtype=np.float64)
    known = ranking[np.isfinite(ranking)]
    if len(known) and known.mean() >= RANKS:
        return Verdict(
            "zero-metric-threshold",
            "fail",
            f"{seen}; yet the scores rank the classes right (mean area under the curve {known.mean():.2f})",
            "the scores are right and the decision is not: a threshold that is too high, or a class so frequent in "
            "training that it always wins",
            "lower the threshold, or train with --balance so that rare classes count as much",
        )
    return Verdict(
        "zero-metric-collapsed-to-one-class",
        "warn",
        seen,
        "that class fills most of the training labels, or the rate was so high that the network died",
        "train longer, with --balance, or with a tenth of --lr; pellucid check RUN looks at the curves",
    )


def _mean_recall(matrix: np.ndarray, columns: np.ndarray) -> float:
    """Mean over the classes that occur of the share that is answered `columns[k]`."""
    rows = np.flatnonzero(matrix.sum(1))
    if not len(rows):
        return 0.0
    return float((matrix[rows, columns[rows]] / matrix[rows].sum(1)).mean())


def area_under_curve(scores: np.ndarray, positive: np.ndarray) -> float:
    """Chance that a positive scores above a negative, ties counted half: the area under the ROC curve
    (Mann & Whitney 1947).

    Args:
        scores: (N,).
        positive: (N,) bool.

    Returns:
        In [0, 1]; NaN without a positive or without a negative.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]  # of equal scores the mean rank, from 1
    return float((rank[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))
