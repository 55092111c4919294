"""A picture of any size, seen by a network tile by tile, its logits blended so that no seam shows.

Tiles of side t cover the picture, neighbours sharing at least the overlap o. Nothing is padded: the last tile of a
row ends where the picture does, so it may be a little smaller than t, and a picture smaller than a tile is one tile.
Where tiles overlap, their weights sum to 1: from a tile's border inwards they are 0 for o/3, rise to 1 over the next
third, and stay 1. So what lies within o/3 of a tile's border, where the network sees padding in place of the picture,
counts for nothing: logits of a network that sees no further than that are those of the untiled picture, but for
rounding. Tiles start at multiples of 32 px where they can, so that strides see the same grid as without tiles.

Letters: K classes, C channels, H x W pixels of the picture, t side of a tile, n tiles.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

GRIDS = (32, 16, 8, 4, 2, 1)  # pixels that tiles' places are multiples of, by preference; at most half a tile
Net = Callable[[Tensor], Tensor]  # (n, C, h, w) uint8 -> (n, K, h, w) logits


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


def tiled(net: Net, picture: Tensor, tile: tuple[int, int], overlap: float, pixels: int) -> Iterator[Tensor]:
    """Blended logits of a whole picture, a strip of rows after the other.

    At no time are more logits held than of two rows of tiles: `8 * K * t * W` bytes.

    Args:
        net: in evaluation mode; the same function for tiles of every size.
        picture: (C, H, W) uint8.
        tile: height and width of a tile.
        overlap: see `spans`.
        pixels: how many the network is given at once, at least one tile.

    Yields:
        (K, rows, W) float32; the strips' rows sum to H.
    """
    height, width = picture.shape[1:]
    rows, columns = spans(height, tile[0], overlap), spans(width, tile[1], overlap)
    left_over = torch.empty(0)
    for number, row in enumerate(rows):
        blended = _row_of_tiles(net, picture[:, row.start : row.stop], row, columns, pixels)  # (K, t, W)
        if left_over.numel():
            blended[:, : left_over.shape[1]] += left_over
        done = (rows[number + 1].start if number + 1 < len(rows) else height) - row.start
        yield blended[:, :done]
        left_over = blended[:, done:]


def _row_of_tiles(net: Net, strip: Tensor, row: Span, columns: list[Span], pixels: int) -> Tensor:
    """(C, t, W) -> (K, t, W): weighted logits of all tiles of one row, those of one size together."""
    blended = torch.empty(0)
    per_call = max(1, pixels // (len(row) * len(columns[0])))
    for part in _of_one_size(columns, per_call):
        tiles = torch.stack([strip[:, :, column.start : column.stop] for column in part])  # (n, C, t, t)
        logits = net(tiles).float()  # (n, K, t, t)
        if not blended.numel():
            blended = logits.new_zeros((logits.shape[1], *strip.shape[1:]))
        down = row.weights.to(logits.device)[:, None]  # (t, 1)
        for column, each in zip(part, logits, strict=True):
            blended[:, :, column.start : column.stop] += each * (down * column.weights.to(logits.device))
    return blended


def _of_one_size(columns: list[Span], most: int) -> Iterator[list[Span]]:
    """Neighbouring tiles of the same width, at most so many at once."""
    part: list[Span] = []
    for column in columns:
        if part and (len(part) == most or len(part[0]) != len(column)):
            yield part
            part = []
        part.append(column)
    yield part
