"""The largest wrong regions of an evaluation: unbroken patches of one class that are taken for another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from torch import Tensor

from pellucid.tasks.segment.loss import IGNORE
from pellucid.tasks.segment.report.draw import Window
from pellucid.tasks.segment.report.seen import Seen, View

CHUNK = 16
MOST = 256  # pictures that are looked at; of those left, none has as large a count of one confusion


@dataclass(frozen=True)
class WrongRegion:
    """Pixels of one class, hanging together by their sides, that are all taken for one other class.

    Attributes:
        view: the picture.
        true, called: classes by number.
        area: in pixels.
        window: rows and columns it lies in.
        inside: which pixels of the window it is, bool.
    """

    view: View
    true: int
    called: int
    area: int
    window: Window
    inside: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool."""
        mask = np.zeros(self.view.true.shape, dtype=bool)
        mask[self.window] = self.inside
        return mask


def wrong_regions(view: View, least: int = 1) -> Iterator[WrongRegion]:
    """Those of one picture that have at least so many pixels, confusion by confusion."""
    wrong = (view.true != view.called) & (view.true != IGNORE)
    pairs = np.unique(np.stack([view.true[wrong], view.called[wrong]]), axis=1).T
    for true, called in pairs.tolist():
        numbered, _ = ndimage.label(wrong & (view.true == true) & (view.called == called))
        areas = np.bincount(numbered.ravel())
        for number, window in enumerate(ndimage.find_objects(numbered), 1):
            if areas[number] >= least:
                yield WrongRegion(view, true, called, int(areas[number]), window, numbered[window] == number)


def largest_wrong_regions(records_confusion: Tensor, index: Tensor, seen: Seen, count: int) -> list[WrongRegion]:
    """The `count` largest of all pictures, largest first.

    A region is no larger than the count of its confusion in its picture. So pictures are looked at from the largest
    such count down, until the next one is below the regions that were found.

    Args:
        records_confusion: (N, K, K), pixels of each picture by true and predicted class.
        index: (N,) position of each picture in the split.
    """
    largest = _off_diagonal(records_confusion).flatten(1).amax(1)  # (N,)
    order = largest.argsort(descending=True, stable=True).tolist()
    found: list[WrongRegion] = []
    for start in range(0, min(len(order), MOST), CHUNK):
        rows = [row for row in order[start : start + CHUNK] if largest[row] > 0]
        enough = found[-1].area if len(found) == count else 1
        if not rows or int(largest[rows[0]]) < enough:
            break
        for view in seen([int(index[row]) for row in rows]):
            found += wrong_regions(view, enough)
        found = sorted(found, key=lambda region: -region.area)[:count]
    return found


def _off_diagonal(matrices: Tensor) -> Tensor:
    matrices = matrices.clone()
    matrices.diagonal(dim1=1, dim2=2).zero_()
    return matrices


def share_of_errors(regions: Sequence[WrongRegion], wrong_pixels: int) -> float:
    """How much of all that is wrong lies in these regions."""
    return sum(region.area for region in regions) / max(wrong_pixels, 1)
