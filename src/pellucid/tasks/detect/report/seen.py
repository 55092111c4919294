"""Pictures of an evaluation, looked at once more, with what is needed to draw boxes on them. H, W: pixels."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.ops.masks.paste import paste_masks
from pellucid.report.once import Once


@dataclass(frozen=True, eq=False)
class View:
    """One picture as the network sees it.

    Attributes:
        index: position in the split.
        image: (H, W, C) uint8.
        scale, offset: (2,) along x and y: file pixels a pixel of `image`, and where its corner lies in the file.
        found_masks: (D, H, W) bool, outlines of what was found; or None.
        found_scores: (D,) how sure each is, 0 where nothing is; or None.
    """

    index: int
    image: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    found_masks: np.ndarray | None = None
    found_scores: np.ndarray | None = None

    def here(self, boxes_xyxy: np.ndarray) -> np.ndarray:
        """(M, 4) boxes in pixels of the file -> in pixels of `image`."""
        corners = (np.asarray(boxes_xyxy, np.float64).reshape(-1, 2, 2) - self.offset) / self.scale
        return corners.reshape(-1, 4)


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
    affine = batch["canvas_affine"].double().cpu().numpy()  # (n, 2, 3)
    for row, index in enumerate(indices):
        masks, scores = _masks(outputs, row, (images.shape[1], images.shape[2]))
        yield View(index, images[row], affine[row][[0, 1], [0, 1]], affine[row, :, 2], masks, scores)


def _masks(outputs: Any, row: int, hw: tuple[int, int]) -> tuple[np.ndarray | None, np.ndarray | None]:
    if "found_masks" not in outputs:
        return None, None
    pasted = paste_masks(outputs["found_masks"][row].float(), outputs["found_boxes_xyxy"][row].float(), hw)
    return pasted.cpu().numpy(), outputs["found_scores"][row].float().cpu().numpy()
