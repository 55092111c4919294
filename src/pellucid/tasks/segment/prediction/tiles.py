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

import torch
from torch import Tensor

from pellucid.data.tiles.spans import Span, of_one_size, spans

Net = Callable[[Tensor], Tensor]  # (n, C, h, w) uint8 -> (n, K, h, w) logits


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
    for part in of_one_size(columns, per_call):
        tiles = torch.stack([strip[:, :, column.start : column.stop] for column in part])  # (n, C, t, t)
        logits = net(tiles).float()  # (n, K, t, t)
        if not blended.numel():
            blended = logits.new_zeros((logits.shape[1], *strip.shape[1:]))
        down = row.weights.to(logits.device)[:, None]  # (t, 1)
        for column, each in zip(part, logits, strict=True):
            blended[:, :, column.start : column.stop] += each * (down * column.weights.to(logits.device))
    return blended
