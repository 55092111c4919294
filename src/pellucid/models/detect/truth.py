"""What is in the pictures of a batch, as detectors learn from it. N pictures, M places for things, P keypoints.

Places that hold no thing have the label -1 and a box of zeros, so that batches are plain tensors. There is at least one
place, M >= 1, also where no picture shows a thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Truth:
    """The things in N pictures.

    Attributes:
        boxes_xyxy: (N, M, 4) float32, in pixels of the network's input, where pixel i covers [i, i + 1].
        labels: (N, M) int64, class 0..K-1; -1 = no thing.
        is_crowd: (N, M) bool, groups of things that were not told apart: nothing is learned from them.
        masks: (N, M, H, W) bool, or None.
        keypoints: (N, M, P, 3) float32: x, y, and 0 = not marked, 1 = hidden, 2 = seen; or None.
        proposals_xyxy: (N, R, 4) float32, boxes that were proposed before training, zeros where there are fewer; or
            None.
    """

    boxes_xyxy: Tensor
    labels: Tensor
    is_crowd: Tensor
    masks: Tensor | None = None
    keypoints: Tensor | None = None
    proposals_xyxy: Tensor | None = None

    @property
    def counts(self) -> Tensor:
        """(N, M) bool: places with a thing that is to be found."""
        return (self.labels >= 0) & ~self.is_crowd

    def of_pictures(self, rows: slice) -> "Truth":
        """What is in some of the pictures."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        some: dict[str, Any] = {name: None if value is None else value[rows] for name, value in values.items()}
        return Truth(**some)

    @classmethod
    def of(cls, batch: Mapping[str, Tensor]) -> "Truth | None":
        """What a batch knows; None where it holds pictures alone."""
        if "box_label" not in batch:
            return None
        return cls(
            batch["boxes_xyxy"],
            batch["box_label"],
            batch["is_crowd"],
            batch.get("instance_mask"),
            batch.get("keypoints"),
            batch.get("proposals_xyxy"),
        )
