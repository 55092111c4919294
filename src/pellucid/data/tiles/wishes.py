"""What can be asked of predictions that may look at a picture by tiles. Imports no torch."""

from dataclasses import dataclass
from typing import Literal

from pellucid.core.config import require
from pellucid.core.errors import ConfigError
from pellucid.core.task import Wishes

SMALLEST_TILE = 8
OVERLAP = 0.25


@dataclass(frozen=True)
class TiledWishes(Wishes):
    """Flags of `pellucid predict` and keywords of `Run.predict`."""

    size: Literal["fit", "native"] = "fit"
    """fit: the whole picture as small as in training. native: tile by tile, things as large as in training."""
    tile: int = 0
    """With native: side of a tile in pixels of the network, at least 8; 0 is the size of the training pictures."""
    overlap: float = OVERLAP
    """With native: share of a tile that the next one sees too, 0 to 0.5; what lies there is told once, without seam."""
    scale: float = 0.0
    """With native: pixels of the network for one of the picture; 0 is as in training, 1 takes pictures as they are."""

    def __post_init__(self) -> None:
        allowed = f"0 (as in training) or at least {SMALLEST_TILE} pixels"
        require(self.tile == 0 or self.tile >= SMALLEST_TILE, "tile", allowed, self.tile)
        require(0 <= self.overlap <= 0.5, "overlap", "in 0..0.5", self.overlap)
        require(self.scale == 0 or 1 / 64 <= self.scale <= 64, "scale", "0 (as in training) or in 1/64..64", self.scale)
        if self.size == "fit" and (self.tile or self.scale or self.overlap != OVERLAP):
            raise ConfigError("tile, overlap and scale belong to native size: add --size native (size='native').")
