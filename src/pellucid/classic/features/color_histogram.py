"""Colour histograms: which colours a picture has, wherever they are."""

from itertools import accumulate
from operator import mul
from typing import Any

import torch
from torch import Tensor

from pellucid.core.config import require
from pellucid.ops.colour import rgb_to_hsv
from pellucid.ops.pictures import Pictures, as_planes

CHUNK = 1 << 18  # pixels worked on at a time


def color_histogram(x: Pictures, bins: int | tuple[int, int, int] = 10, joint: bool = False) -> Any:
    """Shares of the pixels by hue, and by saturation and value if asked for.

    Every pixel counts once. A grey one has saturation 0 and by convention hue 0, so it counts among the reds; tell them
    apart with bins of saturation. By hue alone this is `color_histogram_hsv` of the CS231n assignments.

    Args:
        x: (3, H, W) or (N, 3, H, W), uint8 or floats in 0..1, which give the same shares.
        bins: of hue; or (hue, saturation, value). They are equally wide and cover 0..1; 1 belongs to the last.
        joint: count (hue, saturation, value) together, hue slowest, rather than one after the other.

    Returns:
        (D,) for one picture, (N, D) for a batch, of floats: float64 for float64, else float32. D is `bins`; the
        product of three where `joint`, else their sum. By hue alone and `joint` they sum to 1, else each of the three
        parts does.

    Raises:
        DataError: pictures without 3 channels, floats outside 0..1, or no picture.
        ConfigError: `bins` is neither a number of at least 1 nor three.
    """
    planes = as_planes(x, "picture for a colour histogram", channels=(3,))
    sides = bins if isinstance(bins, tuple) else (bins,)
    fits = len(sides) in (1, 3) and all(isinstance(side, int) and side >= 1 for side in sides)
    require(fits, "bins", "a whole number of at least 1, or three of them", bins)
    pictures = planes.tensor
    step = max(1, CHUNK // (pictures.shape[2] * pictures.shape[3]))
    parts = [_shares(pictures[at : at + step], sides, joint) for at in range(0, len(pictures), step)]
    return planes.back_each(torch.cat(parts))


def _shares(pictures: Tensor, sides: tuple[int, ...], joint: bool) -> Tensor:
    """(N, 3, H, W) -> (N, D)."""
    if pictures.dtype not in (torch.uint8, torch.float64):
        pictures = pictures.to(torch.float32)
    hsv = rgb_to_hsv(pictures).flatten(2)[:, : len(sides)]  # (N, A, P), A axes and P pixels
    side = torch.tensor(sides, device=hsv.device).view(-1, 1)
    # A hair undoes rounding just below the edge of a bin; two colours of uint8 differ by far more.
    place = (hsv * side + side * 1e-6).to(torch.int64).clamp_(max=side - 1)
    ends = list(accumulate(sides, mul)) if joint else list(accumulate(sides))
    n, size = len(hsv), ends[-1]
    if joint:
        place = (place * torch.tensor([size // end for end in ends], device=hsv.device).view(-1, 1)).sum(
            1, keepdim=True
        )
    else:
        place += torch.tensor([0, *ends[:-1]], device=hsv.device).view(-1, 1)
    place += torch.arange(n, device=hsv.device).view(-1, 1, 1) * size
    counts = torch.bincount(place.flatten(), minlength=n * size).view(n, size)
    return counts.to(hsv.dtype).div_(hsv.shape[2])
