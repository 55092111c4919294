"""What can be asked of a segmenter's predictions. Imports no torch."""

from dataclasses import dataclass
from typing import Literal

from pellucid.core.config import require
from pellucid.core.task import TOGETHER
from pellucid.data.tiles.wishes import TiledWishes


@dataclass(frozen=True)
class SegmentWishes(TiledWishes):
    """Flags of `pellucid predict` and keywords of `Run.predict`."""

    probabilities: bool = False
    """Keep the probability of every class in every pixel; --save writes NAME-probabilities.npz (float16)."""
    regions: Literal["none", "polygons", "rle"] = "none"
    """List the connected regions of each class but the background, COCO-like; --save writes NAME-regions.json."""
    min_area: int = 1
    """Leave regions of fewer pixels out of the list."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.min_area >= 1, "min_area", "at least 1", self.min_area)

    @property
    def together(self) -> int:
        """One picture at a time where its result may be large."""
        return 1 if self.size == "native" or self.probabilities else TOGETHER
