"""Places where two things of one class may touch: regions of a class map that hang together by a narrow neck."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pellucid.tasks.segment.loss import IGNORE
from pellucid.tasks.segment.report.seen import Patch, View, patches

PEELED = 2  # pixels that are taken off the outline
PART = 0.25  # of what is left, that a part has at least
LEAST = 0.002  # of the picture, that a region has at least


@dataclass(frozen=True)
class Neck:
    """A region that falls into parts when its outline is peeled off.

    Attributes:
        patch: the region.
        label: its class.
        parts: into how many of similar size it falls.
        evenness: pixels of the second largest part to those of the largest, in (0, 1].
    """

    patch: Patch
    label: int
    parts: int
    evenness: float


def count_regions(labels: np.ndarray, left_out: Sequence[int] = ()) -> int:
    """Regions of all classes but those left out and the ignored, each hanging together by sides. (H, W) numbers."""
    return sum(int(ndimage.label(labels == kind)[1]) for kind in _kinds(labels, left_out))


def necks(view: View, left_out: Sequence[int] = ()) -> list[Neck]:
    """Regions of the truth that fall into parts of similar size."""
    found = []
    least = max(1, int(LEAST * view.true.size))
    for kind in _kinds(view.true, left_out):
        for patch in patches(view, view.true == kind, least):
            left, _ = ndimage.label(ndimage.binary_erosion(np.pad(patch.inside, PEELED), iterations=PEELED))
            sizes = np.sort(np.bincount(left.ravel())[1:])[::-1]
            parts = int((sizes >= PART * sizes.sum()).sum())
            if parts > 1:
                found.append(Neck(patch, kind, parts, float(sizes[1] / sizes[0])))
    return found


def _kinds(labels: np.ndarray, left_out: Sequence[int]) -> list[int]:
    return sorted(set(np.unique(labels).tolist()) - {IGNORE, *left_out})
