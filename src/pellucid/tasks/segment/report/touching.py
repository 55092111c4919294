"""Places where two things of one class may touch: regions of a class map that hang together by a narrow neck."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pellucid.tasks.segment.loss import IGNORE
from pellucid.tasks.segment.report.draw import Window
from pellucid.tasks.segment.report.seen import View

PEELED = 2  # pixels that are taken off the outline
PART = 0.25  # of what is left, that the second largest part has at least
LEAST = 0.002  # of the picture, that a region has at least


@dataclass(frozen=True)
class Neck:
    """A region that falls into parts when its outline is peeled off.

    Attributes:
        view: the picture.
        label: its class.
        area: in pixels.
        parts: into how many it falls.
        evenness: pixels of the second largest part to those of the largest, in (0, 1].
        window: rows and columns it lies in.
        called: how many regions of this class the answer has where this region lies.
    """

    view: View
    label: int
    area: int
    parts: int
    evenness: float
    window: Window
    called: int


def count_regions(labels: np.ndarray, left_out: Sequence[int] = ()) -> int:
    """Regions of all classes but those left out and the ignored, each hanging together by sides. (H, W) numbers."""
    kinds = set(np.unique(labels).tolist()) - {IGNORE, *left_out}
    return sum(int(ndimage.label(labels == kind)[1]) for kind in kinds)


def necks(view: View, left_out: Sequence[int] = ()) -> list[Neck]:
    """Regions of the truth that fall into parts of similar size."""
    found = []
    for kind in sorted(set(np.unique(view.true).tolist()) - {IGNORE, *left_out}):
        numbered, _ = ndimage.label(view.true == kind)
        areas = np.bincount(numbered.ravel())
        for number, window in enumerate(ndimage.find_objects(numbered), 1):
            if areas[number] < LEAST * view.true.size:
                continue
            inside = np.pad(numbered[window] == number, PEELED)
            left, n_parts = ndimage.label(ndimage.binary_erosion(inside, iterations=PEELED))
            if n_parts < 2:
                continue
            sizes = np.sort(np.bincount(left.ravel())[1:])[::-1]
            if sizes[1] < PART * sizes.sum():
                continue
            answers = (view.called[window] == kind) & (numbered[window] == number)
            parts = int((sizes >= PART * sizes.sum()).sum())
            answered = int(ndimage.label(answers)[1])
            found.append(Neck(view, kind, int(areas[number]), parts, float(sizes[1] / sizes[0]), window, answered))
    return found
