"""What tiles found, put together: a thing that several of them show is told once.

Two tiles show the same thing if, in what both of them see, they say the same: the boxes, cut to that region, overlap
by more than half. A box that ends at an inner border of its tile is cut; where another tile shows the thing whole,
that one is believed, whatever class the part was taken for; where none does, the parts of one class are united.

Letters: n things found in all tiles, T tiles.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

ALIKE = 0.5  # IoU in the region that both tiles see, from which on two boxes are of one thing
WITHIN = 0.7  # share of a cut box that lies in a whole one, from which on it is a part of that
BORDER = 0.03  # share of a tile's side within which a box ends at its border


@dataclass(frozen=True)
class Seen:
    """What all tiles found, in pixels of the picture at scale.

    Attributes:
        boxes_xyxy: (n, 4) float64.
        scores: (n,).
        labels: (n,) int64.
        tile: (n,) int64, the number of the tile that it was found in.
        windows_xyxy: (T, 4) where the tiles lie.
        size: (h, w) of the picture at scale.
    """

    boxes_xyxy: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    tile: np.ndarray
    windows_xyxy: np.ndarray
    size: tuple[int, int]

    @property
    def is_cut(self) -> np.ndarray:
        """(n,) bool: whether a box ends at a border of its tile that is none of the picture."""
        window = self.windows_xyxy[self.tile]  # (n, 4)
        side = np.tile(window[:, 2:] - window[:, :2], 2)
        inner = window != np.array([0, 0, self.size[1], self.size[0]])
        return (inner & (np.abs(self.boxes_xyxy - window) <= np.maximum(1, BORDER * side))).any(axis=1)


@dataclass(frozen=True)
class Merged:
    """One thing.

    Attributes:
        box_xyxy: (4,) in pixels of the picture at scale.
        members: which of the n show it: the surest whole one alone, or all its parts, the surest first.
    """

    box_xyxy: np.ndarray
    members: tuple[int, ...]


def merge(seen: Seen) -> list[Merged]:
    """Each thing once, the surest first; its class and its score are those of its first member."""
    cut = seen.is_cut
    explained = np.zeros(len(cut), dtype=bool)  # parts of things that another tile shows whole
    pairs: list[tuple[int, int]] = []
    for a, b in _overlapping(seen):
        boxes_a, boxes_b = seen.boxes_xyxy[a], seen.boxes_xyxy[b]
        shared = _shared(seen.windows_xyxy[seen.tile[a[0]]], seen.windows_xyxy[seen.tile[b[0]]])
        alike = _iou(_clipped(boxes_a, shared), _clipped(boxes_b, shared)) > ALIKE  # (A, B)
        of_one_class = seen.labels[a][:, None] == seen.labels[b][None]
        both = _intersection(boxes_a, boxes_b)
        a_within = alike | (of_one_class & (both > WITHIN * _area(boxes_a)[:, None]))
        b_within = alike | (of_one_class & (both > WITHIN * _area(boxes_b)[None]))
        cut_a, cut_b = cut[a][:, None], cut[b][None]
        explained[a] |= (a_within & cut_a & ~cut_b).any(axis=1)
        explained[b] |= (b_within & cut_b & ~cut_a).any(axis=0)
        same = alike & of_one_class & (cut_a == cut_b)
        pairs += [(int(a[i]), int(b[j])) for i, j in np.argwhere(same).tolist()]
    group = np.arange(len(cut))  # a number that all which show the same thing share
    for one, other in pairs:
        if not explained[one] and not explained[other]:
            group[group == group[other]] = group[one]
    found = []
    for number in np.unique(group[~explained]):
        members = np.flatnonzero((group == number) & ~explained)
        members = members[np.argsort(-seen.scores[members], kind="stable")]
        members = members if cut[members[0]] else members[:1]
        boxes = seen.boxes_xyxy[members]
        box = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
        found.append(Merged(box, tuple(members.tolist())))
    return sorted(found, key=lambda each: -seen.scores[each.members[0]])


def _overlapping(seen: Seen) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each two tiles that see a region in common: what was found in the one, and in the other."""
    members = [np.flatnonzero(seen.tile == number) for number in range(len(seen.windows_xyxy))]
    common = _intersection(seen.windows_xyxy, seen.windows_xyxy) > 0  # (T, T)
    for first, second in np.argwhere(np.triu(common, k=1)).tolist():
        if len(members[first]) and len(members[second]):
            yield members[first], members[second]


def _shared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.concatenate([np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])])


def _clipped(boxes: np.ndarray, window: np.ndarray) -> np.ndarray:
    return np.concatenate([boxes[:, :2].clip(window[:2], window[2:]), boxes[:, 2:].clip(window[:2], window[2:])], 1)


def _area(boxes: np.ndarray) -> np.ndarray:
    area: np.ndarray = (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1)
    return area


def _intersection(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(A, B)."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    both: np.ndarray = (high - low).clip(0).prod(axis=2)
    return both


def _iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(A, B); 0 where both are empty."""
    both = _intersection(a, b)
    return both / np.maximum(_area(a)[:, None] + _area(b)[None] - both, 1e-9)
