"""How blurred a picture is, without another to compare it with."""

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW = 11  # pixels of the second blur


def blur(grey: Tensor, window: int = WINDOW) -> Tensor:
    """How little a further blur changes: near 0 for a sharp picture, near 1 for one that is blurred already.

    Crete, Dolmiere, Ladret, Nicolas 2007, "The blur effect: perception and estimation with a new no-reference
    perceptual blur metric" (https://hal.science/hal-00232709): the share of the differences between neighbouring
    pixels that survives a box of `window` pixels along a line; of the two directions, the more blurred one. It depends
    neither on contrast nor on brightness.

    Args:
        grey: (N, h, w) floats.
        window: odd; narrower where a picture is less than two windows wide.

    Returns:
        (N,) NaN where a picture has one colour, or one row or column only.
    """
    n, height, width = grey.shape
    if min(height, width) < 2:
        return torch.full((n,), float("nan"))
    window = max(3, min(window, min(height, width) // 2 | 1))
    return torch.maximum(_along(grey.mT, window), _along(grey, window))


def _along(grey: Tensor, window: int) -> Tensor:
    """(N,) blur along the rows of (N, h, w)."""
    border = window // 2
    padded = F.pad(grey[:, None], (border, border, 0, 0), mode="replicate")
    smooth = F.avg_pool2d(padded, (1, window), stride=1)[:, 0]  # (N, h, w)
    sharp = grey.diff(dim=2).abs()
    lost = (sharp - smooth.diff(dim=2).abs()).clamp_(min=0)
    total = sharp.sum(dim=(1, 2))
    return torch.where(total > 0, 1 - lost.sum(dim=(1, 2)) / total, torch.nan)
