"""Pictures filled up to whole cells of the coarsest map, as published detectors have them.

Letters: N pictures, C channels, H x W pixels, h x w cells of a map.
"""

from torch import Tensor
from torch.nn import functional as F


def fill_up(x: Tensor, multiple: int) -> Tensor:
    """(N, C, H, W) with zeros (the mean colour) below and to the right, up to the next multiple of both sides."""
    down, right = -x.shape[-2] % multiple, -x.shape[-1] % multiple
    return F.pad(x, (0, right, 0, down)) if down or right else x


def steps(filled_hw: tuple[int, int], cells_hw: tuple[int, int]) -> tuple[int, int]:
    """Pixels from anchor to anchor, down and across: those of the picture over those of the map, rounded down.

    Maps whose sides were rounded up have cells that stand closer than their stride says: so it is in published
    detectors at strides 64 and 128.
    """
    return filled_hw[0] // cells_hw[0], filled_hw[1] // cells_hw[1]
