"""Where tiles lie along an axis, and how each of their pixels counts. Letters: t side of a tile, o its overlap.

Nothing is padded: the last tile ends where the picture does, so it may be a little smaller than t, and a picture
smaller than a tile is one tile. Where tiles overlap, their weights sum to 1: from a tile's border inwards they are 0
for o/3, rise to 1 over the next third, and stay 1. Tiles start at multiples of 32 px where they can, so that strides
see the same grid as without tiles.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

GRIDS = (32, 16, 8, 4, 2, 1)  # pixels that tiles' places are multiples of, by preference; at most half a tile


@dataclass(frozen=True)
class Span:
    """One tile along one axis: pixels `start` to `stop`, and how each of them counts."""

    start: int
    stop: int
    weights: Tensor

    def __len__(self) -> int:
        return self.stop - self.start


def spans(length: int, tile: int, overlap: float) -> list[Span]:
    """Tiles along an axis of `length` pixels, evenly spread; their weights sum to 1 in every pixel.

    Args:
        tile: pixels of a tile.
        overlap: least share of it that neighbours have in common, 0 to 0.5.
    """
    if length <= tile:
        return [Span(0, length, torch.ones(length))]
    widest = int(tile * (1 - overlap) + 1e-6)  # step between neighbours; 0.9 * 10 is 9, whatever floats make of it
    grid = next(g for g in GRIDS if g == 1 or (2 * g <= tile and widest // g * g >= tile / 2))
    step = widest // grid * grid
    rest = length - tile
    count = -(-rest // step)  # tiles behind the first
    starts = [-(-(number * rest) // (count * grid)) * grid for number in range(count + 1)]
    stops = [min(start + tile, length) for start in starts]
    weights = []
    for number, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        before = stops[number - 1] - start if number else 0
        behind = stop - starts[number + 1] if number < count else 0
        weights.append(_ramp(stop - start, before) * _ramp(stop - start, behind).flip(0))
    total = torch.zeros(length)
    for start, stop, weight in zip(starts, stops, weights, strict=True):
        total[start:stop] += weight
    return [Span(a, b, weight / total[a:b]) for a, b, weight in zip(starts, stops, weights, strict=True)]


def _ramp(length: int, shared: int) -> Tensor:
    """(length,): 0 over the first third of the shared pixels, rising over the second, 1 from the last on."""
    if not shared:
        return torch.ones(length)
    return (3 * (torch.arange(length) + 0.5) / shared - 1).clamp(0, 1)


def of_one_size(columns: list[Span], most: int) -> Iterator[list[Span]]:
    """Neighbouring tiles of the same width, at most so many at once."""
    part: list[Span] = []
    for column in columns:
        if part and (len(part) == most or len(part[0]) != len(column)):
            yield part
            part = []
        part.append(column)
    yield part
