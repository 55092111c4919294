"""Pictures of an evaluation, looked at once more: what is there, what is true, what is said. Letters: H, W pixels."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from pellucid.report.once import Once

Window = tuple[slice, slice]


@dataclass(frozen=True)
class View:
    """One picture as the network sees it.

    Attributes:
        index: position in the split.
        image: (H, W, C) uint8.
        true: (H, W) int64, class of every pixel, 255 where it does not count.
        called: (H, W) int64, class the model gives it.
        things: how many things the whole picture shows; None where the data does not tell them apart.
    """

    index: int
    image: np.ndarray
    true: np.ndarray
    called: np.ndarray
    things: int | None = None


@dataclass(frozen=True)
class Patch:
    """Pixels of a picture that hang together by their sides.

    Attributes:
        view: the picture.
        area: how many pixels.
        window: rows and columns they lie in.
        inside: which pixels of the window they are, bool.
    """

    view: View
    area: int
    window: Window
    inside: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool."""
        mask = np.zeros(self.view.true.shape, dtype=bool)
        mask[self.window] = self.inside
        return mask


def patches(view: View, where: np.ndarray, least: int = 1) -> Iterator[Patch]:
    """Those of a mask (H, W) bool that have at least so many pixels, from the topmost on."""
    numbered, _ = ndimage.label(where)
    areas = np.bincount(numbered.ravel())
    for number, window in enumerate(ndimage.find_objects(numbered), 1):
        if areas[number] >= least:
            yield Patch(view, int(areas[number]), window, numbered[window] == number)


class Seen(Once[View]):
    """Views of pictures by their position in the split; each goes through the model once.

    Args:
        look: positions -> batch and outputs, as `core.task.Task` says.
    """

    def __init__(self, look: Callable[[Sequence[int]], tuple[Any, Any]]) -> None:
        super().__init__(look, _views)


def _views(
    indices: Sequence[int], images: np.ndarray, batch: Mapping[str, Any], outputs: Mapping[str, Any]
) -> Iterator[View]:
    true, called = batch["mask"].cpu().numpy(), outputs["logits"].argmax(1).cpu().numpy()
    things = (batch["box_label"] >= 0).sum(1).tolist() if "box_label" in batch else [None] * len(indices)
    return map(View, indices, images, true, called, things)
