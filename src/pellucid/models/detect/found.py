"""What a detector finds. Letters: N pictures, D places for what is found, S side of a mask, P keypoints."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from torch import Tensor

PREFIX = "found_"


@dataclass(frozen=True)
class Limits:
    """What of all that a detector could name is handed on.

    Attributes:
        score: the least score of a thing.
        iou: of two things of one class that overlap more than this, the one with the lower score is left out.
        most: the largest number of things in a picture.
    """

    score: float = 0.01
    iou: float = 0.5
    most: int = 100


@dataclass(frozen=True)
class Found:
    """The things found in N pictures, the surest first; D is `Limits.most`.

    Attributes:
        boxes_xyxy: (N, D, 4) float32, in pixels of the network's input, within it; zeros where nothing is.
        scores: (N, D) float32 in 0..1, falling; 0 where nothing is.
        labels: (N, D) int64, class 0..K-1; -1 where nothing is.
        masks: (N, D, S, S) float32 in 0..1, the probability that a place belongs to the thing, on a grid that fills
            its box; or None.
        keypoints: (N, D, P, 3) float32: x, y, and the score of each point; or None.
    """

    boxes_xyxy: Tensor
    scores: Tensor
    labels: Tensor
    masks: Tensor | None = None
    keypoints: Tensor | None = None

    def outputs(self) -> dict[str, Tensor]:
        """The same as outputs of a model, under names that begin with `found_`."""
        named = {PREFIX + field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in named.items() if value is not None}

    @classmethod
    def of(cls, outputs: Mapping[str, Tensor]) -> "Found":
        """The inverse of `outputs`."""
        return cls(
            **{field.name: outputs[PREFIX + field.name] for field in fields(cls) if PREFIX + field.name in outputs}
        )
