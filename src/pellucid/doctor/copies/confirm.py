"""Whether two pictures that look alike from afar are one: the same details in the same places."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.data.pack import Pack
from pellucid.doctor.copies.descriptor import grey_of
from pellucid.ops.colour import rgb_to_ycbcr
from pellucid.ops.filters.gaussian import gaussian_filter

# P pairs

SIDE = 32  # pixels that pictures are compared at
FINE, COARSE = 0.7, 2.0  # details lie between these blurs; finer ones do not survive encoding
AROUND, FAINT = 3.0, 2.0  # blur and grey values by which the strength of details is evened out
EVENLY = 0.8  # least correlation of details that were evened out
COLOURS = 8  # pixels a side that colours are compared at
LIGHT = 64.0  # of 255, how much brighter a copy may be
TINT = 16.0  # of 255, how much the colours of a copy may differ on average
HUE, COLOURLESS = 0.6, 3.0  # ... and as a share of how strong they are, which counts in dark pictures; of 255, if any


def small(pack: Pack, rows: np.ndarray, side: int = SIDE) -> Tensor:
    """(len(rows), side, side) grey values of the part of each canvas that is picture."""
    shrunk = [
        F.interpolate(grey[:, None], (side, side), mode="bilinear", antialias=True)[:, 0]
        for grey in grey_of(pack, rows)
    ]
    return torch.cat(shrunk) if shrunk else torch.zeros(0, side, side)


def details(grey: Tensor) -> Tensor:
    """(P, side, side) with only edges and textures left: a difference of Gaussians."""
    return _blurred(grey, FINE) - _blurred(grey, COARSE)


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """(P,) in -1..1; 0 where one of the two is flat."""
    a, b = (x.flatten(1) - x.flatten(1).mean(dim=1, keepdim=True) for x in (a, b))
    return (a * b).sum(dim=1) / (a.norm(dim=1) * b.norm(dim=1)).clamp(min=1e-6)


def even(grey: Tensor) -> Tensor:
    """(P, side, side) details whose strength is the same everywhere, so that one strong edge does not decide."""
    found = details(grey)
    return found / (_blurred(found.square(), AROUND) + FAINT**2).sqrt()


def _blurred(grey: Tensor, sigma: float) -> Tensor:
    """(P, side, side)."""
    blurred = gaussian_filter(grey[:, None].contiguous(), sigma)
    assert isinstance(blurred, Tensor)  # as it was given
    return blurred[:, 0]


def likeness(pack: Pack, first: np.ndarray, second: np.ndarray, across: bool = False, down: bool = False) -> np.ndarray:
    """(P,) correlation of the details of pairs of rows, the first of each mirrored left to right or top to bottom.

    0 where brightness or colours differ much (a shape in red and in blue is no copy), or only strong edges agree.
    """
    parts = [np.zeros(0, np.float32)]
    axes = [axis for axis, wanted in ((2, across), (1, down)) if wanted]
    for start in range(0, len(first), 256):
        one, other = first[start : start + 256], second[start : start + 256]
        a, b = small(pack, one).flip(axes), small(pack, other)
        evenly = correlation(even(a), even(b))
        apart = (a.mean(dim=(1, 2)) - b.mean(dim=(1, 2))).abs()
        alike = torch.where((evenly >= EVENLY) & (apart <= LIGHT), correlation(details(a), details(b)), 0.0)
        if pack.images.shape[3] == 3:
            apart = (tints(pack, one).flip([axis + 1 for axis in axes]) - tints(pack, other)).abs().mean(dim=(1, 2, 3))
            alike = torch.where(apart <= TINT, alike, 0.0)
        parts.append(alike.numpy())
    return np.concatenate(parts)


def tints(pack: Pack, rows: np.ndarray, windows: np.ndarray | None = None) -> Tensor:
    """(len(rows), 2, COLOURS, COLOURS) blue and red chroma, 0..255, of the part of each canvas that is picture.

    Args:
        windows: (len(rows), 3) top, left and side as shares of each picture's sides; None for whole pictures.
    """
    if windows is None:
        windows = np.tile((0.0, 0.0, 1.0), (len(rows), 1))
    found = []
    for row, (top, left, side) in zip(rows.tolist(), windows.tolist(), strict=True):
        height, width = (int(length) for length in pack.targets["valid_hw"][row])
        pixels = pack.images[row, _pixels(top, side, height), _pixels(left, side, width)]
        picture = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float() / 255
        shrunk = F.interpolate(picture, (COLOURS, COLOURS), mode="bilinear", antialias=True).clamp(0, 1)
        found.append(255 * rgb_to_ycbcr(shrunk)[:, 1:])
    return torch.cat(found) if found else torch.zeros(0, 2, COLOURS, COLOURS)


def _pixels(start: float, side: float, length: int) -> slice:
    """The pixels of a window along one side: at least one, all inside."""
    first = min(max(round(start * length), 0), length - 1)
    return slice(first, max(round((start + side) * length), first + 1))


def same_colours(pack: Pack, whole: np.ndarray, part: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """(P,) bool: whether windows (P, 3) of `whole` have the colours of `part`; grey pictures have."""
    if pack.images.shape[3] != 3:
        return np.ones(len(whole), dtype=bool)
    a, b = (each - 127.5 for each in (tints(pack, whole, windows), tints(pack, part)))
    apart, strength = (a - b).abs().mean(dim=(1, 2, 3)), torch.maximum(*(x.abs().mean(dim=(1, 2, 3)) for x in (a, b)))
    return ((apart <= TINT) & ((strength < COLOURLESS) | (apart <= HUE * strength))).numpy()
