"""What can be asked of a detector's predictions. Imports no torch."""

from dataclasses import dataclass
from typing import Literal

from pellucid.core.config import require
from pellucid.core.task import TOGETHER
from pellucid.data.tiles.wishes import TiledWishes

MOST = 10_000  # things in a picture that may be asked for


@dataclass(frozen=True)
class DetectWishes(TiledWishes):
    """Flags of `pellucid predict` and keywords of `Run.predict`."""

    conf: float = 0.3
    """Least score of a thing, 0 to 1."""
    iou: float = 0.5
    """Of two things of one class whose boxes overlap more than this (0 to 1), the less sure one is left out."""
    top: int = 100
    """How many things are told of a picture at most, the surest ones, 1 to 10000."""
    masks: Literal["auto", "on", "off"] = "auto"
    """Outlines of things: auto where the model has them; on insists on them; off saves their time."""

    coco: str = ""
    """With --save: a COCO file whose ids of pictures and classes results.json takes; else they are counted from 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 <= self.conf <= 1, "conf", "in 0..1", self.conf)
        require(0 <= self.iou <= 1, "iou", "in 0..1", self.iou)
        require(1 <= self.top <= MOST, "top", f"in 1..{MOST}", self.top)

    @property
    def together(self) -> int:
        """One picture at a time where it is looked at by tiles."""
        return 1 if self.size == "native" else TOGETHER

    @property
    def for_saving(self) -> str:
        """`coco`, which is for the file of all results together."""
        return "coco" if self.coco else ""
