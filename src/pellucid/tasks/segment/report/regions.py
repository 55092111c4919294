"""The largest wrong regions of an evaluation: unbroken patches of one class that are taken for another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pellucid.tasks.segment.loss import IGNORE
from pellucid.tasks.segment.report.seen import Patch, Seen, View, patches

CHUNK = 16
MOST = 256  # pictures that are looked at; of those left, none has as large a count of one confusion


@dataclass(frozen=True)
class WrongRegion:
    """Pixels of one class, hanging together by their sides, that are all taken for one other class, by numbers."""

    patch: Patch
    true: int
    called: int


def wrong_regions(view: View, least: int = 1) -> Iterator[WrongRegion]:
    """Those of one picture that have at least so many pixels, confusion by confusion."""
    wrong = (view.true != view.called) & (view.true != IGNORE)
    pairs = np.unique(np.stack([view.true[wrong], view.called[wrong]]), axis=1).T
    for true, called in pairs.tolist():
        taken = wrong & (view.true == true) & (view.called == called)
        yield from (WrongRegion(patch, true, called) for patch in patches(view, taken, least))


def largest_wrong_regions(confusion: Tensor, index: Tensor, seen: Seen, count: int) -> list[WrongRegion]:
    """The `count` largest of all pictures, largest first.

    A region is no larger than the count of its confusion in its picture. So pictures are looked at from the largest
    such count down, until the next one is below the regions that were found.

    Args:
        confusion: (N, K, K), pixels of each picture by true and predicted class.
        index: (N,) position of each picture in the split.
    """
    wrong = confusion.clone()
    wrong.diagonal(dim1=1, dim2=2).zero_()
    largest = wrong.flatten(1).amax(1)  # (N,)
    order = largest.argsort(descending=True, stable=True).tolist()
    found: list[WrongRegion] = []
    for start in range(0, min(len(order), MOST), CHUNK):
        least = found[-1].patch.area if len(found) == count else 1
        rows = [row for row in order[start : start + CHUNK] if largest[row] >= least]
        if not rows:
            break
        for view in seen([int(index[row]) for row in rows]):
            found += wrong_regions(view, least)
        found = sorted(found, key=lambda region: -region.patch.area)[:count]
    return found


def share_of_errors(regions: Sequence[WrongRegion], wrong_pixels: int) -> float:
    """How much of all that is wrong lies in these regions."""
    return sum(region.patch.area for region in regions) / max(wrong_pixels, 1)
