"""Which found thing takes which true one: the rule of the COCO evaluation, for all pictures at once.

In each picture and class the surest found thing chooses first. It takes the free true thing that it overlaps most, if
that is as much as a threshold asks; of equal ones the last. A true thing that does not count, because it is a crowd or
of another size, is taken only where no other is left, and then the found thing does not count either. Crowds may be
taken often.

Letters: N pictures, F found things, G true things, P pairs of them that overlap, C the most pairs of one found thing,
T thresholds, A ranges of sizes.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pellucid.metrics.detection.detections import Detections, overlaps_of_pairs

NONE = -1
MOST_CLASSES = 1 << 32  # above every class number
EVERY_SIZE = ((0.0, 1e10),)
AT_ONCE = 1 << 20  # pairs that are looked at together, some 150 bytes each


@dataclass(frozen=True, eq=False)
class Matches:
    """The found things of all pictures and what each of them took.

    Found things are ordered by picture, class and falling score; of each picture and class, only the surest are here.

    Attributes:
        picture, place: (F,) where it stands in `Detections`.
        rank: (F,) 0 for the surest of its picture and class.
        label: (F,) its class.
        score: (F,) its score.
        truth: (F, T, A) place of the true thing that it took in its picture, or -1.
        iou: (F, T, A) how much of it, 0 where none was taken.
        ignored: (F, T, A) bool: neither right nor wrong.
        truth_ignored: (N, M, A) bool: places whose thing does not count, and those that hold none.
    """

    picture: np.ndarray
    place: np.ndarray
    rank: np.ndarray
    label: np.ndarray
    score: np.ndarray
    truth: np.ndarray
    iou: np.ndarray
    ignored: np.ndarray
    truth_ignored: np.ndarray


@dataclass(frozen=True, eq=False)
class Things:
    """Things of all pictures as rows, ordered by picture and class.

    Attributes:
        picture, place, label: (G,) where each stands, and its class.
        start: (G,) number of the first row of the same picture and class.
        key: (G,) a number for its picture and class.
    """

    picture: np.ndarray
    place: np.ndarray
    label: np.ndarray
    start: np.ndarray
    key: np.ndarray


def match(
    given: Detections,
    thresholds: np.ndarray,
    sizes: tuple[tuple[float, float], ...] = EVERY_SIZE,
    most: int = 100,
    by_class: bool = True,
) -> Matches:
    """Let found things take true ones.

    Args:
        thresholds: (T,) least overlap.
        sizes: A ranges of areas, ends included; what is outside does not count.
        most: of each picture and class, so many of the surest things are looked at.
        by_class: found things take only true ones of their class; else any.
    """
    found = things(given.labels, by_class, -given.scores)
    rank = np.arange(len(found.key)) - found.start
    found, rank = _take(found, rank < most), rank[rank < most]
    true = things(given.truth_label, by_class)
    low, high = np.array(sizes, np.float64).reshape(-1, 2).T  # (A,)
    truth_area = given.truth_area[true.picture, true.place][:, None]
    crowd = given.truth_crowd[true.picture, true.place]
    ignored_truth = crowd[:, None] | (truth_area < low) | (truth_area > high)  # (G, A)
    row, iou = _choose(given, found, true, np.minimum(thresholds, 1 - 1e-10), ignored_truth, crowd)  # (F, T, A)
    area = given.area[found.picture, found.place][:, None]
    outside = (area < low) | (area > high)  # (F, A)
    took = row != NONE
    which = ignored_truth[row, np.arange(len(low))] if len(true.key) else np.zeros(row.shape, bool)
    places = np.append(true.place, NONE)  # the last is for none
    no_thing = np.ones((*given.truth_label.shape, len(low)), bool)
    no_thing[true.picture, true.place] = ignored_truth
    return Matches(
        found.picture,
        found.place,
        rank,
        found.label,
        given.scores[found.picture, found.place],
        places[row],
        iou,
        np.where(took, which, outside[:, None]),
        no_thing,
    )


def things(labels: np.ndarray, by_class: bool, order: np.ndarray | None = None) -> Things:
    """What stands in (N, M) places, in order; of one picture and class by rising `order` (N, M) and then by place."""
    picture, place = np.nonzero(labels != NONE)
    label = labels[picture, place]
    key = picture * MOST_CLASSES + label if by_class else picture
    by = np.lexsort((place, key)) if order is None else np.lexsort((place, order[picture, place], key))
    picture, place, label, key = picture[by], place[by], label[by], key[by]
    begins = np.flatnonzero(np.diff(key, prepend=-1))
    start = np.repeat(begins, np.diff(begins, append=len(key)))
    return Things(picture, place, label, start, key)


def _take(things: Things, rows: np.ndarray) -> Things:
    return Things(*(getattr(things, name)[rows] for name in ("picture", "place", "label", "start", "key")))


def _choose(
    given: Detections, found: Things, true: Things, thresholds: np.ndarray, ignored: np.ndarray, crowd: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(F, T, A): the row of the true thing that each found one takes, or -1; and how much they overlap.

    Nearly all pairs overlap less than every threshold. Only the others are looked at, all pictures at once: first the
    surest thing of each picture and class that is in such a pair, then the next.
    """
    shape = (len(found.key), len(thresholds), ignored.shape[1])
    taken_row, taken_iou = np.full(shape, NONE), np.zeros(shape)
    who, whom, iou = overlapping_pairs(given, found, true, thresholds.min(initial=1.0))
    if not len(who):
        return taken_row, taken_iou
    some, first, count = np.unique(who, return_index=True, return_counts=True)  # found things in pairs
    column = np.arange(len(who)) - np.repeat(first, count)
    pairs, overlap = np.full((len(some), count.max()), NONE), np.full((len(some), count.max()), -1.0)
    line = np.repeat(np.arange(len(some)), count)
    pairs[line, column], overlap[line, column] = whom, iou  # (., C)
    turn = _turns(found.start[some])
    taken = np.zeros((len(true.key), *shape[1:]), bool)
    for number in range(turn.max() + 1):
        rows = np.flatnonzero(turn == number)
        of, much = pairs[rows], overlap[rows]  # (n, C)
        free = ~taken[of] | crowd[of][..., None, None]  # (n, C, T, A)
        free &= (much[..., None] >= thresholds)[..., None]
        counts = free & ~ignored[of][:, :, None]
        use = np.where(counts.any(1, keepdims=True), counts, free)
        last_best = of.shape[1] - 1 - np.where(use, much[..., None, None], -1.0)[:, ::-1].argmax(1)  # (n, T, A)
        line = np.arange(len(rows))[:, None, None]
        row, any_one = of[line, last_best], use.any(1)
        t, a = np.arange(shape[1])[:, None], np.arange(shape[2])
        taken[row, t, a] |= any_one
        taken_row[some[rows]] = np.where(any_one, row, NONE)
        taken_iou[some[rows]] = np.where(any_one, much[line, last_best], 0.0)
    return taken_row, taken_iou


def _turns(start: np.ndarray) -> np.ndarray:
    """How many before each have the same start, which are neighbours."""
    begins = np.flatnonzero(np.diff(start, prepend=-1))
    return np.arange(len(start)) - np.repeat(begins, np.diff(begins, append=len(start)))


def overlapping_pairs(
    given: Detections, found: Things, true: Things, least: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(P,) rows of found and of true things of one picture and class that overlap at least so much; and how much.

    A million pairs at a time: pictures with hundreds of things of one class have more than memory holds.
    """
    begin = np.searchsorted(true.key, found.key, "left")
    count = np.searchsorted(true.key, found.key, "right") - begin
    so_far = np.concatenate([[0], count.cumsum()])
    cuts = np.searchsorted(so_far, np.arange(0, so_far[-1], AT_ONCE), "left")
    parts = [
        _pairs_of(given, found, true, least, np.arange(first, stop), begin[first:stop], count[first:stop])
        for first, stop in pairwise([*np.unique(cuts).tolist(), len(count)])
    ]
    nothing = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    who, whom, iou = (np.concatenate(each) for each in zip(nothing, *parts, strict=True))
    return who, whom, iou


def _pairs_of(
    given: Detections,
    found: Things,
    true: Things,
    least: float,
    rows: np.ndarray,
    begin: np.ndarray,
    count: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of some rows of found things, whose true ones are the `count` from the row `begin` on."""
    who = np.repeat(rows, count)
    whom = np.arange(len(who)) - np.repeat(count.cumsum() - count, count) + np.repeat(begin, count)
    picture, place, other = found.picture[who], found.place[who], true.place[whom]
    if given.overlap is not None:
        iou = given.overlap[picture, place, other]
    else:
        iou = overlaps_of_pairs(
            given.boxes_xyxy[picture, place], given.truth_xyxy[picture, other], given.truth_crowd[picture, other]
        )
    enough = iou >= least
    return who[enough], whom[enough], iou[enough]
