"""The things of many pictures in columns, and the `Objects` of a picture made of them when they are asked for.

Letters: N pictures, A things in all of them, P keypoints of one, V corners of an outline.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.data.objects import Objects, ObjectsOnDemand
from pellucid.data.source import Problem
from pellucid.ops.masks.rle import Rle, encode

FARTHEST = 1e9  # pixels: more is no place in a picture
Outline = Rle | list[np.ndarray]  # run lengths, or polygons (V, 2) of x, y
Fill = Callable[[list[np.ndarray], int, int], Rle]  # polygons, height and width -> mask


@dataclass
class Things:
    """Things as a reader meets them, in any order of the pictures. All lists have A entries.

    Attributes:
        pictures: row of the picture of each.
        boxes_xyxy, labels: as in `Objects`.
        is_crowd: as in `Objects`.
        areas: pixels; NaN where nothing is said.
        outlines: None where nothing is said.
        keypoints: x, y, mark, x, y, mark, ... of each; empty where nothing is said.
        fill: how polygons become masks.
    """

    fill: Fill
    pictures: list[int] = field(default_factory=list)
    boxes_xyxy: list[tuple[float, float, float, float]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    is_crowd: list[bool] = field(default_factory=list)
    areas: list[float] = field(default_factory=list)
    outlines: list[Outline | None] = field(default_factory=list)
    keypoints: list[Sequence[float]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.pictures)

    def add(
        self,
        picture: int,
        box_xyxy: tuple[float, float, float, float],
        label: int,
        is_crowd: bool = False,
        area: float = float("nan"),
        outline: Outline | None = None,
        keypoints: Sequence[float] = (),
    ) -> None:
        """One thing more."""
        self.pictures.append(picture)
        self.boxes_xyxy.append(box_xyxy)
        self.labels.append(label)
        self.is_crowd.append(is_crowd)
        self.areas.append(area)
        self.outlines.append(outline)
        self.keypoints.append(keypoints)

    def objects(self, sizes: np.ndarray, problems: list[Problem], where: str) -> ObjectsOnDemand:
        """The things of each picture.

        Masks are there if every thing has an outline; where only some have one, `problems` says so in one line.

        Args:
            sizes: (N, 2) height and width of the pictures.
            where: what the data set is called there.
        """
        lacking = sum(outline is None for outline in self.outlines)
        if 0 < lacking < len(self):
            reason = f"{lacking:,} of {len(self):,} things have no outline, so the outlines of the others are not used"
            problems.append(Problem(where, "mixed-outlines", reason))
        order = np.argsort(np.array(self.pictures, dtype=np.int64), kind="stable")
        made = _Made(
            ends=np.searchsorted(np.array(self.pictures, dtype=np.int64)[order], np.arange(len(sizes) + 1)),
            boxes=np.array(self.boxes_xyxy, dtype=np.float32).reshape(-1, 4)[order],
            labels=np.array(self.labels, dtype=np.int64)[order],
            crowd=np.array(self.is_crowd, dtype=bool)[order],
            areas=np.array(self.areas, dtype=np.float32)[order],
            outlines=None if lacking or not len(self) else [self.outlines[i] for i in order.tolist()],
            keypoints=_padded(self.keypoints, order),
            sizes=np.asarray(sizes),
            fill=self.fill,
        )
        return ObjectsOnDemand(made.objects, np.arange(len(sizes)))


@dataclass(frozen=True)
class _Made:
    """The columns, sorted by picture; those of picture i are `ends[i]:ends[i + 1]`."""

    ends: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    areas: np.ndarray
    outlines: list[Any] | None
    keypoints: np.ndarray | None
    sizes: np.ndarray
    fill: Fill

    def objects(self, row: int) -> Objects:
        """The things of one picture."""
        part = slice(int(self.ends[row]), int(self.ends[row + 1]))
        height, width = self.sizes[row].tolist()
        masks = None
        if self.outlines is not None:
            masks = [
                outline if isinstance(outline, Rle) else self.fill(outline, height, width)
                for outline in self.outlines[part]
            ]
        boxes, areas = self.boxes[part], self.areas[part]
        if np.isnan(areas).any():
            own = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) if masks is None else np.array([m.area for m in masks])
            areas = np.where(np.isnan(areas), own, areas)
        keypoints = None if self.keypoints is None else self.keypoints[part]
        return Objects(boxes, self.labels[part], masks, keypoints, self.crowd[part], areas)


def is_box(x1: float, y1: float, x2: float, y2: float) -> bool:
    """Whether this is left, top, right, bottom of a box that does not vanish where numbers are kept as float32.

    Raises:
        TypeError, ValueError, OverflowError: these are no numbers.
    """
    if not (-FARTHEST <= x1 < x2 <= FARTHEST and -FARTHEST <= y1 < y2 <= FARTHEST):
        return False
    if x2 - x1 > 1e-7 * FARTHEST and y2 - y1 > 1e-7 * FARTHEST:  # float32 tells these apart wherever they lie
        return True
    return bool(np.float32(x1) < np.float32(x2) and np.float32(y1) < np.float32(y2))


def fill_by_centres(polygons: list[np.ndarray], height: int, width: int) -> Rle:
    """The pixels whose centre lies inside an odd number of the polygons."""
    from pellucid.ops.masks.polygons import fill

    return encode(fill(polygons, height, width))


def _padded(keypoints: Sequence[Sequence[float]], order: np.ndarray) -> np.ndarray | None:
    """(A, P, 3) float32, 0 = not marked where fewer are said; None where none are."""
    lengths = np.array([len(points) for points in keypoints], dtype=np.int64)
    if not lengths.any():
        return None
    found = np.zeros((len(keypoints), int(lengths.max())), dtype=np.float32)
    for row in np.flatnonzero(lengths).tolist():
        found[row, : lengths[row]] = keypoints[row]
    return found[order].reshape(len(keypoints), -1, 3)
