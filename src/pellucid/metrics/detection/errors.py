"""Kinds of errors: what each wrong found thing is wrong about, and what it costs.

After Bolya et al. 2020, "TIDE: A General Toolbox for Identifying Object Detection Errors" (arXiv:2008.08115). A found
thing that took no true one (COCO's rule, IoU 0.5) is the first of these that fits:

| kind | a found thing that |
|---|---|
| `location` | overlaps a true thing of its class most by 0.1 to 0.5: right name, box too far off |
| `class` | overlaps a true thing of another class by 0.5 or more: right box, wrong name |
| `duplicate` | overlaps a true thing of its class by 0.5 or more, which a surer one took |
| `background` | overlaps no true thing by more than 0.1 |
| `both` | is left: near a true thing of another class, by 0.1 to 0.5 |
| `missed` | (a true thing) is not found, nor is what a `location` or `class` error lies on |

The cost of a kind is how much AP50 rises when errors of that kind alone are mended: `location` and `class` errors
become right, or go where the thing is found already; `duplicate`, `both` and `background` ones go; missed things are
no longer asked for. Costs do not add up to what is missing.
"""

from dataclasses import dataclass

import numpy as np

from pellucid.metrics.detection.average_precision import precision_at
from pellucid.metrics.detection.coco import RECALLS
from pellucid.metrics.detection.detections import Detections, overlaps
from pellucid.metrics.detection.matching import NONE, Matches, match

KINDS = ("class", "location", "both", "duplicate", "background", "missed")
NEAR, HIT = 0.1, 0.5
RIGHT, IGNORED = -1, -2  # in place of the number of a kind


@dataclass(frozen=True, eq=False)
class Errors:
    """What is wrong with each found thing.

    Attributes:
        matches: the found things and what they took, at IoU 0.5.
        kind: (F,) number of its kind in `KINDS`; -1 right, -2 does not count.
        about: (F,) place of the true thing that the error is about, or -1.
        missed: (N, M) bool, true things that are missed.
        truth_label: (N, M) as given.
    """

    matches: Matches
    kind: np.ndarray
    about: np.ndarray
    missed: np.ndarray
    truth_label: np.ndarray

    def counts(self, score: float = 0.0) -> dict[str, int]:
        """Errors of each kind among found things from a score on; missed things are those of all scores."""
        sure = self.matches.score >= score
        found = {name: int((self.kind[sure] == number).sum()) for number, name in enumerate(KINDS[:-1])}
        return {**found, "missed": int(self.missed.sum())}

    def costs(self, n_classes: int) -> dict[str, float]:
        """How much AP50 rises when errors of a kind are mended; NaN where there is nothing to find."""
        now = self._ap50(n_classes, self.kind, self.matches.label)
        return {name: self._mended(number, n_classes) - now for number, name in enumerate(KINDS)}

    def _mended(self, number: int, n_classes: int) -> float:
        kind, label = self.kind.copy(), self.matches.label.copy()
        if KINDS[number] == "missed":
            return self._ap50(n_classes, kind, label, without=self.missed)
        wrong = np.flatnonzero(kind == number)
        kind[wrong] = IGNORED
        if KINDS[number] in ("class", "location"):
            picture, place = self.matches.picture[wrong], self.about[wrong]
            found = np.zeros(self.truth_label.shape, bool)
            right = self.kind == RIGHT
            found[self.matches.picture[right], self.matches.truth[right, 0, 0]] = True
            surest = np.argsort(-self.matches.score[wrong], kind="stable")
            _, first = np.unique(np.stack([picture, place])[:, surest], axis=1, return_index=True)
            mended = surest[first]
            mended = mended[~found[picture[mended], place[mended]]]
            kind[wrong[mended]] = RIGHT
            label[wrong[mended]] = self.truth_label[picture[mended], place[mended]]
        return self._ap50(n_classes, kind, label)

    def _ap50(self, n_classes: int, kind: np.ndarray, label: np.ndarray, without: np.ndarray | None = None) -> float:
        """Of found things with these kinds and labels."""
        counted = ~self.matches.truth_ignored[..., 0]
        if without is not None:
            counted = counted & ~without
        n_true = np.bincount(self.truth_label[counted], minlength=n_classes)
        order = np.argsort(-self.matches.score, kind="stable")
        each = []
        for k in np.flatnonzero(n_true):
            right = kind[order[(label[order] == k) & (kind[order] != IGNORED)]] == RIGHT
            each.append(precision_at((~right).cumsum()[right], int(n_true[k]), RECALLS).mean())
        return float(np.mean(each)) if each else float("nan")


def errors(given: Detections) -> Errors:
    """Sort the errors into kinds, picture by picture."""
    matches = match(given, np.array([HIT]))
    took, ignored = matches.truth[:, 0, 0], matches.ignored[:, 0, 0]
    kind = np.where(ignored, IGNORED, np.where(took != NONE, RIGHT, len(KINDS)))
    about = took.copy()
    begins = np.searchsorted(matches.picture, np.arange(len(given) + 1))
    missed = given.true & ~given.truth_crowd
    for i in range(len(given)):
        rows = np.arange(begins[i], begins[i + 1])
        missed[i, took[rows][kind[rows] == RIGHT]] = False
        rows = rows[kind[rows] == len(KINDS)]
        true = np.flatnonzero(given.true[i] & ~given.truth_crowd[i])
        if len(rows):
            kind[rows], column = _kinds(given, i, matches.place[rows], true)
            about[rows] = np.append(true, NONE)[column]
            known = np.isin(kind[rows], (KINDS.index("class"), KINDS.index("location")))
            missed[i, about[rows][known]] = False
    return Errors(matches, kind, about, missed, given.truth_label)


def _kinds(given: Detections, i: int, places: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the kind of each wrong found thing of a picture, and the column of `true` it is about, or -1."""
    if not len(true):
        return np.full(len(places), KINDS.index("background")), np.full(len(places), -1)
    if given.overlap is not None:
        iou = given.overlap[i][np.ix_(places, true)]
    else:
        iou = overlaps(given.boxes_xyxy[i, places], given.truth_xyxy[i, true], np.zeros(len(true), bool))
    same = given.labels[i, places][:, None] == given.truth_label[i, true]
    own, other = np.where(same, iou, -1.0), np.where(same, -1.0, iou)
    most_own, most_other, most = own.max(1), other.max(1), iou.max(1)
    conditions = {
        "location": ((most_own >= NEAR) & (most_own < HIT), own.argmax(1)),
        "class": (most_other >= HIT, other.argmax(1)),
        "duplicate": (most_own >= HIT, own.argmax(1)),
        "background": (most <= NEAR, np.full(len(places), -1)),
        "both": (np.ones(len(places), bool), iou.argmax(1)),
    }
    numbers = [np.full(len(places), KINDS.index(name)) for name in conditions]
    holds = [each[0] for each in conditions.values()]
    return np.select(holds, numbers), np.select(holds, [each[1] for each in conditions.values()])
